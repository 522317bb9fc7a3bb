"""The key that opens an account of Envybox travels in the address (reference 1.1); what is learned of it.

No address of a signed request may be written down, so exchanges are told before they are signed. The facts
are what deliveries and following need, and how first answers looked, as much of Envybox is UNCONFIRMED
(reference 9). ``shapes`` holds forms without values (``connectors.response_shape``), the first one seen:
``main_data`` (its wrapper, the array of employees), ``fields`` (a custom field of each type, by type),
``lead`` and ``deal`` (a row of a list).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.auth import Auth, PreparedRequest, Tokens
from connectors.envybox.client import Client, Row, account_in, flag_of, id_of, row_in
from connectors.envybox.lists import ELEMENTS, alive, fields_of
from connectors.errors import Refused, TryLater
from connectors.response_shape import sample

DEEP = 7  # levels, down to a stage within a pipeline within a wrapper
MOST_TYPES = 20


class ApiKey(Auth):
    """The key is kept as ``Tokens.access``; it never expires, its owner may make a new one."""

    def sign(self, request: PreparedRequest, tokens: Tokens) -> PreparedRequest:
        request.prepare_url(request.url, {"api_key": tokens.access})
        return request


def account_facts(body: Row, known: Row) -> dict[str, Any]:
    """Facts out of a whole answer of main/data, beside what is ``known``."""
    data = account_in(body)
    forms = {"main_data": sample(body, DEEP), "fields": dict(_types(data))}
    return {
        "user_id": id_of(data.get("user_id")),
        "money_fields": list(_money(data)),
        "shapes": {**forms, **shapes(known)},
    }


def row_shapes(client: Client, known: Row) -> dict[str, Any]:
    """The forms of a lead and of a deal, asked for until there was one to see."""
    ask: dict[str, Callable[[], Any]] = {
        "lead": lambda: row_in(client.leads.page(limit=1).get("result")),
        "deal": lambda: row_in(client.deals.page(limit=1).get("result")),
    }
    held = shapes(known)
    found = {name: _form(one) for name, one in ask.items() if name not in held}
    return {**held, **{name: form for name, form in found.items() if form}}


def shapes(facts: Row) -> dict[str, Any]:
    held = facts.get("shapes")
    return dict(held) if isinstance(held, Mapping) else {}


def money_fields(facts: Row) -> tuple[str, ...] | None:
    """Ids of deals' fields that make up a sum, in their order; None where the fields were never seen."""
    told = facts.get("money_fields")
    return tuple(map(str, told)) if isinstance(told, list) else None


def _form(ask: Callable[[], Any]) -> Any:
    """A curiosity: what can't be read now is read another time."""
    try:
        return sample(ask(), DEEP)
    except (Refused, TryLater):
        return None


def _money(data: Row) -> Iterator[str]:
    """Envybox itself says which fields count into the sum of a funnel."""
    for row in fields_of(data, "deal"):
        if alive(row) and flag_of(row.get("use_in_pipeline")) and id_of(row.get("id")):
            yield id_of(row["id"])


def _types(data: Row) -> Iterator[tuple[str, Any]]:
    """A field of each type: nobody has seen their table, nor where a list keeps its options."""
    seen = set[str]()
    for row in (row for element in ELEMENTS for row in fields_of(data, element)):
        kind = id_of(row.get("type_id"))
        if kind not in seen and len(seen) < MOST_TYPES:
            seen.add(kind)
            yield kind, sample(row)
