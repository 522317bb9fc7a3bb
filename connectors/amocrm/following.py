"""What became of leads, and the changes that amoCRM posts (reference 3.3, 4.3, 5.2, 7).

amocrm.ru/developers/content/crm_platform/leads-api, .../webhooks-api, .../webhooks-format
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.amocrm import lists
from connectors.amocrm.client import Found, fetch_records
from connectors.amocrm.errors import NOT_ALLOWED, address_gone
from connectors.amocrm.facts import Facts
from connectors.amocrm.lists import embedded, field_texts, moment
from connectors.amocrm.recovery import found, search
from connectors.amocrm.tasks import task_states
from connectors.errors import ConnectorError, Refused, unexpected
from connectors.http import HttpClient
from connectors.lead_status import (
    LOST,
    OPEN,
    WON,
    ChangeNotice,
    Followed,
    LeadStatus,
    Told,
    tasks_or_none,
    with_tasks,
)
from connectors.messages import joined, message
from connectors.text import is_id, money, text_of

log = logging.getLogger(__name__)

PARTS = "contacts,loss_reason"
LEAD, DELETED = "lead", "deleted"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A lead's row, or why there is none; ``matched`` as in ``LeadStatus``."""

    remote_id: str
    row: Found
    matched: str = ""


@dataclass(eq=False)
class Following:
    """One call of ``AmoConnector.follow``: three requests, where the account filters."""

    make_client: Callable[[], HttpClient]
    facts: Facts
    base_url: str
    people: Mapping[str, Row] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: Names())

    def run(self, leads: Sequence[Followed]) -> list[Told]:
        """In order. Without a lead's id there is nothing to ask about."""
        try:
            http_client = self.make_client()
            rows = fetch_records(http_client, "leads", unique(map(id_of, leads)), PARTS)
            seen = [self._find(http_client, lead, rows) for lead in leads]
            self._enrich(http_client, [one.row for one in seen if one and isinstance(one.row, Mapping)])
            told = [self._outcome(one) for one in seen]
            tasks = tasks_or_none(lambda: task_states(http_client, [lead.task for lead in leads]))
            return with_tasks(leads, told, tasks)
        except Exception as exc:
            log.exception("amocrm: %s can't be followed", ", ".join(lead.uid for lead in leads))
            return [unexpected(exc) for _ in leads]

    def _find(self, http_client: HttpClient, lead: Followed, told: Mapping[str, Found]) -> Match | None:
        """A merged lead leaves its values to another, and the external id is one of them (reference 5.3)."""
        remote_id = id_of(lead)
        if remote_id not in told:
            return None
        if told[remote_id] is not None or not lead.uid:
            return Match(remote_id, told[remote_id])
        try:
            successor = search(http_client, lead.uid, self.facts.mark_field)
        except ConnectorError as error:
            return Match(remote_id, address_gone(error) if error.code == "http_404" else error)
        if successor is None or successor.lead == remote_id:
            return Match(remote_id, None)
        return Match(
            successor.lead,
            fetch_records(http_client, "leads", [successor.lead], PARTS)[successor.lead],
            message("merged into {lead}", lead=successor.lead),
        )

    def _enrich(self, http_client: HttpClient, alive: Sequence[Row]) -> None:
        """People and names are a help: without them the leads are told all the same."""
        if not alive:
            return
        told = fetch_records(http_client, "contacts", unique(found(row).contact for row in alive))
        self.people = {number: row for number, row in told.items() if isinstance(row, Mapping)}
        try:
            self.names = Names.read(lists.raw_pipelines(http_client))
        except ConnectorError as error:
            log.warning("amocrm: the pipelines have no names today: %s", error.code)

    def _outcome(self, one: Match | None) -> Told:
        """One row that can't be read costs no other lead."""
        if one is None:
            return None
        if isinstance(one.row, ConnectorError):
            return one.row
        if one.row is None:
            return gone(one.remote_id, self.base_url)
        try:
            person = self.people.get(found(one.row).contact)
            return lead_status(one.row, person, self.names, self.facts.currency, self.base_url, one.matched)
        except Exception as exc:
            log.exception("amocrm: lead=%s can't be read", one.remote_id)
            return unexpected(exc)


def id_of(lead: Followed) -> str:
    """What an earlier look found it to be by now, else what was made."""
    return lead.record_id or lead.remote_id


def unique(ids: Iterable[str]) -> list[str]:
    return [number for number in dict.fromkeys(ids) if is_id(number)]


# -- a row as how the lead stands ---------------------------------------------------------------------------

CLOSED = {str(lists.WON): WON, str(lists.LOST): LOST}  # the same in every pipeline


@dataclass(frozen=True, slots=True)
class Names:
    """What pipelines are called, and steps by (pipeline, step)."""

    pipelines: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def read(cls, pipelines: Iterable[Row]) -> Names:
        rows = list(pipelines)
        return cls(
            {str(row["id"]): str(row.get("name") or "") for row in rows},
            {
                (str(row["id"]), str(status.get("id"))): str(status.get("name") or "")
                for row in rows
                for status in embedded(row, "statuses")
            },
        )


