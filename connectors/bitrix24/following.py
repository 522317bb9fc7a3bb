"""What became of deals and leads, in two requests for fifty of them, and the notices of changes.

A deal is a deal. A lead that was converted is followed into its deal, which names it in ``LEAD_ID``; a portal
in simple mode may even take the lead away (reference 4.7). Classic lists drop a filter that they don't know
and return everything, so a row counts only by its own ids (5.2).

apidocs.bitrix24.com: api-reference/crm/deals/crm-deal-list, api-reference/crm/leads/crm-lead-list,
api-reference/crm/deals/crm-deal-delete, api-reference/crm/leads/crm-lead-delete,
api-reference/events/event-bind, api-reference/events/safe-event-handlers
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from connectors import dates
from connectors.bitrix24.auth import MEMBER
from connectors.bitrix24.client import PAGE, Command, Outcome, Portal, Reply, Row, rows
from connectors.bitrix24.errors import NOT_FOUND
from connectors.bitrix24.portal import Facts
from connectors.bitrix24.recovery import carriers, carrying, incomplete, search
from connectors.bitrix24.tasks import task_states, tasks_listing
from connectors.errors import NO_RIGHTS, ConnectorError, Refused, TryLater, unexpected
from connectors.lead_status import (
    LOST,
    OPEN,
    WON,
    ChangeNotice,
    Followed,
    LeadStatus,
    TaskStatus,
    Told,
    with_tasks,
)
from connectors.messages import joined, message
from connectors.text import is_id, money, rows_in, text_of

log = logging.getLogger(__name__)

# -- a row as how a record stands (pure; reference 2.2, 3.3) ---------------------------------------------

DEAL, LEAD = "deal", "lead"
STAGE = {DEAL: "STAGE_ID", LEAD: "STATUS_ID"}
SEMANTICS = {DEAL: "STAGE_SEMANTIC_ID", LEAD: "STATUS_SEMANTIC_ID"}
CLOSED_AT = {DEAL: "CLOSEDATE", LEAD: "DATE_CLOSED"}
CONVERTED = "S"  # how a lead ends that became something else
MEANING = {
    DEAL: {"P": OPEN, "S": WON, "F": LOST},
    LEAD: {"P": OPEN, CONVERTED: OPEN, "F": LOST},  # whether it is won, its deal says
}
COMMON = (
    *("ID", "TITLE", "ASSIGNED_BY_ID", "OPPORTUNITY", "CURRENCY_ID", "CONTACT_ID", "DATE_MODIFY"),
    *("ORIGINATOR_ID", "ORIGIN_ID"),
)
PERSON = ("NAME", "LAST_NAME", "PHONE", "EMAIL")
SELECT = {
    DEAL: (*COMMON, "STAGE_ID", "STAGE_SEMANTIC_ID", "CATEGORY_ID", "CLOSEDATE", "LEAD_ID"),
    LEAD: (*COMMON, *PERSON, "STATUS_ID", "STATUS_SEMANTIC_ID", "DATE_CLOSED"),
}


def status_of(
    word: str, row: Row, people: Mapping[str, Row], zone: tzinfo, base_url: str, matched: str = ""
) -> LeadStatus:
    """``people`` are contacts by id. Names of pipelines, steps and users are left to the mirrored lists."""
    remote_id = text_of(row.get("ID"))
    return LeadStatus(
        record=word,
        record_id=remote_id,
        status=MEANING[word].get(text_of(row.get(SEMANTICS[word])), ""),
        matched=matched,
        pipeline=text_of(row.get("CATEGORY_ID")) if word == DEAL else "",
        step=text_of(row.get(STAGE[word])),
        performer=text_of(row.get("ASSIGNED_BY_ID")),
        amount=money(row.get("OPPORTUNITY")),
        currency=text_of(row.get("CURRENCY_ID")),
        contact=contact(word, row, people),
        link=link(base_url, word, remote_id),
        changed_at=moment(row, "DATE_MODIFY", zone),
        details=details(word, row, zone),
    )


def gone(word: str, remote_id: str, base_url: str) -> LeadStatus:
    """A record that is not there any more, nor another one that carries its external id."""
    return LeadStatus(record=word, record_id=remote_id, gone="deleted", link=link(base_url, word, remote_id))


def is_converted(lead: Row) -> bool:
    return text_of(lead.get(SEMANTICS[LEAD])) == CONVERTED


def link(base_url: str, word: str, remote_id: str) -> str:
    return f"{base_url}/crm/{word}/details/{remote_id}/"


def contact(word: str, row: Row, people: Mapping[str, Row]) -> dict[str, str]:
    """The primary contact; a lead can say itself who it is about."""
    remote_id = contact_id(row)
    if remote_id:
        return {"id": remote_id, **person(people.get(remote_id, {}))}
    return person(row) if word == LEAD else {}


def contact_id(row: Row) -> str:
    """Nobody is ``0`` (reference 2.2)."""
    remote_id = text_of(row.get("CONTACT_ID"))
    return remote_id if is_id(remote_id) else ""


def person(row: Row) -> dict[str, str]:
    name = " ".join(filter(None, (text_of(row.get("NAME")), text_of(row.get("LAST_NAME")))))
    told = {"name": name, "phone": first(row, "PHONE"), "email": first(row, "EMAIL")}
    return {key: value for key, value in told.items() if value}


def first(row: Row, name: str) -> str:
    """The first of several; a list that is empty may have any shape (reference 4.2)."""
    values = (text_of(entry.get("VALUE")) for entry in rows_in(row.get(name)))
    return next(filter(None, values), "")


def details(word: str, row: Row, zone: tzinfo) -> dict[str, str]:
    """A deal that is open has a ``CLOSEDATE`` as well: the day by which it should be done."""
    closed = MEANING[word].get(text_of(row.get(SEMANTICS[word]))) in (WON, LOST)
    moment_closed = moment(row, CLOSED_AT[word], zone) if closed else None
    told = {
        "name": text_of(row.get("TITLE")),
        "closed_at": moment_closed.isoformat() if moment_closed else "",
        "lead": text_of(row.get("LEAD_ID")) if text_of(row.get("LEAD_ID")) != "0" else "",
        "converted": message("no deal is known") if word == LEAD and is_converted(row) else "",
    }
    return {name: value for name, value in told.items() if value}


def moment(row: Row, name: str, zone: tzinfo) -> datetime | None:
    value = text_of(row.get(name))
    return dates.moment([value], zone).value if value else None


# -- from a delivered record to what it is by now (pure) --------------------------------------------------

CHILDREN = "LEAD_ID"
MOST_PAGES = 10
Lists = dict[tuple[str, str], Sequence[Row] | ConnectorError]


class Partial(list[Row]):
    """Rows of a list that was not read to its end: what is not among them may be there all the same."""


@dataclass(frozen=True, slots=True)
class RecordTrace:
    """Where a lead is looked for: ``words`` are the kinds of record that its id may name."""

    lead: Followed
    words: tuple[str, ...]
    remote_id: str

    @classmethod
    def of(cls, lead: Followed) -> RecordTrace:
        """What an earlier look found, else what the delivery made. An id named by hand has no kind."""
        if lead.record in SELECT and lead.record_id:
            return cls(lead, (lead.record,), lead.record_id)
        kind = lead.journal.get("kind", "")
        return cls(lead, (kind,) if kind in SELECT else (DEAL, LEAD), lead.remote_id)


@dataclass(frozen=True, slots=True)
class Match:
    """A row that a trace led to, and how, where it wasn't straight."""

    word: str
    row: Row
    matched: str = ""


