"""An open deal or a waiting lead of the person is joined (reference 4.2, 4.3, 5.5).

A lead that nobody took into work is open, and so is a deal that is neither won nor lost. Both count,
whichever of them the rule makes: the one becomes the other. Deals take tags beside those that they have,
leads take none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connectors import repeated, tasks
from connectors.envybox.client import id_of
from connectors.envybox.delivery import NO_DEAL_YET, Delivery
from connectors.envybox.errors import NO_DEAL, NO_LEAD
from connectors.envybox.existing import write_existing
from connectors.envybox.following import STATUSES
from connectors.envybox.lists import alive
from connectors.envybox.records import LONGEST_COMMENT, MOST_COMMENTS
from connectors.envybox.recovery import newest_deal
from connectors.errors import Refused
from connectors.messages import message
from connectors.note_texts import parts
from connectors.repeated import CONTACTS, JOINED, NO_NOTE, OURS, OpenLead, note_text
from connectors.text import moment

MOST_DEALS = 5  # of one person, the newest of the pipeline, that are read
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A record that can be joined: a deal with the lead that it came of, if any, or a lead without a deal."""

    row: Row
    by: str
    lead: str = ""
    deal: str = ""

    @property
    def open_lead(self) -> OpenLead:
        return OpenLead(self.deal or self.lead, moment(self.row.get("created_at")), self.by)