def lead_status(
    row: Row, contact: Row | None, names: Names, currency: str, base_url: str, matched: str = ""
) -> LeadStatus:
    """``contact`` is the main one's row, where it could be read. Money is in the account's currency."""
    remote_id, pipeline, step = (text_of(row.get(name)) for name in ("id", "pipeline_id", "status_id"))
    return LeadStatus(
        record=LEAD,
        record_id=remote_id,
        status=CLOSED.get(step, OPEN),
        gone=DELETED if row.get("is_deleted") else "",
        matched=matched,
        pipeline=pipeline,
        pipeline_name=names.pipelines.get(pipeline, ""),
        step=step,
        step_name=names.steps.get((pipeline, step), ""),
        performer=text_of(row.get("responsible_user_id")),
        amount=money(row.get("price")),
        currency=currency,
        contact=person(found(row).contact, contact),
        link=link(base_url, remote_id),
        changed_at=moment(row.get("updated_at")),
        details=details(row),
    )


def gone(remote_id: str, base_url: str) -> LeadStatus:
    """A lead that is not there any more, nor another one that carries its mark."""
    return LeadStatus(record=LEAD, record_id=remote_id, gone=DELETED, link=link(base_url, remote_id))


def link(base_url: str, remote_id: str) -> str:
    return f"{base_url}/leads/detail/{remote_id}"


def person(remote_id: str, row: Row | None) -> dict[str, str]:
    """Her first phone and first e-mail are the ones that amoCRM shows."""
    told = {"id": remote_id}
    if row:
        phone, email = (next(filter(None, field_texts(row, code)), "") for code in ("PHONE", "EMAIL"))
        told |= {"name": text_of(row.get("name")), "phone": phone, "email": email}
    return {name: value for name, value in told.items() if value}


def details(row: Row) -> dict[str, str]:
    closed = moment(row.get("closed_at"))
    reason = next(iter(embedded(row, "loss_reason")), {})
    told = {
        "name": text_of(row.get("name")),
        "closed_at": closed.isoformat() if closed else "",
        "loss_reason": text_of(reason.get("name")),
    }
    return {name: value for name, value in told.items() if value}


# -- notices of changes, which are unsigned: they only say where to look -------------------------------------

HOOKS = "/api/v4/webhooks"
SETTINGS = ("add_lead", "status_lead", "responsible_lead", "update_lead", "delete_lead", "restore_lead")
OF_CONTACTS = ("add_contact", "update_contact", "delete_contact", "restore_contact")
MOST_RECORDS = 200
LEAD_ID = re.compile(r"leads\[(?:add|update|delete|status|responsible|restore)\]\[[0-9]{1,6}\]\[id\]")
CONTACT_ID = re.compile(r"(contacts\[(add|update|delete|restore)\]\[[0-9]{1,6}\])\[id\]")
SLOWER = message("Without them changes are seen when amoCRM is asked the next time; nothing is lost.")


def subscribe(http_client: HttpClient, url: str, contacts: bool) -> None:
    """Have the lives of leads posted to ``url``, and those of contacts or not. Raises ``Refused`` where right
    or tariff are missing.

    Asking first leaves a repeat without effect, and tells an unpaid account from a tariff without hooks.
    """
    wanted = [*SETTINGS, *(OF_CONTACTS if contacts else ())]
    hooks = embedded(http_client.call("GET", HOOKS, params={"filter[destination]": url}), "webhooks")
    if any(_serves(hook, url, wanted) for hook in hooks):
        return
    try:
        http_client.call("POST", HOOKS, safe=True, json={"destination": url, "settings": wanted})
    except ConnectorError as error:
        raise _no_hooks(error) from error


def unsubscribe(http_client: HttpClient, url: str) -> None:
    """Have nothing more posted to ``url``."""
    http_client.call("DELETE", HOOKS, safe=True, json={"destination": url})


def _serves(hook: Mapping[str, Any], url: str, wanted: Sequence[str]) -> bool:
    ours = {*SETTINGS, *OF_CONTACTS}.intersection(hook.get("settings") or ())
    return hook.get("destination") == url and not hook.get("disabled") and ours == set(wanted)


def _no_hooks(error: ConnectorError) -> ConnectorError:
    if error.code == "unpaid":
        words = message("This amoCRM's tariff has no webhooks: the extended and the professional one have")
        return Refused(words, code="no_hooks", remedy=SLOWER)
    if error.code in NOT_ALLOWED:
        words = message(
            "amoCRM lets only an administrator subscribe to changes, on a tariff that has webhooks"
        )
        return Refused(
            words, code=error.code, remedy=joined(" ", message("Connect as an administrator."), SLOWER)
        )
    return error


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The account, the leads and the contacts of a form with PHP's bracket keys; whatever else it says is not
    believed. Companies come as contacts of another type (reference 7.2)."""
    account = str(form.get("account[id]") or "")
    leads, contacts, made = set[str](), set[str](), set[str]()
    for key, value in form.items():
        if not is_id(str(value)):
            continue
        if LEAD_ID.fullmatch(str(key)) and len(leads) < MOST_RECORDS:
            leads.add(str(value))
        named = CONTACT_ID.fullmatch(str(key))
        if named and len(contacts) < MOST_RECORDS and form.get(f"{named[1]}[type]") != "company":
            contacts.add(str(value))
            if named[2] == "add":
                made.add(str(value))
    known = account if is_id(account) else ""
    return ChangeNotice(known, records=frozenset(leads), contacts=frozenset(contacts), made=frozenset(made))
