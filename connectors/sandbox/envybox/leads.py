"""Leads: found, read, listed, changed (reference 4.2)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, page
from connectors.sandbox.envybox.contacts import keys_of
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.inputs import set_values
from connectors.sandbox.envybox.model import LEAD, Lead
from connectors.sandbox.envybox.show import Writer
from connectors.sandbox.envybox.windows import within

DATES = {"created": "created_at", "updated": "updated_at", "stage_changed": "stage_updated_at"}


def get(call: Call) -> dict[str, Any]:
    """A merged lead is shown as it is, with the deals of the one it was merged into."""
    lead = call.lead()
    row = Writer(call.crm, call.switches).lead(lead)
    if lead.parent_id:
        row["deals"] = [str(deal) for deal in call.crm.leads[lead.parent_id].deals]
    return {"result": row}


def search(call: Call) -> dict[str, Any]:
    """One lead that nobody took into work yet, or null."""
    keys = keys_of([call.params.get("phone")], [call.params.get("email")])
    numbers = sorted({number for key in keys for number in call.crm.leads_of.get(key, ())})
    waiting = [call.crm.leads[number] for number in numbers]
    waiting = [lead for lead in waiting if not (lead.deals or lead.parent_id or lead.deleted_at)]
    if not waiting:
        return {"leads": None}
    return {"leads": Writer(call.crm, call.switches).lead(waiting[0]) | {"lead_id": waiting[0].id}}


def list_leads(call: Call) -> dict[str, Any]:
    word, kind = call.text("keyword").lower(), call.text("date_type") or "created"
    stages = call.ids("stage_id")
    rows = [
        lead
        for lead in call.crm.leads.values()
        if lead.deleted_at is None
        and (not stages or lead.stage_id in stages)
        and within(call, _date(lead, kind))
        and (not word or word in _searched(call, lead))
    ]
    writer = Writer(call.crm, call.switches)
    answer = page(rows, call)
    answer["result"] = [writer.lead(lead) for lead in answer["result"]]
    more = {"keyword": call.text("keyword"), "dateType": "period", "dateSelectType": kind}
    return {"leads": {**more, **answer, "all_ids": [lead.id for lead in rows]}}


def _date(lead: Lead, kind: str) -> float | None:
    if kind == "closed":
        return lead.stage_updated_at if lead.deals else None
    at: float = getattr(lead, DATES.get(kind, "created_at"))
    return at or lead.created_at


def _searched(call: Call, lead: Lead) -> str:
    """Fields and contacts; whether the comment belongs to them nobody says (INF)."""
    service = {k: v for k, v in lead.service.items() if k != "comment" or call.switches["keyword_comment"]}
    contacts = [row.get("value") for row in lead.contacts]
    return " ".join(str(one) for one in (*service.values(), *lead.custom.values(), *contacts)).lower()


def update_values(call: Call) -> dict[str, Any]:
    lead = call.crm.leads.get(call.number("lead_id"))
    if lead is None:
        raise Refused("BAD_REQUEST")
    lead = call.crm.leads[lead.parent_id] if lead.parent_id else lead
    set_values(call, lead, LEAD)
    return {}


def update_employee(call: Call) -> dict[str, Any]:
    lead = call.lead()
    if call.has("department_id"):
        lead.department_id = call.number("department_id")
    elif call.number("employee_id") in call.crm.employees:
        lead.employee_id, lead.user_id = call.number("employee_id"), call.crm.user_id
    else:
        raise Refused("BAD_REQUEST")
    lead.updated_at = call.now
    return {"lead_id": lead.id, "employee_id": lead.employee_id, "crm_id": call.crm.id}
