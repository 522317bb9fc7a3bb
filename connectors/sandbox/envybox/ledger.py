"""The leads and deals an account holds, in words: for people, demo tables and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.core import Reply, Request
from connectors.sandbox.envybox.model import CLIENT, CUSTOM, DEAL, LEAD, Card, Crm, Deal, Lead
from connectors.sandbox.page import COLUMNS, document, lead_row, table

SHOWN = 200
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")


def ledger(crm: Crm) -> Iterator[dict[str, Any]]:
    """A row for each lead, with its deal once it has one, and for each deal that never was a lead."""
    for lead in crm.leads.values():
        parent = crm.leads.get(lead.parent_id)
        deals = (parent or lead).deals
        yield _lead_row(crm, lead, crm.deals[deals[-1]] if deals else None)
    for deal in crm.deals.values():
        if not deal.leads:
            yield _row(crm, deal, deal) | {"kind": "deal"}


def _lead_row(crm: Crm, lead: Lead, deal: Deal | None) -> dict[str, Any]:
    row = _row(crm, lead, deal)
    stage = crm.stage(lead.stage_id)
    if deal is None:
        line = crm.pipelines[lead.deal_pipeline_id]
        row |= {"pipeline_id": line.id, "pipeline": line.name, "step": stage.name if stage else ""}
    names = {name: lead.service[name] for name in ("name", "phone", "email") if lead.service.get(name)}
    more = {str(row.get("type")): row.get("value") for row in lead.contacts}
    return row | {
        "kind": "lead",
        "merged_into": lead.parent_id or None,
        "deal_id": deal.id if deal else None,
        "deal_pipeline": crm.pipelines[lead.deal_pipeline_id].name,
        "contact": names | more | (_client_fields(crm, deal) if deal else {}),
        "fields": _fields(crm, lead, LEAD) | (_fields(crm, deal, DEAL) if deal else {}),
        "tags": list(dict.fromkeys([*lead.tags, *(deal.tags if deal else [])])),
        "notes": _notes(crm, lead, deal),
        "tasks": _tasks(crm, deal),
    }


def _row(crm: Crm, card: Lead | Deal, deal: Deal | None) -> dict[str, Any]:
    stage = crm.stage(deal.stage_id) if deal else None
    inbox = crm.inbox_types.get(card.inbox_type_id)
    return {
        "id": card.id,
        "account": crm.subdomain,
        "account_id": crm.id,
        "name": card.service.get("name", ""),
        "pipeline_id": deal.pipeline_id if deal else None,
        "pipeline": crm.pipelines[deal.pipeline_id].name if deal else None,
        "step_id": deal.stage_id if deal else card.stage_id,
        "step": stage.name if stage else None,
        "responsible_id": (deal or card).employee_id or None,
        "responsible": _name_of(crm, (deal or card).employee_id),
        "created_at": card.created_at,
        "deleted": card.deleted_at is not None,
        "source": inbox.name if inbox else None,
        "utm": {name: card.service[name] for name in UTM if card.service.get(name)},
        "tags": list(card.tags),
        "fields": _fields(crm, card, DEAL) if isinstance(card, Deal) else {},
    }


def _fields(crm: Crm, card: Card, element: int) -> dict[str, Any]:
    known = crm.inputs[element, CUSTOM]
    return {known[number].name: value for number, value in card.custom.items() if number in known}


def _client_fields(crm: Crm, deal: Deal) -> dict[str, Any]:
    client = crm.clients.get(deal.client_id)
    return {"id": client.id} | _fields(crm, client, CLIENT) if client else {}


def _notes(crm: Crm, lead: Lead, deal: Deal | None) -> list[str]:
    of_deal = crm.logs_of.get((DEAL, deal.id), []) if deal else []
    said = [log.data["comment"] for log in of_deal if log.type_id == 2010 and log.data.get("comment")]
    own = crm.logs_of.get((LEAD, lead.id), [])
    texts = [lead.service.get("comment"), *(log.data.get("comment") for log in own), *said]
    return [str(text) for text in texts if text]


def _tasks(crm: Crm, deal: Deal | None) -> list[dict[str, Any]]:
    return [
        {
            "id": task.id,
            "text": task.comment,
            "due": task.time,
            "responsible": _name_of(crm, task.employee_id),
            "department": task.department_id or None,
            "done": task.success,
        }
        for task in crm.tasks
        if deal and task.deal_id == deal.id
    ]


def _name_of(crm: Crm, employee_id: int) -> str | None:
    person = crm.employees.get(employee_id)
    return f"{person.name} {person.surname}" if person else None


def front_page(crm: Crm, request: Request) -> Reply:
    """The front page lists leads and deals; /leads/<id> and /deals/<id> show one."""
    parts = [part for part in request.path.split("/") if part]
    if request.method != "GET":
        return Reply.html(404, document("Envybox", "<p>Страница не найдена.</p>"))
    rows = list(ledger(crm))
    if len(parts) == 2 and parts[0] in ("leads", "deals"):
        key = "id" if parts[0] == "leads" else "deal_id"
        rows = [row for row in rows if str(row.get(key) or row["id"]) == parts[1]]
    elif parts:
        rows = []
    if parts and not rows:
        return Reply.html(404, document("Envybox", "<p>Страница не найдена.</p>"))
    shown = [lead_row(row) for row in rows[: -SHOWN - 1 : -1]]
    return Reply.html(200, document(f"{crm.name}: заявки и сделки", table(COLUMNS, shown)))
