"""Which project a lead became: nothing documented links them, so it is found out (reference 5.3).

What a lead itself tells, then our external id in any text of a project, then the person's phone or e-mail, if
one project alone has it. Else a person has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from connectors.contact import emails_in, phones_in
from connectors.errors import ConnectorError, NeedsReconnect, Refused, TryLater
from connectors.lead_status import Followed
from connectors.response_shape import DATE
from connectors.solos import recovery
from connectors.solos.client import Client
from connectors.solos.records import Project, all_text, number, pattern_of
from connectors.survey import OURS
from connectors.text import clock, texts_in

DAY, MONTH = timedelta(days=1), timedelta(days=30)
LOOKED_INTO = 8  # projects whose details and events are read in one go
BY_LEAD, BY_MARK, BY_CONTACT = "lead", "mark", "contact"
PHONE = re.compile(r"[\d\s()+.\-]{10,30}")
SEPARATOR = re.compile(r"[,;\n]")
HOME = "RU"  # whose local numbers come without their country: solOS serves Russian companies
LONGEST_CONTACT = 1000  # characters; what is longer is a text


@dataclass(frozen=True, slots=True)
class Link:
    project: int
    matched: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A project of the walk, and what is compared. ``day`` is None where it doesn't say when it was made."""

    project: Project
    words: str
    contacts: frozenset[str]
    day: date | None

    @classmethod
    def of(cls, project: Project) -> Seen:
        try:
            day = date.fromisoformat(project.created[:10])
        except ValueError:
            day = None
        return cls(project, all_text(project.raw), contacts_in(project.raw), day)