def lists_for(traces: Sequence[RecordTrace]) -> dict[tuple[str, str], list[str]]:
    """Which ids are asked for, by (kind of record, field)."""
    deals, leads = (
        list(dict.fromkeys(trace.remote_id for trace in traces if word in trace.words))
        for word in (DEAL, LEAD)
    )
    asked = {(DEAL, "ID"): deals, (LEAD, "ID"): leads, (DEAL, CHILDREN): leads}
    return {key: ids for key, ids in asked.items() if ids}


def listing(word: str, field: str, ids: Sequence[str], above: str = "") -> Command:
    """At most a page of 50, the oldest first; ``above`` is the last id of the page before."""
    more = {">ID": above} if above else {}
    params = {
        "filter": {f"@{field}": list(ids), **more},
        "select": list(SELECT[word]),
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Command(f"crm.{word}.list", params, why=message("what became of the {word}s?", word=word))


def match_of(trace: RecordTrace, lists: Lists) -> Match | ConnectorError | None:
    """What the trace leads to; None where the lists that were answered don't have it.

    Where its id may name a deal or a lead, the external id tells which; without one, no list may be unread.
    """
    found = [_look(trace, word, lists) for word in trace.words]
    seen = [one for one in found if isinstance(one, Match)]
    marked = [one for one in seen if carrying([one.row], trace.lead.uid)]
    errors = [one for one in found if isinstance(one, ConnectorError)]
    pressing = [error for error in errors if not isinstance(error, Refused)]
    ranked: list[Match | ConnectorError] = [*marked, *pressing, *seen, *errors]
    return ranked[0] if ranked else None


def _look(trace: RecordTrace, word: str, lists: Lists) -> Match | ConnectorError | None:
    own = _having(lists[word, "ID"], "ID", trace.remote_id)
    if isinstance(own, ConnectorError):
        return own
    if word == LEAD and (own is None or is_converted(own)):
        deal = _having(lists[DEAL, CHILDREN], CHILDREN, trace.remote_id)
        if isinstance(deal, ConnectorError):
            return deal
        if deal is not None:
            return Match(DEAL, deal, message("the deal made of lead {remote_id}", remote_id=trace.remote_id))
    return None if own is None else Match(word, own)


def _having(found: Sequence[Row] | ConnectorError, field: str, remote_id: str) -> Row | ConnectorError | None:
    """The oldest such row: a lead may have been converted more than once."""
    if isinstance(found, ConnectorError):
        return found
    rest = incomplete() if isinstance(found, Partial) else None
    return next((row for row in found if text_of(row.get(field)) == remote_id), rest)


def delete(portal: Portal, lead: Followed) -> None:
    """The record that our delivery made, if it still carries our external id: none that a person named, nor
    one that it was merged into. Raises the first error but "not found"."""
    kind, remote_id = lead.journal.get("kind", ""), lead.journal.get("lead", "")
    if kind not in SELECT or not is_id(remote_id):
        raise Refused(message("It is not known which record was made"), code="no_record")
    (there,) = portal.send([Command(f"crm.{kind}.get", {"id": remote_id})])
    if isinstance(there, ConnectorError):
        if there.code != NOT_FOUND:
            raise there
        return
    if not (isinstance(there.value, dict) and carrying([there.value], lead.uid)):
        raise Refused(message("The record no longer carries our external id"), code="not_ours")
    (gone,) = portal.send([Command(f"crm.{kind}.delete", {"id": remote_id})])
    if isinstance(gone, ConnectorError) and gone.code != NOT_FOUND:
        raise gone


# -- asking ------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Following:
    """One call of ``BitrixConnector.follow``: records and their deals, then people and what was missing."""

    portal: Portal
    facts: Facts
    base_url: str

    def run(self, leads: Sequence[Followed]) -> list[Told]:
        """In order; never raises. Without a record's id there is nothing to ask about."""
        traces = [RecordTrace.of(lead) for lead in leads]
        known = {index: trace for index, trace in enumerate(traces) if is_id(trace.remote_id)}
        try:
            told = dict(zip(known, self._follow(list(known.values())), strict=True)) if known else {}
        except Exception as exc:
            log.exception("bitrix24: %s can't be followed", ", ".join(lead.uid for lead in leads))
            told = dict.fromkeys(known, unexpected(exc))
        return [told.get(index) for index in range(len(traces))]

    def _follow(self, traces: Sequence[RecordTrace]) -> list[Told]:
        lists, tasks = self._lists(traces)
        seen = [match_of(trace, lists) for trace in traces]
        missing = [trace for trace, one in zip(traces, seen, strict=True) if one is None]
        people, verdicts = self._second([one for one in seen if isinstance(one, Match)], missing)
        told = [
            next(verdicts) if one is None else self._status(one, people) if isinstance(one, Match) else one
            for one in seen
        ]
        return with_tasks([trace.lead for trace in traces], told, tasks)

    def _status(self, one: Match, people: Mapping[str, Row] | None = None) -> LeadStatus:
        return status_of(one.word, one.row, people or {}, self.facts.zone, self.base_url, one.matched)

    def _lists(self, traces: Sequence[RecordTrace]) -> tuple[Lists, Mapping[str, TaskStatus]]:
        """The rows by (kind of record, field) and the records' tasks, all asked for in one request."""
        asked = lists_for(traces)
        commands = [listing(word, field, ids) for (word, field), ids in asked.items()]
        ids = list(dict.fromkeys(trace.lead.task for trace in traces if is_id(trace.lead.task)))
        wanted = [tasks_listing(ids)] if ids else []
        outcomes = self.portal.send([*commands, *wanted])
        tasks = task_states(ids, outcomes.pop(), self.facts.zone) if wanted else {}
        found: Lists = dict(zip(asked, map(_rows_of, outcomes), strict=True))
        first = found.get((DEAL, CHILDREN), ())
        if not isinstance(first, ConnectorError):
            found[DEAL, CHILDREN] = self._children(asked.get((DEAL, CHILDREN), ()), first)
        return found, tasks

    def _children(self, leads: Sequence[str], page: Sequence[Row]) -> Sequence[Row] | ConnectorError:
        """All deals made of these leads. A stranger among them shows that the filter was not heard."""
        found = list(page)
        for _ in range(MOST_PAGES):
            if any(text_of(row.get(CHILDREN)) not in leads for row in page):
                break
            if len(page) < PAGE:
                return found
            more = listing(DEAL, CHILDREN, leads, text_of(page[-1].get("ID")))
            (outcome,) = self.portal.send([more])
            if isinstance(outcome, ConnectorError):
                return outcome
            page = rows(outcome)
            found += page
        return Partial(found)

    def _second(
        self, seen: Sequence[Match], missing: Sequence[RecordTrace]
    ) -> tuple[Mapping[str, Row], Iterator[Told]]:
        """Contacts by id, and a verdict on each missing record; without people the rest is told all the same.

        Lists are filtered by our rights, so a missing record is asked for by its id and by its external id.
        """
        ids = list(dict.fromkeys(filter(None, (contact_id(one.row) for one in seen))))
        asking = [contacts(ids)] if ids else []
        asking += [command for trace in missing for command in confirm(trace)]
        outcomes = iter(self.portal.send(asking))
        people = _rows_of(next(outcomes)) if ids else ()
        known = {} if isinstance(people, ConnectorError) else {text_of(row.get("ID")): row for row in people}
        return known, iter([self._verdict(trace, outcomes) for trace in missing])

    def _verdict(self, trace: RecordTrace, outcomes: Iterator[Outcome]) -> Told:
        """A record that is there speaks first, then what keeps us from knowing; gone is what is left."""
        found = [self._judge(trace, word, next(outcomes), next(outcomes)) for word in trace.words]
        return min(found, key=lambda one: 1 if isinstance(one, ConnectorError) else 2 if one.gone else 0)

    def _judge(
        self, trace: RecordTrace, word: str, there: Outcome, marked: Outcome
    ) -> LeadStatus | ConnectorError:
        """Gone is only what the portal says is not there: a refusal or a failure says nothing of the kind.

        A merged record leaves the other one what that lacks, our external id for instance.
        """
        if isinstance(there, Reply):
            if not isinstance(there.value, dict):
                return TryLater(message("Bitrix24's answer can't be read"), code="unreadable")
            return self._status(Match(word, there.value))
        if there.code != NOT_FOUND:
            return there
        if isinstance(marked, ConnectorError):
            return marked
        try:
            ours = carriers(marked, trace.lead.uid)
        except TryLater as error:
            return error
        successors = [(row, number) for row in ours if (number := text_of(row.get("ID"))) != trace.remote_id]
        for row, number in successors:
            return self._status(Match(word, row, message("merged into {number}", number=number)))
        return gone(word, trace.remote_id, self.base_url)


def contacts(ids: Sequence[str]) -> Command:
    params = {"filter": {"@ID": list(ids)}, "select": ["ID", *PERSON], "order": {"ID": "ASC"}, "start": -1}
    return Command("crm.contact.list", params, why=message("who is it about?"))


def confirm(trace: RecordTrace) -> list[Command]:
    """Is it really not there, and did it leave its external id to another? For each kind it may be of."""
    uid, number = trace.lead.uid, trace.remote_id
    return [
        command
        for word in trace.words
        for command in (
            Command(f"crm.{word}.get", {"id": number}, why=message("is the {word} still there?", word=word)),
            replace(search(word, uid, SELECT[word]), why=message("was it merged?")),
        )
    ]


def _rows_of(outcome: Outcome) -> Sequence[Row] | ConnectorError:
    return outcome if isinstance(outcome, ConnectorError) else rows(outcome)


# -- notices of changes (reference 6): an event names an id, and proves nothing ----------------------------

EVENTS = ("ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMLEADUPDATE", "ONCRMLEADDELETE")
BOUND = ("error_event_binding_exists", "unable to set event handler")
SECRET = re.compile(r"[0-9A-Za-z_-]{1,200}")
SLOWER = message("Without events changes are seen when Bitrix24 is asked the next time; nothing is lost.")


def subscribe(portal: Portal, url: str) -> None:
    """Bind what is not bound to ``url`` yet. Raises ``Refused`` where rights or plan don't allow it."""
    (reply,) = portal.ask([Command("event.get", why=message("what is posted already?"))])
    bound = {str(row.get("event")).upper() for row in rows(reply) if row.get("handler") == url}
    binds = [
        Command("event.bind", {"event": event, "handler": url}, why=message("tell us of changes"))
        for event in EVENTS
        if event not in bound
    ]
    for outcome in portal.send(binds):
        _settle(outcome)


def unsubscribe(portal: Portal, url: str) -> None:
    """Unbind all events from ``url``; what is not bound counts as unbound."""
    portal.ask([Command("event.unbind", {"event": event, "handler": url}) for event in EVENTS])


def _settle(outcome: Outcome) -> None:
    """Somebody may have bound it in between: that is what we wanted."""
    if not isinstance(outcome, ConnectorError):
        return
    if outcome.code in BOUND or any(words in outcome.message.lower() for words in BOUND):
        return
    if outcome.code in (NO_RIGHTS, "plan"):
        words = message("Bitrix24 does not let us listen to changes: {said}", said=outcome.message)
        raise Refused(words, code=outcome.code, remedy=joined(" ", outcome.remedy, SLOWER))
    raise outcome


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The portal, its proof and the record of a form with PHP's bracket keys. Its tokens are never used."""
    event = str(form.get("event") or "").upper()
    number = str(form.get("data[FIELDS][ID]") or "")
    records = {number} if event in EVENTS and is_id(number) else set()
    return ChangeNotice(
        remote_id=_told(form, "auth[member_id]", MEMBER),
        secret=_told(form, "auth[application_token]", SECRET),
        records=frozenset(records),
    )


def _told(form: Mapping[str, str], key: str, shape: re.Pattern[str]) -> str:
    value = str(form.get(key) or "")
    return value if shape.fullmatch(value) else ""
