"""The same leads by public Bitrix24 clients: companies, contacts, deals. Neither looks anybody up.

fast-bitrix24 makes batches of 50 by itself and sends many at once. b24pysdk, the vendor's own, is used as its
guide shows first: one call after the other. It has https hard-coded (reference 8.1), hence the one patch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from b24pysdk import BitrixWebhook
from b24pysdk.errors import BitrixAPIServiceUnavailable
from fast_bitrix24 import BitrixAsync

for chatty in ("fast_bitrix24", "b24pysdk"):
    logging.getLogger(chatty).setLevel(logging.ERROR)

PORTION = 250  # five requests at once
Person = dict[str, Any]
Ids = Sequence[Any]


def company_of(person: Person) -> dict[str, Any]:
    return {"fields": {"TITLE": person["company"]}}


def contact_of(person: Person, company: Any = None) -> dict[str, Any]:
    links = {"COMPANY_ID": company} if company else {}
    return {"fields": {"NAME": person["name"], "PHONE": [{"VALUE": person["phone"]}], **links}}


def deal_of(person: Person, contact: Any, company: Any = None) -> dict[str, Any]:
    links = {"COMPANY_ID": company} if company else {}
    return {"fields": {"TITLE": person["name"], "CONTACT_IDS": [contact], **links}}


def fast_bitrix24(hook: str, people: Sequence[Person]) -> None:
    asyncio.run(_fast(hook, people))


async def _fast(hook: str, people: Sequence[Person]) -> None:
    """A portion at a time: with 40 requests at once against a full bucket it gave up after its ten tries."""
    client = BitrixAsync(hook, verbose=False, request_pool_size=1)
    for start in range(0, len(people), PORTION):
        await _portion(client, people[start : start + PORTION])


async def _portion(client: BitrixAsync, people: Sequence[Person]) -> None:
    """A call for all companies, one for all contacts, one for all deals; answers are taken as in order."""
    named = [person for person in people if person.get("company")]
    made = await client.call("crm.company.add", [company_of(person) for person in named]) if named else []
    companies = {person["phone"]: one for person, one in zip(named, made, strict=True)}
    pairs = [(person, companies.get(person["phone"])) for person in people]
    contacts = await client.call("crm.contact.add", [contact_of(*pair) for pair in pairs])
    deals = zip(pairs, contacts, strict=True)
    await client.call("crm.deal.add", [deal_of(person, one, company) for (person, company), one in deals])


def b24pysdk(hook: str, people: Sequence[Person]) -> None:
    """One call after the other; what stays refused after the client's own tries is called once more."""
    callers = import_module("b24pysdk.api.callers.call_method")
    callers._MethodCaller._base_url = property(lambda self: f"http://{self._domain}/rest")
    parts = urlsplit(hook)
    portal = BitrixWebhook(domain=parts.netloc, webhook_token=parts.path.removeprefix("/rest/").strip("/"))

    def call(method: str, params: dict[str, Any]) -> Any:
        while True:
            try:
                return portal.call_method(method, params)["result"]
            except BitrixAPIServiceUnavailable:
                continue

    for person in people:
        company = call("crm.company.add", company_of(person)) if person.get("company") else None
        contact = call("crm.contact.add", contact_of(person, company))
        call("crm.deal.add", deal_of(person, contact, company))
