"""What became of a lead: still a lead, united with another, or a deal (reference 3, 7.6). Reads only.

Also Envybox's notices: form-encoded, ``event`` and nested keys, in no document (reference 5.8, OBS). Their
address is entered by hand in Envybox. A new deal is mostly news of a lead that we know by another number, so
a notice narrows the look only where it names leads.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.envybox.client import Client, Row, at, id_of, row_in, searchable, whole
from connectors.envybox.errors import NO_CLIENT, NO_DEAL, NO_LEAD
from connectors.envybox.lists import ADMINISTRATOR, alive
from connectors.envybox.records import digits
from connectors.envybox.recovery import Wanted, look, newest_deal
from connectors.envybox.tasks import TaskReader
from connectors.errors import ConnectorError, Refused, Unclear, unexpected
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
from connectors.messages import message
from connectors.text import moment, money, rows_in, text_of

log = logging.getLogger(__name__)
LEAD, DEAL = "lead", "deal"
RELATIVES = ("child_deals",)
LONGEST_CHAIN = 5  # leads that were united with each other, one after the other
BY_MARK = "mark"
DELETED = "deleted"
STATUSES = {"2003": WON, "2004": LOST}
MONEY = "9"  # the type of money fields (reference 2)
MOST_CHILDREN = 20
LEAD_KEYS = re.compile(r"lead\[id\]|lead_id|deal\[(?:lead_id|connected_lead_id)\](?:\[\d*\])?")
DEAL_KEYS = re.compile(r"deal\[id\]|deal_id")
LONGEST_ID = 18


@dataclass(eq=False)
class Following:
    """One call of ``EnvyConnector.follow``: one lead after the other, until the account itself fails."""

    client: Client
    reader: StatusReader
    account_error: ConnectorError | None = None

    def run(self, leads: Sequence[Followed]) -> list[Told]:
        told = [self.account_error or self._one(lead) for lead in leads]
        if self.account_error:
            return told
        tasks = TaskReader(self.client, self.reader.utc_offset_hours)
        return with_tasks(leads, told, tasks_or_none(lambda: tasks.states(leads)))

    def _one(self, lead: Followed) -> Told:
        try:
            return self._look(lead)
        except ConnectorError as error:
            if error.account_wide:
                self.account_error = error
            return error
        except Exception as exc:
            log.exception("envybox: following delivery=%s", lead.uid)
            return unexpected(exc)

    def _look(self, lead: Followed) -> LeadStatus | None:
        """What an earlier look found spares the way there: deals stay deals."""
        known = lead.record_id if lead.record != LEAD else ""
        if known:
            return self._deal(known, met=True)
        if deal := lead.journal.get("deal", ""):
            return self._deal(deal)
        lead_id = lead.record_id or lead.journal.get("lead", "") or lead.remote_id
        return self._lead(lead_id) if lead_id else self._unnamed(lead)

    def _unnamed(self, lead: Followed) -> LeadStatus | None:
        """The queue told no id: the external id is looked for, as after a lost answer; None where a look
        can't tell."""
        try:
            found = look(self.client, wanted(lead))
        except Unclear:
            return None
        if found is None:
            return None
        status = self._deal(found.deal) if found.deal else self._lead(found.lead)
        return replace(status, matched=status.matched or BY_MARK)

    def _lead(self, lead_id: str, matched: str = "", depth: int = 0) -> LeadStatus:
        """Its deal where there is one, else the lead that it was united with, else the lead."""
        try:
            row = whole(self.client.leads.read(lead_id))
        except Refused as error:
            if error.code != NO_LEAD:
                raise
            return self.reader.gone(LEAD, lead_id, matched)
        parent = id_of(row.get("parent_id"))
        united = bool(parent) and parent != lead_id and depth < LONGEST_CHAIN
        matched = message("merged into {parent}", parent=parent) if united else matched
        if deal := newest_deal(row):
            return self._deal(deal, matched)
        return self._lead(parent, matched, depth + 1) if united else self.reader.lead(row, matched)

    def _deal(self, deal_id: str, matched: str = "", *, met: bool = False) -> LeadStatus:
        """``met``: an earlier look told whose it is."""
        try:
            row = whole(self.client.deals.read(deal_id, RELATIVES))
        except Refused as error:
            if error.code != NO_DEAL:
                raise
            return self.reader.gone("deal", deal_id, matched)
        return self.reader.deal(row, matched, None if met else self._client(row))

    def _client(self, deal: dict[str, Any]) -> dict[str, Any] | None:
        """The person, asked for once: when the deal is seen for the first time."""
        client_id = id_of(deal.get("client_id"))
        try:
            return self.client.clients.read(client_id) if client_id else None
        except Refused as error:
            if error.code != NO_CLIENT:
                raise
            return None


def wanted(lead: Followed) -> Wanted:
    """What the probes need to know of a lead: the first phone and the first e-mail of its person."""
    first: dict[str, str] = {}
    for kind, _, text in (key.partition(":") for key in lead.people):
        first.setdefault(kind, text)
    phone, email = digits(first.get("phone", "")), first.get("email", "")
    return Wanted(searchable(lead.uid), phone, email, lead.delivered_at)


