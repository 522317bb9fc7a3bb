"""The leads an account holds, in words: for people, demo tables and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors.sandbox.amocrm.hal import problem
from connectors.sandbox.amocrm.model import Account, Card
from connectors.sandbox.core import Reply, Request
from connectors.sandbox.page import COLUMNS, document, lead_row, table

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.sandbox import AmoSandbox


def ledger(account: Account) -> Iterator[dict[str, Any]]:
    return (row(account, lead) for lead in account.leads.values())


def row(account: Account, lead: Card) -> dict[str, Any]:
    pipeline = account.pipelines.get(lead["pipeline_id"])
    status = pipeline.status(lead["status_id"]) if pipeline else None
    responsible = account.users.get(lead["responsible_user_id"])
    customers = [number for contact in lead.linked("contacts") for number in _customers(account, contact)]
    return {
        "id": lead.id,
        "account": account.subdomain,
        "account_id": account.id,
        "name": lead["name"],
        "price": lead["price"],
        "pipeline_id": lead["pipeline_id"],
        "pipeline": pipeline.name if pipeline else None,
        "step_id": lead["status_id"],
        "step": status.name if status else None,
        "responsible_id": lead["responsible_user_id"],
        "responsible": responsible.name if responsible else None,
        "created_at": lead["created_at"],
        "deleted": lead["is_deleted"],
        "incoming": lead.incoming,
        "contact": _person(account, "contacts", lead),
        "company": _person(account, "companies", lead),
        "customers": customers,
        "tags": _tags(account, lead),
        "fields": _fields(account, lead),
        "notes": _notes(account, lead),
        "tasks": _tasks(account, lead),
    }


def _customers(account: Account, contact_id: int) -> list[int]:
    linked: list[int] = account.contacts[contact_id].linked("customers")
    return linked


def _person(account: Account, kind: str, lead: Card) -> dict[str, Any] | None:
    numbers = lead.linked(kind)
    if not numbers:
        return None
    main = lead.main_contact() if kind == "contacts" else None
    card = account.tables[kind][main or numbers[0]]
    tags = {"tags": ", ".join(_tags(account, card))}
    return {"id": card.id, "name": card["name"], **_fields(account, card), **tags}


def _tags(account: Account, card: Card) -> list[str]:
    names = account.tags[card.kind].by_id
    return [names[number].name for number in card.tags if number in names]


def _fields(account: Account, card: Card) -> dict[str, Any]:
    fields, found = account.fields[card.kind].by_id, {}
    for number, values in card.values.items():
        if number in fields:
            shown = [value.get("value") for value in values]
            found[fields[number].name] = shown[0] if len(shown) == 1 else shown
    return found


def _notes(account: Account, card: Card) -> list[str]:
    notes = (account.notes[number] for number in account.notes_of.get((card.kind, card.id), []))
    return [str(note.params.get("text", note.note_type)) for note in notes]


def _tasks(account: Account, card: Card) -> list[dict[str, Any]]:
    return [
        {
            "id": task.id,
            "text": task.text,
            "due": task.complete_till,
            "responsible": account.users[task.responsible_user_id].name,
            "type": account.task_types.get(task.task_type_id),
            "done": task.is_completed,
        }
        for task in account.tasks.values()
        if (task.entity_type, task.entity_id) == (card.kind, card.id)
    ]


def lead_page(box: AmoSandbox, account: Account, request: Request) -> Reply:
    """/leads/detail/<id> as the interface has it, and the account's leads on its front page."""
    kind, _, number = request.path.strip("/").rpartition("/")
    if request.method != "GET" or (request.path not in ("/", "/leads") and kind != "leads/detail"):
        return problem(404, f"Cannot {request.method} {request.url}")
    if kind != "leads/detail":
        newest = list(account.leads.values())[:-201:-1]
        rows = [lead_row(row(account, lead)) for lead in newest]
        return Reply.html(200, document(f"{account.name}: сделки", table(COLUMNS, rows)))
    lead = account.leads.get(int(number)) if number.isdigit() else None
    if lead is None:
        return Reply.html(404, document("amoCRM", "<p>Сделка не найдена.</p>"))
    return Reply.html(200, document(f"Сделка {lead.id}", table(COLUMNS, [lead_row(row(account, lead))])))
