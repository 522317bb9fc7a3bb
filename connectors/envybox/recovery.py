"""Was it made after all? Looking for our mark, in the reference's order (7.5).

There is no id of ours in Envybox, so the mark in the note is the proof: a lead of the same person is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.envybox.answers import carries, id_of, mark_of, row_in, rows_in
from connectors.envybox.errors import NO_DEAL, NO_LEAD
from connectors.envybox.work import Talk, Work
from connectors.errors import Refused

DEALS_READ, LOG_PAGES, LEAD_PAGES = 5, 4, 20
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """The lead to use, our own one where it was merged into that, and its newest deal."""

    lead: str
    merged: str = ""
    deal: str = ""

    def steps(self) -> dict[str, str]:
        known = {"lead": self.lead, "merged": self.merged, "deal": self.deal}
        return {step: remote_id for step, remote_id in known.items() if remote_id}


@dataclass(frozen=True, slots=True)
class Sought:
    """A lead to look for: our mark, the person as Envybox stores phones and e-mails, not made before."""

    mark: str
    phone: str
    email: str
    since: datetime


def look(talk: Talk, work: Work) -> Found | None:
    """The lead of this draft."""
    values = work.parcel.values
    phone, email = values.get("phone", ""), values.get("email", "")
    return probe(talk, Sought(work.parcel.mark, phone, email, work.draft.visit.answered_at))


def probe(talk: Talk, wanted: Sought) -> Found | None:
    """The lead, or None where every probe says no. A probe that fails raises."""
    probes = Probes(talk, wanted)
    return probes.waiting() or probes.listed() or probes.merged() or probes.taken()


class Probes:
    """Four ways to come across the mark. ``suspects`` are leads of the same person without it."""

    def __init__(self, talk: Talk, wanted: Sought) -> None:
        self.talk, self.mark, self.since = talk, wanted.mark, wanted.since
        self.phone, self.email = wanted.phone, wanted.email
        self.suspects: list[str] = []

    @property
    def reachable(self) -> bool:
        return bool(self.phone or self.email)

    def waiting(self) -> Found | None:
        """A: the person's lead that nobody took into work."""
        hit = self.talk.leads.search(self.phone, self.email) if self.reachable else {}
        lead_id = id_of(hit.get("lead_id") or hit.get("id"))
        return self._read(lead_id) if lead_id else None

    def listed(self) -> Found | None:
        """B: by the mark itself; where the note isn't searched, by the phone, and read."""
        words = [self.mark] if self.talk.keyword_covers_comment else []
        words += [word for word in (self.phone or self.email,) if word]
        for word in words:
            for row in rows_in(self.talk.leads.page(keyword=word, **window(self.since)).get("result")):
                if found := self._judge(row):
                    return found
        return None

    def merged(self) -> Found | None:
        """After a merge the newer text may live in the older lead's history alone."""
        for lead_id in self.suspects:
            logs = history(lambda offset, one=lead_id: self.talk.leads.logs(one, offset=offset))  # type: ignore[misc]
            if log := next((log for log in logs if carries(log.get("data"), self.mark)), None):
                return Found(lead_id, id_of(row_in(log.get("data")).get("lead_id")))
        return None

    def taken(self) -> Found | None:
        """C: somebody took it into work; the deal's history has the lead's text."""
        clients = self.talk.deals.search(self.phone, self.email) if self.reachable else []
        deals = [deal for client in clients for deal in rows_in(client.get("deals_for_event"))]
        newest = sorted(deals, key=lambda deal: int(id_of(deal.get("id")) or 0), reverse=True)
        for deal_id in (id_of(deal.get("id")) for deal in newest[:DEALS_READ]):
            logs = history(lambda offset, one=deal_id: self.talk.deals.logs(one, offset=offset))  # type: ignore[misc]
            for log in logs:
                data = row_in(log.get("data"))
                if carries(data, self.mark) and (lead_id := id_of(data.get("lead_id"))):
                    return Found(lead_id, deal=deal_id)
        return None

    def _read(self, lead_id: str) -> Found | None:
        try:
            return self._judge(self.talk.leads.read(lead_id))
        except Refused as error:
            if error.code != NO_LEAD:
                raise
            return None

    def _judge(self, row: dict[str, Any]) -> Found | None:
        if carries(row.get("values"), self.mark):
            return found_in(row)
        lead_id = id_of(row.get("id"))
        if lead_id and lead_id not in self.suspects:
            self.suspects.append(lead_id)
        return None


def found_in(row: dict[str, Any]) -> Found:
    """A lead, or the one that it was united with (reference 5.2)."""
    own, parent = id_of(row.get("id")), id_of(row.get("parent_id"))
    return Found(parent or own, own if parent else "", newest_deal(row))


def newest_deal(lead: dict[str, Any]) -> str:
    deals = lead.get("deals") if isinstance(lead.get("deals"), list) else []
    return max((id_of(deal) for deal in deals or ()), key=lambda deal: int(deal or 0), default="")


def history(page: Callable[[int], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first pages of a history, whichever way it is sorted. What is gone meanwhile has none."""
    offset = 0
    for _ in range(LOG_PAGES):
        try:
            answer = page(offset)
        except Refused as error:
            if error.code in (NO_LEAD, NO_DEAL):
                return
            raise
        yield from rows_in(answer.get("result"))
        offset = int(id_of(answer.get("offset")) or 0)
        if not offset:
            return


def window(since: datetime) -> dict[str, Any]:
    """A day around: filters know days, of a zone that nobody has documented (reference 1.6)."""
    first, last = since.astimezone(UTC) - DAY, datetime.now(UTC) + DAY
    return {"date_start": f"{first:%Y-%m-%d}", "date_end": f"{last:%Y-%m-%d}", "date_type": "created"}


def find(talk: Talk, uids: list[str]) -> dict[str, str]:
    """The marks that leads carry: the word is searched, or what is recent is read."""
    found: dict[str, str] = {}
    if not talk.keyword_covers_comment:
        for row in _recent(talk):
            found |= {uid: found_in(row).lead for uid in uids if carries(row.get("values"), mark_of(uid))}
        return found
    for uid in uids:
        rows = rows_in(talk.leads.page(keyword=mark_of(uid)).get("result"))
        ours = next((row for row in rows if carries(row.get("values"), mark_of(uid))), None)
        if ours:
            found[uid] = found_in(ours).lead
    return found


def _recent(talk: Talk) -> Iterator[dict[str, Any]]:
    offset = 0
    for _ in range(LEAD_PAGES):
        page = talk.leads.page(offset=offset, **window(datetime.now(UTC) - DAY))
        yield from rows_in(page.get("result"))
        offset = int(id_of(page.get("offset")) or 0)
        if not offset:
            return
