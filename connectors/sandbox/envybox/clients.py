"""Clients, their people and companies (reference 4.4)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, found, page
from connectors.sandbox.envybox.contacts import keys_of
from connectors.sandbox.envybox.conversion import add_client, reachable
from connectors.sandbox.envybox.errors import Refused, missing
from connectors.sandbox.envybox.model import Client, Contact
from connectors.sandbox.envybox.show import Writer
from connectors.sandbox.envybox.windows import within

MORE = (
    *("viber", "instagram", "whatsapp", "telegram", "vkontakte", "facebook", "skype", "note", "position"),
    *("work_phone", "home_phone", "birthday"),
)
COMPANY = (
    *("short_name", "inn", "full_name", "kpp", "ogrn", "legal_address", "postal_address"),
    *("general_manager", "bank_name", "bik", "payment_account", "correspondent_account"),
)


def list_clients(call: Call) -> dict[str, Any]:
    word = call.text("keyword").lower()
    rows = [
        client
        for client in call.crm.clients.values()
        if client.deleted_at is None and within(call, client.created_at) and word in _searched(client)
    ]
    writer, answer = Writer(call.crm, call.switches), page(rows, call)
    shown = []
    for client in answer["result"]:
        row = writer.client(client)
        shown.append(row | {"deals": {str(client.id): row["deals"]} if row["deals"] else []})
    more = {"keyword": call.text("keyword"), "all_ids": [one.id for one in rows], "max_colls_contacts": 1}
    more["max_colls_contacts"] = 1 if rows else 0
    return answer | more | {"result": shown}


def _searched(client: Client) -> str:
    return " ".join(map(str, (*client.service.values(), *client.custom.values(), *client.keys))).lower()


def get(call: Call) -> dict[str, Any]:
    return {"result": Writer(call.crm, call.switches).client(call.client())}


def create(call: Call) -> dict[str, Any]:
    """Only a name; contacts are added after."""
    if not call.text("name"):
        raise missing("name")
    client = add_client(call, call.text("name"))
    dates = Writer(call.crm, call.switches).dates(client)
    dates.pop("deleted_at")
    return {"result": {"client": {"id": client.id, "crm_id": call.crm.id, **dates}}}


def contacts(call: Call) -> dict[str, Any]:
    return {"result": {"contacts": Writer(call.crm, call.switches).contacts(call.client())}}


def add_contact(call: Call) -> dict[str, Any]:
    client = call.client()
    if not call.text("name"):
        raise missing("name")
    phones, emails = [call.text("phone")], [call.text("email")]
    if not (phones[0] or emails[0]):
        raise missing("phone")
    contact = Contact(call.crm.new_id(), client.id, call.text("name"), created_at=call.now)
    contact.phones, contact.emails = [one for one in phones if one], [one for one in emails if one]
    contact.more = {name: call.params[name] for name in MORE if call.has(name)}
    client.contacts.append(contact)
    reachable(call, client, keys_of(phones, emails))
    return {}


def companies(call: Call) -> dict[str, Any]:
    return {"result": {"companies": found(call.client(), "NO_CLIENT").companies}}


def add_company(call: Call) -> dict[str, Any]:
    client = call.client()
    for name in ("short_name", "inn"):
        if not call.has(name):
            raise missing(name)
    if len(call.text("inn")) > 12:
        raise Refused("BAD_REQUEST")
    row: dict[str, Any] = {name: call.params.get(name) for name in COMPANY}
    row |= {"id": call.crm.new_id(), "crm_id": call.crm.id, "crm_element_id": 2, "element_id": client.id}
    row["primary"] = not client.companies
    client.companies.append(row)
    return {"result": row}
