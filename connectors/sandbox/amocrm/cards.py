"""Reading leads, contacts, companies, customers: lists, search, order (reference 3.1, 4.3, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connectors.sandbox.amocrm.filters import card_tests
from connectors.sandbox.amocrm.hal import NO_CONTENT, Call, hal, page, problem
from connectors.sandbox.amocrm.model import Card, Table
from connectors.sandbox.amocrm.values import view
from connectors.sandbox.amocrm.writes import customers_open
from connectors.sandbox.core import Reply

COMMON = (
    "id", "name", "responsible_user_id", "group_id", "created_by", "updated_by", "created_at", "updated_at",
)  # fmt: skip
OWN = {
    "leads": ("price", "status_id", "pipeline_id", "loss_reason_id", "closed_at", "score", "labor_cost"),
    "contacts": ("first_name", "last_name"),
    "companies": (),
    "customers": ("next_price", "next_date", "status_id", "periodicity", "ltv"),
}
ORDERS = {"leads": ("created_at", "updated_at", "id")}
OTHER_ORDERS = ("updated_at", "id")


def listing(call: Call) -> Reply:
    customers_open(call)
    deepest, number = call.box.switches["deepest_page"], call.request.params.get("page", "1")
    if deepest and number.isdigit() and int(number) > deepest:
        return NO_CONTENT if call.box.switches["deep_page"] == "204" else problem(400, "Page is too deep")
    return page(call, call.kind, _found(call), lambda card: card_view(call, card))


def one(call: Call) -> Reply:
    """An unknown id gives 204 (or 404, by switch)."""
    customers_open(call)
    card = call.account.card(call.kind, call.id)
    if card is None or card["is_deleted"]:
        return NO_CONTENT if call.box.switches["missing_card"] == "204" else problem(404, "Not Found")
    return hal(card_view(call, card))


def no_delete(call: Call) -> Reply:
    """Deleting is an act of the interface: there is no DELETE in the API (reference 4.3)."""
    return problem(405, "Method Not Allowed")


def _found(call: Call) -> Iterator[Card]:
    deleted = call.kind == "leads" and call.wants("only_deleted")
    tests = card_tests(call)
    if call.kind == "leads" and (delay := call.box.switches["list_delay"]) and "id" not in call.filter:
        tests.append(lambda card: card["created_at"] <= call.box.clock.now() - delay)
    for card in _candidates(call, call.account.tables[call.kind]):
        if card["is_deleted"] == deleted and not card.hidden and all(test(card) for test in tests):
            yield card


def _candidates(call: Call, table: Table) -> Iterable[Card]:
    key, backwards = _order(call)
    if query := call.request.params.get("query", "").strip():
        until = call.box.clock.now() - call.box.switches["index_delay"]
        return table.search(query, until, _sort_key(key), backwards)
    if key == "id":
        return (table[number] for number in (reversed(table) if backwards else table))
    if key == "created_at":
        pairs = reversed(table.created) if backwards else table.created
        return (table[number] for _, number in pairs)
    return table.by_change(backwards)


def _sort_key(key: str) -> Any:
    if key == "id":
        return lambda card: card.id
    return lambda card: (card.props[key], card.id)


def _order(call: Call) -> tuple[str, bool]:
    for key, way in call.order.items():
        if key in ORDERS.get(call.kind, OTHER_ORDERS):
            return key, way == "desc"
    return "id", False


def card_view(call: Call, card: Card) -> dict[str, Any]:
    body: dict[str, Any] = {"id": card.id}
    body |= {key: card.props.get(key) for key in (*COMMON[1:], *OWN[card.kind])}
    body |= {"closest_task_at": None, "is_deleted": card["is_deleted"], "account_id": call.account.id}
    body["custom_fields_values"] = view(call.account, card.kind, card.values)
    if card.kind == "leads" and call.wants("source_id"):
        body["source_id"] = None
    if card.kind == "contacts":
        body["is_unsorted"] = card.hidden
    body["_links"] = call.href(f"/api/v4/{card.kind}/{card.id}")
    body["_embedded"] = _embedded(call, card)
    return body


def _embedded(call: Call, card: Card) -> dict[str, Any]:
    names = call.account.tags[card.kind].by_id
    tags = [
        {"id": number, "name": names[number].name, "color": names[number].color}
        for number in card.tags
        if number in names
    ]
    found: dict[str, Any] = {"tags": tags}
    if card.kind != "companies":
        found["companies"] = [_linked(call, card, "companies", number) for number in card.linked("companies")]
    for kind in ("contacts", "leads", "customers"):
        if kind != card.kind and call.wants(kind):
            found[kind] = [_linked(call, card, kind, number) for number in card.linked(kind)]
    if card.kind == "leads" and call.wants("loss_reason"):
        number = card["loss_reason_id"]
        reasons = call.account.loss_reasons
        found["loss_reason"] = [{"id": number, "name": reasons[number]}] if number in reasons else []
    return found


def _linked(call: Call, card: Card, kind: str, number: int) -> dict[str, Any]:
    body: dict[str, Any] = {"id": number}
    if kind == "contacts":
        body["is_main"] = bool(card.links[(kind, number)].get("is_main"))
    return body | {"_links": call.href(f"/api/v4/{kind}/{number}")}