# -- rows as the status of a lead ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Rows of one account as the status of a lead. Pure.

    ``utc_offset_hours``: how far its clock is ahead of UTC. ``money_fields`` are those that Envybox counts
    into a funnel's sum; None where we never saw the fields.
    """

    base_url: str
    utc_offset_hours: float = 0.0
    money_fields: Collection[str] | None = None

    def lead(self, row: Row, matched: str = "") -> LeadStatus:
        """A lead that has no deal yet: in a stage of its own pipeline, open."""
        place = {"deal_pipeline": id_of(row.get("deal_pipeline_id")), "department": _department(row)}
        return LeadStatus(
            LEAD,
            id_of(row.get("id")),
            pipeline=id_of(row.get("pipeline_id")),
            step=id_of(row.get("stage_id")),
            step_name=text_of(row.get("stage")),
            contact=_contact("", row),
            **self._common(LEAD, row, matched, OPEN, place),
        )

    def deal(self, row: Row, matched: str = "", client: Row | None = None) -> LeadStatus:
        """``client`` is its row of client/get, where that was asked for: only then the contact is told."""
        status = id_of(row.get("status_id"))
        more = {
            "department": _department(row),
            "closed_at": text_of(row.get("closed_at")),
            "leads": _ids(row.get("connected_lead_id")),
            "continued": list(_children(row)),
        }
        return LeadStatus(
            DEAL,
            id_of(row.get("id")),
            pipeline=id_of(row.get("pipeline_id")),
            step=id_of(row.get("stage_id")),
            step_name=text_of(row.get("stage_name")) or text_of(row.get("stage")),
            amount=self.amount(row),
            contact=_contact(id_of(row.get("client_id")), client) if client else {},
            **self._common(DEAL, row, matched, STATUSES.get(status, OPEN if status else ""), more),
        )

    def gone(self, record: str, remote_id: str, matched: str = "") -> LeadStatus:
        """What was there once, and is no more."""
        return LeadStatus(record, remote_id, gone=DELETED, matched=matched, link=self.link(record, remote_id))

    def link(self, record: str, remote_id: str) -> str:
        return f"{self.base_url}/{record}s/{remote_id}"

    def amount(self, deal: Row) -> Decimal | None:
        """The sum of its money fields: a deal has none of its own, as far as anybody saw."""
        if (told := money(deal.get("sum"))) is not None:
            return told
        sums = (money(one.get("value")) for one in rows_in(at(deal, "values", "custom")) if self._counts(one))
        found = [one for one in sums if one is not None]
        return sum(found, Decimal()) if found else None

    def _counts(self, value: Row) -> bool:
        if self.money_fields is None:
            return id_of(value.get("type_id")) == MONEY
        return id_of(value.get("input_id")) in self.money_fields

    def _common(
        self, record: str, row: Row, matched: str, status: str, details: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "status": status,
            "gone": "" if alive(row) else DELETED,
            "matched": matched,
            "performer": performer(row),
            "link": self.link(record, id_of(row.get("id"))),
            "changed_at": self._changed_at(row),
            "details": {key: value for key, value in details.items() if value},
        }

    def _changed_at(self, row: Row) -> datetime | None:
        names = ("created_at", "updated_at", "stage_updated_at", "deleted_at")
        moments = (moment(row.get(name), self.utc_offset_hours) for name in names)
        return max((one for one in moments if one), default=None)


def performer(row: Row) -> str:
    """The administrator is employee 0 with a user's id; nobody is 0 with none (reference 4.2)."""
    return id_of(row.get("employee_id")) or (ADMINISTRATOR if id_of(row.get("user_id")) else "")


def _contact(client_id: str, row: Row) -> dict[str, str]:
    """Name, phone and e-mail, of the row itself or of its service fields."""
    told = {"id": client_id}
    for name in ("name", "phone", "email"):
        told[name] = text_of(row.get(name)) or text_of(
            row_in(at(row, "values", "service", name)).get("value")
        )
    return {name: text for name, text in told.items() if text}


def _children(deal: Row) -> Iterator[dict[str, str]]:
    """Deals that were made from this one, bare ids among them."""
    told = deal.get("child_deals")
    for row in rows_in(told)[:MOST_CHILDREN]:
        yield {"id": id_of(row.get("id")), "pipeline": id_of(row.get("pipeline_id"))} | {
            "step": id_of(row.get("stage_id"))
        }
    for remote_id in _ids(told)[:MOST_CHILDREN]:
        yield {"id": remote_id}


def _ids(value: Any) -> list[str]:
    return [found for one in value if (found := id_of(one))] if isinstance(value, list) else []


def _department(row: Row) -> str:
    return id_of(row.get("department_id"))


# -- notices --------------------------------------------------------------------------------------------


def read_hook(form: Mapping[str, str]) -> ChangeNotice:
    """The leads that it names, and their deal; without any, whatever is followed there is worth a look."""
    leads = _named(form, LEAD_KEYS)
    return ChangeNotice(records=leads | _named(form, DEAL_KEYS)) if leads else ChangeNotice()


def _named(form: Mapping[str, str], names: re.Pattern[str]) -> frozenset[str]:
    told = (str(value).strip() for key, value in form.items() if names.fullmatch(key))
    return frozenset(text for text in told if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID)
