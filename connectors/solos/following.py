"""What became of leads: the projects made of them, and what those tell (reference 5.3). Reads only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from connectors.errors import (
    UNREADABLE,
    ConnectorError,
    NeedsReconnect,
    Refused,
    TryLater,
    of_one,
    unexpected,
)
from connectors.lead_status import Followed, LeadStatus, Told
from connectors.lead_status import Payment as Money
from connectors.messages import message
from connectors.solos.auth import which_api
from connectors.solos.client import Client, Page
from connectors.solos.errors import NO_API, NOT_FOUND
from connectors.solos.matching import Link, Matching, is_closed
from connectors.solos.records import Checklist, Good, Payment, Project, Stage, number
from connectors.text import moment, money

log = logging.getLogger(__name__)
DELETED_SEEN = 500  # deleted projects among which a missing one is looked for
NO_PROJECTS = "no_projects"
DELETED, MISSING = "deleted", message("not found")
PAYMENT_PAGES, PAYMENTS_A_PAGE = 5, 100
PROJECT = "project"
MOST_ROWS = 20  # of each kind among the details that a person is shown
LONGEST_NAME = 200  # characters, among the details
T = TypeVar("T")


class Following:
    """One call of ``SolosConnector.follow``. ``may_read_leads``: this account shows its leads."""

    def __init__(self, client: Client, may_read_leads: bool) -> None:
        self.client = client
        base_url, options = client.http_client.base_url, client.options
        self.reader = StatusReader(base_url, options.project_path, options.utc_offset_hours)
        self.may_read_leads = may_read_leads
        self.account_error: ConnectorError | None = None
        self.walk_error: ConnectorError | None = None
        self.closed = set[str]()

    def run(self, leads: Sequence[Followed]) -> list[Told]:
        links = {lead.uid: Link(known, lead.matched) for lead in leads if (known := number(lead.record_id))}
        unlinked = [lead for lead in leads if lead.uid not in links]
        links |= self._matches(unlinked) if unlinked else {}
        return [self.account_error or self._one(links.get(lead.uid)) for lead in leads]

    def _matches(self, leads: Sequence[Followed]) -> dict[str, Link]:
        """A walk that fails says nothing of projects that are known already."""
        matching = Matching(self.client, leads)
        try:
            return matching.run(self.may_read_leads)
        except Exception as exc:
            self.walk_error = self._told(exc)
            return matching.found

    def _one(self, link: Link | None) -> Told:
        if link is None:
            return self.walk_error
        try:
            return self._status(link)
        except Exception as exc:
            if isinstance(exc, TryLater) and exc.code == UNREADABLE and not exc.repeatable:
                exc = of_one(exc)  # a project that can't be read is no reason to leave the others alone
            return self._told(exc)

    def _told(self, exc: Exception) -> ConnectorError:
        if not isinstance(exc, ConnectorError):
            log.error("solos: following broke", exc_info=exc)
            return unexpected(exc)
        if isinstance(exc, NeedsReconnect):
            exc = self._really(exc)
        if exc.account_wide:
            self.account_error = exc
        return exc

    def _really(self, refusal: NeedsReconnect) -> ConnectorError:
        """Keys that no longer open projects may deliver leads all the same: that must not end here."""
        try:
            which_api(self.client)
        except ConnectorError as error:
            return error
        words = message("solOS shows us no projects any more ({said})", said=refusal.message)
        return TryLater(words, code=NO_PROJECTS, account_wide=True, repeatable=False)

    # -- one project --------------------------------------------------------------------------------

    def _status(self, link: Link) -> LeadStatus:
        try:
            project = self.client.project(link.project)
        except ConnectorError as error:
            if not self._says_absent(error):
                raise
            why = DELETED if link.project in self._deleted else MISSING
            return self.reader.missing(link.project, link.matched, why)
        if project.id != link.project:
            raise TryLater(message("solOS showed another project than was asked for"), code=UNREADABLE)
        lost = project.id in self._deleted if project.deleted is None else project.deleted
        return self.reader.status(project, self._belongings(project), link.matched, DELETED if lost else "")

    def _says_absent(self, error: ConnectorError) -> bool:
        """A bare 404 may mean the project or the whole API: then the list of projects decides."""
        return error.code == NOT_FOUND or (error.code == NO_API and self._is_open)

    @cached_property
    def _is_open(self) -> bool:
        try:
            self.client.projects(Page(count=1))
        except ConnectorError as error:
            if not is_closed(error):
                raise
            return False
        return True

    def _belongings(self, project: Project) -> Belongings:
        """Each may be closed to us; the project itself tells most."""
        return Belongings(
            stages=self._ask("steps", lambda: self.client.steps(project.id)),
            payments=self._ask("payments", lambda: self._payments(project.id)),
            goods=self._ask("goods", lambda: self.client.goods(project.id)),
            checklists=self._ask("checklists", lambda: self.client.checklists(project.id)),
        )

    def _payments(self, project: int) -> list[tuple[Payment, bool]]:
        """With whether the money came in; where rows don't say it, each kind is asked for apart."""
        rows = self._paid(project)
        if all(one.income is not None for one in rows):
            return [(one, bool(one.income)) for one in rows]
        came, went = self._paid(project, income=True), self._paid(project, income=False)
        if came == went:  # the kind we ask for is ignored
            return [(one, one.income is not False) for one in rows]
        return [(one, True) for one in came] + [(one, False) for one in went]

    def _paid(self, project: int, income: bool | None = None) -> list[Payment]:
        """All pages; one that repeats the last says that offsets are ignored."""
        found: list[Payment] = []
        last: list[Payment] = []
        for index in range(PAYMENT_PAGES):
            page = Page(PAYMENTS_A_PAGE, index * PAYMENTS_A_PAGE)
            rows = self.client.payments(project, page, income=income)
            found += rows if rows != last else []
            if len(rows) < PAYMENTS_A_PAGE or rows == last:
                break
            last = rows
        return found

    def _ask(self, what: str, ask: Callable[[], list[T]]) -> list[T] | None:
        """None where solOS refuses to tell, or tells in a form that nobody can read."""
        if what in self.closed:
            return None
        try:
            return ask()
        except ConnectorError as error:
            if not is_closed(error):
                raise
            if not isinstance(error, Refused):
                self.closed.add(what)
            return None

    @cached_property
    def _deleted(self) -> frozenset[int]:
        """Deleted is who is among the deleted and not among the others: a CRM may ignore the flag we send."""
        try:
            told = [one for page in self.client.newest(DELETED_SEEN, deleted=True) for one in page]
            found = {one.id for one in told if one.deleted is not False}
            if any(one.deleted is None for one in told):
                found -= {one.id for page in self.client.newest(DELETED_SEEN) for one in page}
        except ConnectorError as error:
            if not is_closed(error):
                raise
            return frozenset()
        return frozenset(found)


