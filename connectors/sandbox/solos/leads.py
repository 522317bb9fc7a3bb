"""API v1: one address to write, one to read; the module is named in the body (reference 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox.core import Reply
from connectors.sandbox.solos.call import Call, uint
from connectors.sandbox.solos.errors import not_found, wrong
from connectors.sandbox.solos.model import Account, Lead, Row
from connectors.sandbox.solos.moments import moment
from connectors.sandbox.solos.shapes import as_strings, created

LIMITS = {"name": 100, "phone": 50, "email": 100, "comment": 1000}
LEAD_KEYS = ("user_id", "name", "phone", "email", "reference_id", "comment", "extra")
CONTACT_KEYS = ("client_id", "name", "phone_1", "email_1", "position", "comment")
Happened = Callable[[Account, str, str, int], None]


def write(call: Call, happened: Happened) -> Reply:
    """W1. There is no idempotency: the same body twice makes two (6.22)."""
    module, payload = call.text("module"), call.params.get("payload")
    if not isinstance(payload, dict):
        raise wrong("payload is missing")
    makers = {"leads": make_lead, "contacts": _make_contact}
    if module not in makers:
        raise wrong(f"no such module: {module}")
    number = makers[module](call, payload)
    happened(call.account, f"{module}.add", module, number)
    return created(call, number)


def read(call: Call) -> Reply:
    """W2: the rows are always under ``payload``."""
    module = call.text("module")
    if module not in READERS or (module == "leads" and not call.switches["leads_readable"]):
        raise wrong(f"no such module: {module}")
    order = call.text("order", "asc")
    if order not in ("asc", "desc"):
        raise wrong("order is asc or desc")
    rows = sorted(READERS[module](call.account), key=lambda row: int(row["id"]), reverse=order == "desc")
    offset = call.number("offset")
    page = rows[offset : offset + call.number("count", call.switches["default_count"])]
    return Reply.json(200, {"payload": as_strings(page) if call.switches["numbers"] == "strings" else page})


def make_lead(call: Call, payload: Mapping[str, Any]) -> int:
    """The seven keys of the vendor's sample and whatever is in ``extra``."""
    kept = {key: payload[key] for key in LEAD_KEYS if key in payload}
    if not isinstance(kept.get("extra", {}), dict):
        raise wrong("extra is an object")
    for key, most in LIMITS.items():
        kept[key] = _fit(call, key, kept.get(key), most)
    number = call.account.next("lead")
    call.account.leads[number] = Lead(number, moment(call.now), kept)
    return number


def _fit(call: Call, key: str, value: Any, most: int) -> str:
    text = "" if value is None else str(value)
    mood = call.switches["too_long"]
    if len(text) <= most or mood == "store":
        return text
    if mood == "reject":
        raise wrong(f"{key} is longer than {most} characters")
    return text[:most]


def _make_contact(call: Call, payload: Mapping[str, Any]) -> int:
    client = uint(payload.get("client_id"), "client_id")
    if client not in call.account.clients:
        raise not_found(f"no such client: {client}")
    number = call.account.next("contact")
    kept = {key: payload.get(key) for key in CONTACT_KEYS}
    call.account.contacts[number] = {"id": number, "bday": None, **kept}
    return number


# -- what can be read ---------------------------------------------------------------------------------


def _calendar(account: Account) -> list[Row]:
    names = ("id", "category", "name", "description", "all_day", "start", "end")
    return [{name: row[name] for name in names} for row in account.calendar]


def _birthdays(account: Account) -> list[Row]:
    return [
        {"id": row["id"], "name": row["name"], "bday": row["bday"], "client": _client(account, row)}
        for row in account.contacts.values()
        if row["bday"]
    ]


def _client(account: Account, row: Row) -> str:
    return str(account.clients[int(row["client_id"])]["name"])


def _leads(account: Account) -> list[Row]:
    return [
        {"id": lead.id, "created": lead.created, "project_id": lead.project_id, **lead.payload}
        for lead in account.leads.values()
        if not lead.deleted
    ]


READERS: dict[str, Callable[[Account], list[Row]]] = {
    "calendar": _calendar,
    "contacts/birthdays": _birthdays,
    "leads": _leads,
}
