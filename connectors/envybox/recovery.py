"""Was the lead made after all? It is looked for by its external id, in the reference's order (7.5).

Envybox keeps no id of ours, so the one in the note is the proof: a lead of the same person is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from connectors.envybox.client import Client, carries, id_of, row_in, searchable
from connectors.envybox.errors import NO_DEAL, NO_LEAD
from connectors.envybox.records import Payload
from connectors.errors import LOOK_INCOMPLETE, Refused, Unclear
from connectors.messages import message
from connectors.survey import Surveyed, SurveyPage, marks_in
from connectors.text import moment, rows_in, texts_in

PAGES = 20  # of 50 rows, of a list or a history
DEALS = 5  # of one person, whenever they were made; all of those that are young enough to be meant
MOST_DEALS = 20
DAY = timedelta(days=1)
LOOK = message("Look for it in Envybox; if it is not there, send the answer again.")
FIND_DAYS = 11  # longer than a delivery is tried
Page = Callable[[int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """The lead to use, our own one where it was merged into that, and its newest deal."""

    lead: str
    merged: str = ""
    deal: str = ""

    @classmethod
    def of(cls, lead: dict[str, Any]) -> Found:
        """A row of a lead; the lead to use is the one that it was united with (reference 5.2)."""
        own, parent = id_of(lead.get("id")), id_of(lead.get("parent_id"))
        return cls(parent or own, own if parent else "", newest_deal(lead))

    def steps(self) -> dict[str, str]:
        known = {"lead": self.lead, "merged": self.merged, "deal": self.deal}
        return {step: remote_id for step, remote_id in known.items() if remote_id}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lead to look for, not made before ``since``; phone and e-mail as Envybox stores them."""

    external_id: str
    phone: str
    email: str
    since: datetime

    @classmethod
    def of(cls, payload: Payload) -> Wanted:
        phone, email = payload.values.get("phone", ""), payload.values.get("email", "")
        return cls(payload.external_id, phone, email, payload.draft.visit.answered_at)


def look(client: Client, wanted: Wanted) -> Found | None:
    """The lead, or None where every probe says that there is none. A probe that fails raises.

    Raises ``Unclear`` (``look_incomplete``) where the probes could not see all that may be meant.
    """
    probes = Probes(client, wanted)
    found = probes.waiting() or probes.listed() or probes.merged() or probes.taken()
    if found is None and not probes.complete:
        raise Unclear(
            message(
                "It is not known whether Envybox has this lead: there is more than could be looked through"
            ),
            code=LOOK_INCOMPLETE,
            remedy=LOOK,
            look_again=False,
        )
    return found


