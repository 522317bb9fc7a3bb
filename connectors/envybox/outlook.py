"""Rows of leads and deals as what became of a lead (reference 3, 7.6). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.crm_values import moment, money
from connectors.envybox.answers import at, id_of, row_in, rows_in
from connectors.envybox.lists import ADMINISTRATOR
from connectors.envybox.overview import alive
from connectors.lead_status import LOST, OPEN, WON, LeadStatus

LEAD, DEAL = "lead", "deal"
DELETED = "deleted"
STATUSES = {"2003": WON, "2004": LOST}
MONEY = "9"  # the type of money fields (reference 2)
MOST_CHILDREN = 20
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How one account's rows are read: its address, its clock, and its fields of money.

    ``money_fields`` are those that Envybox counts into a funnel's sum; None where we never saw the fields.
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
            step_name=_text(row.get("stage")),
            contact=_contact("", row),
            **self._common(LEAD, row, matched, OPEN, place),
        )

    def deal(self, row: Row, matched: str = "", client: Row | None = None) -> LeadStatus:
        """``client`` is its row of client/get, where that was asked for: only then the contact is told."""
        status = id_of(row.get("status_id"))
        more = {
            "department": _department(row),
            "closed_at": _text(row.get("closed_at")),
            "leads": _ids(row.get("connected_lead_id")),
            "continued": list(_children(row)),
        }
        return LeadStatus(
            DEAL,
            id_of(row.get("id")),
            pipeline=id_of(row.get("pipeline_id")),
            step=id_of(row.get("stage_id")),
            step_name=_text(row.get("stage_name")) or _text(row.get("stage")),
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
        told[name] = _text(row.get(name)) or _text(row_in(at(row, "values", "service", name)).get("value"))
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


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value).strip()