# -- rows as the status of a lead (reference 4, 5.3) -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Belongings:
    """Each None where solOS doesn't tell. Payments come with whether the money came in."""

    stages: Sequence[Stage] | None = None
    payments: Sequence[tuple[Payment, bool]] | None = None
    goods: Sequence[Good] | None = None
    checklists: Sequence[Checklist] | None = None


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Rows of one account as the status of a lead. Pure.

    ``project_path`` is the page of a project where it is known, ``utc_offset_hours`` how far the account's
    clock is ahead of UTC.
    """

    base_url: str
    project_path: str = ""
    utc_offset_hours: float = 0.0

    def status(self, project: Project, more: Belongings, matched: str, gone: str = "") -> LeadStatus:
        """Won and lost are no words of solOS: the kind of the step says so."""
        return LeadStatus(
            PROJECT,
            str(project.id),
            gone=gone,
            matched=matched,
            pipeline=_id(project.funnel),
            pipeline_name=project.name("sales_funnel_id"),
            step=_id(project.step),
            step_name=project.name("step_id"),
            performer=_id(project.user),
            performer_name=project.name("user_id"),
            amount=money(project.price),
            currency=project.name("currency_id"),
            payments=None if more.payments is None else tuple(self._money(more.payments)),
            contact=_contact(project),
            link=self.link(project.id),
            changed_at=self._changed_at(project, more),
            details=_details(project, more),
        )

    def missing(self, project: int, matched: str, gone: str) -> LeadStatus:
        """Of what can't be read any more."""
        return LeadStatus(PROJECT, str(project), gone=gone, matched=matched, link=self.link(project))

    def link(self, project: int) -> str:
        path = self.project_path.replace("{id}", str(project))
        return self.base_url + path if path else ""

    def _money(self, rows: Sequence[tuple[Payment, bool]]) -> Iterator[Money]:
        for one, income in rows:
            if (amount := money(one.amount)) is not None:
                signed = amount if income else -abs(amount)
                yield Money(signed, _id(one.id), moment(one.date, self.utc_offset_hours))

    def _changed_at(self, project: Project, more: Belongings) -> datetime | None:
        """The last thing that has a date."""
        texts = [project.created, *(one.date for one in more.stages or ())]
        texts += [one.date for one, _ in more.payments or ()]
        moments = (moment(text, self.utc_offset_hours) for text in texts)
        return max((one for one in moments if one), default=None)


def _contact(project: Project) -> dict[str, str]:
    """The client, whom only the project's own fields refer to."""
    told = {"id": _id(number(project.data.get("client_id"))), "name": project.name("client_id")}
    return {key: text for key, text in told.items() if text}


def _details(project: Project, more: Belongings) -> dict[str, Any]:
    """Bounded, the newest at the end; numbers stay the texts that they came as."""
    told: dict[str, Any] = {
        "created": project.created,
        "group": project.name("group_id") or _id(project.group),
        "steps": [
            _filled({"step": _id(one.step), "name": one.name, "date": one.date, "user": _id(one.user)})
            for one in (more.stages or ())[-MOST_ROWS:]
        ],
        "goods": [
            _filled({"name": one.name, "count": one.count, "price": one.price})
            for one in (more.goods or ())[:MOST_ROWS]
        ],
        "checklists": [
            {**_filled({"name": one.name, "deadline": one.deadline}), "done": one.done}
            for one in (more.checklists or ())[:MOST_ROWS]
        ],
    }
    return {key: value for key, value in told.items() if value}


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    return {key: text[:LONGEST_NAME] for key, text in row.items() if text}


def _id(number_: int) -> str:
    return str(number_ or "")