class Probes:
    """Four ways to come across the external id. ``suspects`` are leads of the same person without it.

    ``complete``: none of them was cut short, and at least one could be taken.
    """

    def __init__(self, client: Client, wanted: Wanted) -> None:
        self.client, self.wanted = client, wanted
        self.person = (wanted.phone, wanted.email)
        self.suspects: list[str] = []
        self.complete = any(self.person) or client.keyword_covers_comment

    def waiting(self) -> Found | None:
        """The person's lead that nobody took into work."""
        hit = self.client.leads.search(*self.person) if any(self.person) else {}
        lead_id = id_of(hit.get("lead_id") or hit.get("id"))
        try:
            return self._judge(self.client.leads.read(lead_id)) if lead_id else None
        except Refused as error:
            if error.code != NO_LEAD:
                raise
            return None

    def listed(self) -> Found | None:
        """By the external id itself; where the note isn't searched, by the phone, and read."""
        words = [self.wanted.external_id] if self.client.keyword_covers_comment else []
        words += [word for word in self.person if word][:1]
        for word in words:
            page = partial(page_of_leads, self.client, keyword=word, since=self.wanted.since)
            for row in walk(page, self._cut):
                if found := self._judge(row):
                    return found
        return None

    def merged(self) -> Found | None:
        """After a merge the newer text may live in the older lead's history alone."""
        for lead_id in self.suspects:
            if data := self._said(partial(self.client.leads.logs, lead_id)):
                return Found(lead_id, id_of(data.get("lead_id")))
        return None

    def taken(self) -> Found | None:
        """Somebody took it into work; the deal's history has the lead's text."""
        for deal_id in self._deals():
            data = self._said(partial(self.client.deals.logs, deal_id))
            if lead_id := id_of(data.get("lead_id")):
                return Found(lead_id, deal=deal_id)
        return None

    def _deals(self) -> list[str]:
        """The person's newest deals, and all that may have been made of the lead."""
        rows = self.client.deals.of_person(*self.person) if any(self.person) else []
        rows.sort(key=lambda deal: int(id_of(deal.get("id")) or 0), reverse=True)
        oldest = self.wanted.since - DAY
        young = [at is None or at >= oldest for at in (moment(deal.get("created_at")) for deal in rows)]
        if sum(young) > MOST_DEALS:
            self._cut()
        kept = max(DEALS, min(sum(young), MOST_DEALS))
        return [id_of(deal.get("id")) for deal in rows[:kept]]

    def _said(self, logs: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        """What the entry of a history says that carries the external id; empty for none."""
        entries = history(lambda offset: logs(offset=offset), self._cut)
        told = (row_in(log.get("data")) for log in entries)
        return next((data for data in told if carries(data, self.wanted.external_id)), {})

    def _judge(self, row: dict[str, Any]) -> Found | None:
        if carries(row.get("values"), self.wanted.external_id):
            return Found.of(row)
        lead_id = id_of(row.get("id"))
        if lead_id and lead_id not in self.suspects:
            self.suspects.append(lead_id)
        return None

    def _cut(self) -> None:
        self.complete = False


def find_all(client: Client, uids: list[str]) -> dict[str, list[str]]:
    """``{uid: lead ids}`` of the external ids that leads carry: they are searched, or recent leads are read.

    A lead that was united with another one counts as that. Raises like any call.
    """
    since = datetime.now(UTC) - timedelta(days=FIND_DAYS)
    found: dict[str, list[str]] = {}
    searched = client.keyword_covers_comment
    pages = [partial(page_of_leads, client, keyword=searchable(uid)) for uid in uids if searched]
    for page in pages or [partial(page_of_leads, client, since=since)]:
        for row in walk(page):
            lead = Found.of(row).lead
            for uid in uids:
                if carries(row.get("values"), searchable(uid)) and lead not in found.setdefault(uid, []):
                    found[uid].append(lead)
    return {uid: leads for uid, leads in found.items() if leads}


def newest_deal(lead: dict[str, Any]) -> str:
    """The id of a lead's newest deal; empty for none."""
    deals = lead.get("deals") if isinstance(lead.get("deals"), list) else []
    return max((id_of(deal) for deal in deals or ()), key=lambda deal: int(deal or 0), default="")


def walk(page: Page, cut: Callable[[], object] = lambda: None) -> Iterator[dict[str, Any]]:
    """Rows of a list, page by page; ``cut`` is called where there were more than ``PAGES``."""
    offset = 0
    for _ in range(PAGES):
        answer = page(offset)
        yield from rows_in(answer.get("result"))
        offset = int(id_of(answer.get("offset")) or 0)
        if not offset:
            return
    cut()


def history(page: Page, cut: Callable[[], object] = lambda: None) -> Iterator[dict[str, Any]]:
    """The entries of a history, whichever way it is sorted. What is gone meanwhile has none."""
    try:
        yield from walk(page, cut)
    except Refused as error:
        if error.code not in (NO_LEAD, NO_DEAL):
            raise


def page_of_leads(
    client: Client, offset: int, keyword: str = "", since: datetime | None = None
) -> dict[str, Any]:
    """A page of leads, of those made since then.

    A day is left on both sides: filters know days, of a zone that nobody has documented (reference 1.6).
    """
    dates: dict[str, Any] = {}
    if since:
        first, last = since.astimezone(UTC) - DAY, datetime.now(UTC) + DAY
        dates = {"date_start": f"{first:%Y-%m-%d}", "date_end": f"{last:%Y-%m-%d}", "date_type": "created"}
    return client.leads.page(keyword=keyword, offset=offset, **dates)


def survey(client: Client, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
    """A page of the leads of some days, taken into work or not (reference 5.4, rule 5); of united ones that
    counts which the others were merged into. Raises like any call."""
    answer = page_of_leads(client, int(place.get("offset", 0)), since=since)
    found = tuple(_surveyed(row) for row in rows_in(answer.get("result")))
    offset = int(id_of(answer.get("offset")) or 0)
    return SurveyPage(found, {"offset": offset} if offset else None, complete=not offset)


def _surveyed(row: Mapping[str, Any]) -> Surveyed:
    words = "\n".join(texts_in(row.get("values"))).lower()
    return Surveyed("lead", Found.of(dict(row)).lead, marks_in(words))
