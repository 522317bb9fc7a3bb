"""A lead's card read as how it stands (pure; reference 3.3, 4.3).

amocrm.ru/developers/content/crm_platform/leads-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.amocrm import lists
from connectors.amocrm.people import embedded
from connectors.amocrm.recovery import found
from connectors.lead_status import LOST, OPEN, WON, LeadStatus
from connectors.text import text_of

LEAD, DELETED = "lead", "deleted"
CLOSED = {str(lists.WON): WON, str(lists.LOST): LOST}  # the same in every pipeline
Row = Mapping[str, Any]


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


def standing(
    card: Row, contact: Row | None, names: Names, currency: str, base_url: str, matched: str = ""
) -> LeadStatus:
    """``contact`` is the main one's card, where it could be read. Money is in the account's currency."""
    remote_id, pipeline, step = (text_of(card.get(name)) for name in ("id", "pipeline_id", "status_id"))
    return LeadStatus(
        record=LEAD,
        record_id=remote_id,
        status=CLOSED.get(step, OPEN),
        gone=DELETED if card.get("is_deleted") else "",
        matched=matched,
        pipeline=pipeline,
        pipeline_name=names.pipelines.get(pipeline, ""),
        step=step,
        step_name=names.steps.get((pipeline, step), ""),
        performer=text_of(card.get("responsible_user_id")),
        amount=amount(card.get("price")),
        currency=currency,
        contact=person(found(card).contact, contact),
        link=link(base_url, remote_id),
        changed_at=moment(card.get("updated_at")),
        details=details(card),
    )


def gone(remote_id: str, base_url: str) -> LeadStatus:
    """A lead that is not there any more, nor another one that carries its mark."""
    return LeadStatus(record=LEAD, record_id=remote_id, gone=DELETED, link=link(base_url, remote_id))


def link(base_url: str, remote_id: str) -> str:
    return f"{base_url}/leads/detail/{remote_id}"


def person(remote_id: str, card: Row | None) -> dict[str, str]:
    """Her first phone and first e-mail are the ones that amoCRM shows."""
    told = {"id": remote_id}
    if card:
        told |= {
            "name": text_of(card.get("name")),
            "phone": first(card, "PHONE"),
            "email": first(card, "EMAIL"),
        }
    return {name: value for name, value in told.items() if value}


def first(card: Row, code: str) -> str:
    values = (
        str(value.get("value") or "")
        for one in card.get("custom_fields_values") or []
        if one.get("field_code") == code
        for value in one.get("values") or []
    )
    return next((value for value in values if value), "")


def details(card: Row) -> dict[str, str]:
    closed = moment(card.get("closed_at"))
    reason = next(iter(embedded(card, "loss_reason")), {})
    told = {
        "name": text_of(card.get("name")),
        "closed_at": closed.isoformat() if closed else "",
        "loss_reason": text_of(reason.get("name")),
    }
    return {name: value for name, value in told.items() if value}


def amount(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def moment(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value), UTC) if value else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
