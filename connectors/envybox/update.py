"""A lead that is there is brought up to date with a later body of its answer (reference 7.1).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in a comment;
phones and e-mails are added to the client. Only the comment may not be repeated: it is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connectors.base import Journal
from connectors.changes import EDITED, decide
from connectors.contact import lacking
from connectors.delivery import LEAD_GONE
from connectors.draft import PERFORMER, STEP, TAGS, UnplacedValue
from connectors.envybox.client import Client, custom_values, id_of, is_id, whole
from connectors.envybox.delivery import NOT_MOVED, Delivery, Item
from connectors.envybox.errors import NO_DEAL, NO_LEAD
from connectors.envybox.existing import write_existing
from connectors.envybox.following import performer
from connectors.envybox.lists import alive
from connectors.envybox.records import FieldEntry, pack
from connectors.envybox.recovery import newest_deal
from connectors.envybox.repeated import write_comments
from connectors.errors import Refused
from connectors.existing import unread
from connectors.messages import message
from connectors.repeated import JOINED, tell_mention

GONE = message("The lead was deleted in Envybox: it can't be brought up to date")
ONLY_CLIENTS = message("Envybox adds contacts to clients, and this lead has none yet")


class Update(Delivery):
    """One item whose lead is there."""

    def __init__(self, client: Client, item: Item, journal: Journal, money_fields: Sequence[str]) -> None:
        super().__init__(client, item, journal)
        self.formers = [pack(former, money_fields).entries for former in item.draft.formers]
        self.deal: Mapping[str, Any] = {}

    def compare(self) -> None:
        """What ``run`` would change is told; nothing is written."""
        self._bring_up_to_date()

    def run(self) -> None:
        if self.item.has(JOINED):  # the deal is somebody else's work: the later body is a comment alone
            write_existing(self, self._before("client"))
            tell_mention(self.item)
            write_comments(self)
            return
        self._bring_up_to_date()
        external_id = f"{self.payload.external_id}r{self.item.draft.edition}"
        for number, text in enumerate(self.payload.comments(), start=1):
            self.comment(self.item.draft.note_step(number), f"{external_id}c{number}", text)

    def _bring_up_to_date(self) -> None:
        self._record()
        if not write_existing(self, self._before("client")):
            self._client()
        self._follow_place()
        if self._new_tags() and not self.item.only_compare:
            self.add_tags()

    def _record(self) -> None:
        """The lead, or the deal that somebody made of it since. Raises ``Refused`` (lead_gone)."""
        if not self.item.has("deal"):
            lead = _living(self.client.leads.read, self.item.lead)
            if not (deal := newest_deal(lead)):
                self._change("lead", custom_values(lead))
                return
            self.done(deal=deal)
        self.deal = _living(self.client.deals.read, self.item.journal["deal"])
        if not self.item.has("contact") and (contact := id_of(self.deal.get("client_id"))):
            self.done(contact=contact)
        self._change("deal", custom_values(self.deal))

    def _client(self) -> None:
        """Its fields, like the deal's, and what it can be reached by. One that is gone costs no more."""
        contact = self.item.journal.get("contact")
        try:
            if contact:
                self._change("client", custom_values(whole(self.client.clients.read(contact))))
            self._add_contacts()
        except Refused as refusal:
            self.payload.lose("client", unread(refusal))

    def _change(self, entity: str, current: Mapping[str, Any]) -> None:
        changed = list(self._changed(entity, current))
        if not self.item.only_compare:
            self.item.refuse(entity, changed, self.write(entity, changed))

    def _before(self, entity: str) -> list[dict[str, Any]]:
        """What earlier bodies had for a record's fields, by field id."""
        return [{one.input_id: one.value for one in entries.get(entity, ())} for entries in self.formers]

    def _changed(self, entity: str, current: Mapping[str, Any]) -> Iterator[FieldEntry]:
        """What is to be written; what people changed is told."""
        formers = self._before(entity)
        for entry in self.payload.entries.get(entity, []):
            there, before = current.get(entry.input_id), [former.get(entry.input_id) for former in formers]
            if self.item.overwrites(decide(there, entry.value, before), there, entry.loss(entity, EDITED)):
                yield entry

    def _follow_place(self) -> None:
        """A replay moves the deal to its draft's step and person, where it stands as we put it."""
        draft = self.item.draft
        if not (draft.replay and self.deal):
            return
        places = [former.placement for former in draft.formers]
        deal, step, who = self.item.journal["deal"], draft.placement.step, draft.placement.performer
        there = id_of(self.deal.get("stage_id"))
        if is_id(step) and self.item.moves_to(STEP, there, step, [place.step for place in places], "deal"):
            self._hand(STEP, step, partial(self._move_to, step))
        before = [place.performer for place in places]
        if is_id(who) and self.item.moves_to(PERFORMER, performer(self.deal), who, before, "deal"):
            self._hand(PERFORMER, who, lambda: self.client.deals.set_employee(deal, who))

    def _hand(self, what: str, wanted: str, do: Callable[[], object]) -> None:
        if self.item.only_compare:
            return
        try:
            do()
        except Refused as error:
            self.item.lose(UnplacedValue(what, wanted, error.message, "deal"))

    def _move_to(self, wanted: str) -> None:
        """Already there is success, and only reading tells."""
        try:
            self.client.deals.move(self.item.journal["deal"], wanted)
        except Refused as error:
            if not self._is_at(wanted):
                self.item.warn("stage_refused", NOT_MOVED, "StepID")
                raise Refused(NOT_MOVED, code=error.code) from error

    def _new_tags(self) -> bool:
        """Has the draft tags that none of its formers had? Those that are there stay single."""
        known = {tag.name for former in self.item.draft.formers for tag in former.tags}
        fresh = [name for name in self.payload.tags if name not in known]
        if fresh and self.item.has("deal"):
            self.item.tell(TAGS, "", ", ".join(fresh), "deal")
        return self.item.has("deal") and bool(fresh if self.item.draft.replay else self.payload.tags)

    def _add_contacts(self) -> None:
        """Phones and e-mails that the client lacks. Read again on every try, so that none is added twice."""
        person = self.item.draft.person
        wanted = [("phone", one) for one in person.phones] + [("email", one) for one in person.emails]
        if not (contact := self.item.journal.get("contact")):
            before = {key for former in self.item.draft.formers for key in former.person.keys}
            late = [(kind, one) for kind, one in wanted if f"{kind}:{one}" not in before]
            self.item.lose(*(UnplacedValue(kind, one, ONLY_CLIENTS, "client") for kind, one in late))
            return
        known = [str(row.get("value") or "") for row in self.client.clients.contacts(contact)]
        for kind, one in (pair for pair in wanted if lacking(known, pair[1:])):
            self.item.tell(kind, ", ".join(known), one, "client")
            if not self.item.only_compare:
                self.add_contact(kind, one)


def _living(read: Callable[[str], dict[str, Any]], remote_id: str) -> dict[str, Any]:
    """Deleted ones may still be shown."""
    try:
        record = whole(read(remote_id))
    except Refused as error:
        if error.code not in (NO_DEAL, NO_LEAD):
            raise
        raise Refused(GONE, code=LEAD_GONE) from error
    if not alive(record):
        raise Refused(GONE, code=LEAD_GONE)
    return record