class Matching:
    """All leads of one look that have no project yet; one walk for all of them."""

    def __init__(self, client: Client, leads: Sequence[Followed]) -> None:
        self.client = client
        self.clock = clock(client.options.utc_offset_hours)
        self.waiting = {lead.uid: lead for lead in leads}
        self.found: dict[str, Link] = {}
        self.seen: list[Seen] = []
        self.ours = set[int]()  # projects with an external id of ours inside
        self.known_since: date | None = None  # where the walk was cut short: older projects were not seen

    def run(self, may_read_leads: bool) -> dict[str, Link]:
        """``{uid: link}`` of those found. Raises like any call."""
        if may_read_leads:
            self._ask_leads()
        if self.waiting:
            self._look_around()
            self._by_mark(self.seen)
            self._look_into()
            self._by_contact()
        if self.waiting:
            self._by_mark(list(self._deleted()))
        return self.found

    def _link(self, uid: str, project: int, matched: str) -> None:
        self.found[uid] = Link(project, matched)
        self.waiting.pop(uid, None)

    # -- one after the other ------------------------------------------------------------------------

    def _ask_leads(self) -> None:
        """Some accounts show their leads, and a lead may tell its project (UNCONFIRMED)."""
        try:
            rows = recovery.look(self.client, self.waiting)[0]
        except ConnectorError as error:
            if not is_closed(error):
                raise
            return
        for uid, row in rows.items():
            if project := number(row.get("project_id")):
                self._link(uid, project, BY_LEAD)

    def _look_around(self) -> None:
        """The projects that may be meant, the newest first, as many as the operator lets us look at."""
        most = self.client.options.walk_limit
        self.seen = [Seen.of(project) for page in self._pages(most) for project in page if project.id]
        if len(self.seen) >= most:
            self.known_since = min((one.day for one in self.seen if one.day), default=date.max)

    def _pages(self, most: int) -> Iterator[list[Project]]:
        """By the filter (P2); where that is closed, all of them (P1): days are compared here in any case."""
        try:
            pages = list(self.client.created(*self._span(), most))
        except ConnectorError as error:
            if not is_closed(error):
                raise
            return self.client.newest(most)
        return iter(pages)

    def _deleted(self) -> Iterator[Seen]:
        """A page of those that were made of a lead, and deleted before anybody looked."""
        try:
            pages = list(self.client.created(*self._span(), self.client.options.page_size, deleted=True))
        except ConnectorError as error:
            if not is_closed(error):
                raise
            return
        yield from (Seen.of(project) for page in pages for project in page if project.id)

    def _span(self) -> tuple[date, date]:
        """The days in which projects of these leads may have been made, one more at each end."""
        days = [self._day(lead) for lead in self.waiting.values()]
        return min(days) - DAY, max(days) + MONTH + DAY

    def _by_mark(self, seen: Sequence[Seen]) -> None:
        """The first project that carries it; a copy of that is somebody's next matter."""
        for one in sorted(seen, key=lambda one: one.project.id):
            for uid in [uid for uid in self.waiting if pattern_of(uid).search(one.words)]:
                self._link(uid, one.project.id, BY_MARK)

    def _look_into(self) -> None:
        """Details (P3) and events (P5) of the likeliest ones: two requests each, so few."""
        for one in self._likeliest()[:LOOKED_INTO]:
            if not self.waiting:
                return
            try:
                words = self._inside(one.project.id)
            except ConnectorError as error:
                if not is_closed(error):
                    raise
                continue
            if OURS.search(words):
                self.ours.add(one.project.id)
            for uid in [uid for uid in self.waiting if pattern_of(uid).search(words)]:
                self._link(uid, one.project.id, BY_MARK)

    def _inside(self, project: int) -> str:
        return all_text(self.client.events(project)) + all_text(self.client.project(project).raw)

    def _likeliest(self) -> list[Seen]:
        """The person's own projects first, then the newest; those with an external id are somebody's."""
        people = frozenset(found for lead in self.waiting.values() for found in contacts_of(lead.people))
        open_ones = [one for one in self.seen if not OURS.search(one.words) and self._is_due(one)]
        return sorted(open_ones, key=lambda one: (not one.contacts & people, -one.project.id))

    def _is_due(self, one: Seen) -> bool:
        return any(self._fits_in_time(one, lead) for lead in self.waiting.values())

    def _by_contact(self) -> None:
        for lead in list(self.waiting.values()):
            if self.known_since and self._day(lead) <= self.known_since:
                continue  # an older project of the same person may not have been seen
            hits = self._hits(lead)
            if len(hits) > 1 and lead.performer:
                hits = [one for one in hits if one.project.user == number(lead.performer)]
            if len(hits) == 1:
                self._link(lead.uid, hits[0].project.id, BY_CONTACT)

    def _hits(self, lead: Followed) -> list[Seen]:
        """In the rule's funnel, where it names one; what carries another external id is another lead's."""
        people, funnel = contacts_of(lead.people), number(lead.pipeline)
        return [
            one
            for one in self.seen
            if one.contacts & people
            and self._fits_in_time(one, lead)
            and (not funnel or one.project.funnel == funnel)
            and not OURS.search(one.words)
            and one.project.id not in self.ours
        ]

    def _fits_in_time(self, one: Seen, lead: Followed) -> bool:
        day = self._day(lead)
        return one.day is not None and day <= one.day <= day + MONTH

    def _day(self, lead: Followed) -> date:
        """The day of its delivery, by solOS's clock."""
        at: datetime = lead.delivered_at.astimezone(self.clock)
        return at.date()


def is_closed(error: ConnectorError) -> bool:
    """This way is closed to us, and will be another time. Keys may open some ways and others not."""
    if isinstance(error, TryLater):
        return not error.repeatable
    return isinstance(error, (Refused, NeedsReconnect))


# -- phones and e-mails, wherever a row has them ------------------------------------------------------------


def contacts_in(row: Any) -> frozenset[str]:
    """Every value that is a phone or an e-mail, as ``contacts_of`` has it; not those within a sentence."""
    texts = (text for text in texts_in(row) if len(text) <= LONGEST_CONTACT)
    return frozenset(
        found for text in texts for part in SEPARATOR.split(text) for found in _contact(part.strip())
    )


def contacts_of(keys: Iterable[str]) -> frozenset[str]:
    """Of a person's keys (``phone:+7...``, ``email:a@b``): phones in E.164, e-mails in lower case."""
    return frozenset(found for key in keys if (found := key.partition(":")[2]))


def _contact(text: str) -> Iterator[str]:
    if "@" in text:
        yield from emails_in(text)
    elif PHONE.fullmatch(text) and not DATE.fullmatch(text):
        yield from phones_in(text, HOME)