class Joining(Delivery):
    """One item, which joins an open deal or lead where the rule wants it and there is one."""

    def run(self) -> None:
        item = self.item
        if item.has(JOINED) and not repeated.noted(item):
            self._confirm()
        elif repeated.wanted(item) and not (item.has("queued") or item.has("resent")):
            if item.draft.look_first and self._adopt():
                item.adopted = True
            else:
                self._join()
        if item.has(JOINED):
            self._write()
        repeated.tell_left(item)
        if not item.has(JOINED):
            super().run()

    # -- which one? -----------------------------------------------------------------------------------------

    def _confirm(self) -> None:
        """What an earlier try has joined may be closed by now. Where its comment is there, it stays so."""
        try:
            is_said = self.item.must_look and self.is_said(mark_of(self, 1))
        except Refused as error:  # whatever shows no history shows no open lead
            repeated.warn_unseen(self.item, error.message)
            self._leave()
            return
        if is_said:
            self.done(**{self.item.draft.note_step(): "1"})
            return
        deal, lead = self.item.journal.get("deal", ""), self.item.lead
        there = self._deal(deal, CONTACTS) if deal else self._of_lead(lead, CONTACTS)
        if (found := next(there, None)) is None:
            self._leave()
        elif found.deal:  # somebody may have taken the lead into work
            self.done(deal=found.deal)

    def _leave(self) -> None:
        repeated.leave(self.item, "deal", "contact")
        self.done()

    def _join(self) -> None:
        try:
            found = next((one for one in self._open() if self._is_meant(one)), None)
        except Refused as error:
            repeated.warn_unseen(self.item, error.message)
            return
        if found is None:
            return
        contact = id_of(found.row.get("client_id"))
        repeated.join(self.item, found.open_lead, lead=found.lead, deal=found.deal, contact=contact)
        self.done()

    def _is_meant(self, found: Found) -> bool:
        asked = self.item.draft.repeated.pipeline if self.item.draft.repeated else ""
        pipeline = id_of(found.row.get("pipeline_id" if found.deal else "deal_pipeline_id"))
        return asked in ("", pipeline) and repeated.in_time(self.item.draft, found.open_lead.made)

    def _open(self) -> Iterator[Found]:
        """Ours, then the person's: a lead that waits, the newest deals."""
        for lead in self.item.draft.repeated.ours if self.item.draft.repeated else ():
            yield from self._of_lead(lead, OURS)
        person = self.payload.values.get("phone", ""), self.payload.values.get("email", "")
        if not any(person):
            return
        hit = self.client.leads.search(*person)
        if waiting := id_of(hit.get("lead_id") or hit.get("id")):
            yield from self._of_lead(waiting, CONTACTS)
        for deal in self._deals_of(person):
            yield from self._deal(deal, CONTACTS)

    def _deals_of(self, person: tuple[str, str]) -> list[str]:
        found = {id_of(row.get("id")): row for row in self.client.deals.of_person(*person) if alive(row)}
        meant = [deal for deal, row in found.items() if self._is_meant(Found(row, CONTACTS, deal=deal))]
        return sorted(filter(None, meant), key=int, reverse=True)[:MOST_DEALS]

    def _of_lead(self, lead: str, by: str) -> Iterator[Found]:
        """The lead's deal, or itself where it has none."""
        row = self._read(self.client.leads.read, lead)
        if row is None:
            return
        if deal := newest_deal(row):
            yield from self._deal(deal, by, lead)
        elif not id_of(row.get("parent_id")):
            yield Found(row, by, lead=lead)

    def _deal(self, deal: str, by: str, lead: str = "") -> Iterator[Found]:
        row = self._read(self.client.deals.read, deal)
        if row is not None and id_of(row.get("status_id")) not in STATUSES:
            leads = row.get("connected_lead_id")
            connected = [id_of(one) for one in leads] if isinstance(leads, list) else [id_of(leads)]
            yield Found(row, by, lead or max(filter(None, connected), key=int, default=""), deal)

    def _read(self, read: Callable[[str], Row], remote_id: str) -> Row | None:
        """None for one that is not there any more, and for one that may not be seen, which is told."""
        try:
            row = read(remote_id)
        except Refused as error:
            if error.code not in (NO_LEAD, NO_DEAL):
                repeated.warn_unseen(self.item, error.message)
            return None
        return row if id_of(row.get("id")) and alive(row) else None

    # -- what is written there ------------------------------------------------------------------------------

    def _write(self) -> None:
        """Tags, then comments. What takes none is gone, or as good as that."""
        item = self.item
        if not repeated.noted(item):
            write_existing(self)
            if not repeated.only_mentioned(item.draft):
                self._tag_joined()
        try:
            write_comments(self)
        except Refused:
            self._leave()
            repeated.tell_left(item, NO_NOTE)
            return
        repeated.tell_mention(item)
        repeated.task_on_joined(item)
        if item.has("deal"):
            self._task()
        elif tasks.wanted(item):
            tasks.give_up(item, NO_DEAL_YET)
            self.done()

    def _tag_joined(self) -> None:
        tags = tuple(self.payload.tags)
        try:
            if tags and self.item.has("deal"):
                self.client.deals.add_tags(self.item.journal["deal"], list(tags))
            else:
                self.item.untagged = tags
        except Refused:
            self.item.untagged = tags


def write_comments(delivery: Delivery) -> None:
    """All that is to be said on what was joined, in as many comments as it takes.

    What Envybox refuses is told. Raises ``Refused`` where nothing of the answer is there yet.
    """
    item, draft = delivery.item, delivery.item.draft
    texts = parts(note_text(item, item.losses), LONGEST_COMMENT, MOST_COMMENTS, draft.language)
    for number, text in enumerate(texts, start=1):
        if item.has(step := draft.note_step(number)):
            continue
        try:
            delivery.say(mark_of(delivery, number), text)
        except Refused as error:
            if not (repeated.noted(item) or draft.formers):
                raise
            words = message("Envybox refused the comment: {said}", said=error.message)
            item.warn("note_refused", words)
            item.lose(*repeated.lines_of(text, words))
            delivery.done()
        else:
            delivery.done(**{step: "1"})


def mark_of(delivery: Delivery, number: int) -> str:
    """What tells this comment from others; letters and digits, which no search splits."""
    return f"{delivery.payload.external_id}j{delivery.item.draft.revision}c{number}"
