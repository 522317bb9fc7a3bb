"""POST and PATCH of leads, contacts, companies and customers (reference 4.1, 4.3, 4.4)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.amocrm.drafts import Draft, Reader
from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.hal import Call, hal, problem, refuse
from connectors.sandbox.amocrm.model import Card
from connectors.sandbox.amocrm.store import create, update
from connectors.sandbox.core import Reply

Row = dict[str, Any]


def request_id(row: Any, index: int) -> str:
    """Echoed, or the item's index; a correlation id, never an idempotency key."""
    return str(row.get("request_id", index)) if isinstance(row, dict) else str(index)


def customers_open(call: Call) -> None:
    """Customers are a feature of the tariff, off by default (reference 4.4)."""
    mode = call.box.customers_mode(call.account)
    if call.kind != "customers" or mode not in ("unavailable", "disabled"):
        return
    code = 425 if mode == "unavailable" else 426
    if call.box.switches["customers_error"] == "http":
        raise refuse(code, "Customers are not available")
    raise refuse(403, "Customers are not available", code=code)


def add(call: Call) -> Reply:
    customers_open(call)
    reader = Reader(call.account, call.box.switches)
    drafts, wrong = [], []
    for index, row in enumerate(call.rows()):
        errors = Errors(request_id(row, index))
        draft = reader.read(call.kind, row, errors)
        check_embedded(call, draft, errors)
        _check_customer(call, draft, errors)
        drafts.append((draft, errors))
        wrong += [errors] if errors else []
    if wrong and call.box.switches["batch_atomic"]:
        return validation_failed(wrong)
    made = [_made(call, draft) for draft, errors in drafts if not errors]
    return validation_failed(wrong) if wrong else collection(call, made)


def _made(call: Call, draft: Draft) -> Row:
    card = create(call, draft)
    attach(call, card, draft)
    return {"id": card.id, "request_id": draft.request_id, "_links": card_links(call, card)}


def card_links(call: Call, card: Card) -> dict[str, dict[str, str]]:
    return call.href(f"/api/v4/{card.kind}/{card.id}")


def collection(call: Call, rows: list[Row], kind: str | None = None) -> Reply:
    return hal({"_links": call.href(call.request.path), "_embedded": {kind or call.kind: rows}})


def check_embedded(call: Call, draft: Draft, errors: Errors) -> None:
    """A plain lead takes existing contacts and companies only, by id (reference 4.3); no metadata."""
    if "metadata" in draft.embedded:
        errors.add("FieldNotExpected", "This field was not expected.", "_embedded", "metadata")
    for kind, allowed in (("contacts", {"id", "is_main"}), ("companies", {"id"})):
        items = draft.embedded.get(kind) or []
        with errors.under("_embedded", kind):
            if not isinstance(items, list):
                errors.add("InvalidType", "This value should be of type array.")
                continue
            for index, item in enumerate(items):
                with errors.under(index):
                    check_existing(call, kind, item, allowed, errors)


def check_existing(call: Call, kind: str, item: Any, allowed: set[str], errors: Errors) -> None:
    if not isinstance(item, dict):
        errors.add("InvalidType", "This value should be of type array.")
        return
    for key in item.keys() - allowed:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    card = call.account.card(kind, item.get("id"))
    if card is None or card["is_deleted"]:
        errors.no_choice("id")


def _check_customer(call: Call, draft: Draft, errors: Errors) -> None:
    if draft.kind != "customers":
        return
    if "name" not in draft.props:
        errors.add("FieldMissing", "This field is missing.", "name")
    if call.account.customers_mode == "periodicity" and "next_date" not in draft.props:
        errors.add("FieldMissing", "This field is missing.", "next_date")


def attach(call: Call, card: Card, draft: Draft) -> None:
    for kind in ("contacts", "companies"):
        for index, item in enumerate(draft.embedded.get(kind) or []):
            other = call.account.tables[kind][item["id"]]
            main = {"is_main": item.get("is_main", index == 0)} if kind == "contacts" else {}
            call.account.link(card, other, **main)


# -- PATCH: an object for one, an array for many -----------------------------------------------------


def change_one(call: Call) -> Reply:
    customers_open(call)
    card = call.account.card(call.kind, call.id)
    if card is None or card["is_deleted"]:
        return problem(404, "Not Found")
    row = call.object()
    errors = Errors("0")
    draft = Reader(call.account, call.box.switches).read(call.kind, row, errors, old=card)
    check_embedded(call, draft, errors)
    if errors:
        return validation_failed([errors])
    return hal(_changed(call, card, draft))


def change_many(call: Call) -> Reply:
    customers_open(call)
    reader = Reader(call.account, call.box.switches)
    drafts, wrong = [], []
    for index, row in enumerate(call.rows()):
        errors = Errors(request_id(row, index))
        card = call.account.card(call.kind, row.get("id"))
        if card is None:
            errors.no_choice("id")
        else:
            drafts.append((card, reader.read(call.kind, row, errors, old=card)))
            check_embedded(call, drafts[-1][1], errors)
        wrong += [errors] if errors else []
    if wrong:
        return validation_failed(wrong)
    rows = [_changed(call, card, draft) | {"request_id": draft.request_id} for card, draft in drafts]
    return collection(call, rows)


def _changed(call: Call, card: Card, draft: Draft) -> Row:
    update(call, card, draft)
    attach(call, card, draft)
    return {"id": card.id, "updated_at": card["updated_at"], "_links": card_links(call, card)}


def customers_mode(call: Call) -> Reply:
    call.admin_only()
    wanted = call.object()
    if wanted.get("mode") not in ("segments", "periodicity"):
        raise refuse(400, "Invalid request body")
    if call.account.customers_mode == "unavailable":
        customers_open(call)
    call.account.customers_mode = wanted["mode"] if wanted.get("is_enabled", True) else "disabled"
    return hal({"mode": wanted["mode"], "is_enabled": call.account.customers_mode != "disabled"})
