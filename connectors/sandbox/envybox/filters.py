"""The wide filter of deals: by person, funnel, stage, inbox type, tag id and field (reference 4.3, 15)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, to_int
from connectors.sandbox.envybox.model import CLIENT, CUSTOM, DEAL, SERVICE, Card, Deal

LISTS = {"dealStages": "stage_id", "pipelines": "pipeline_id", "inboxTypes": "inbox_type_id"}


def fits(call: Call, deal: Deal) -> bool:
    wanted = call.object("filter")
    named = all(_among(wanted.get(name), getattr(deal, column)) for name, column in LISTS.items())
    return named and _person(wanted, deal) and _tagged(call, wanted, deal) and _inputs(call, wanted, deal)


def _among(numbers: Any, value: int) -> bool:
    return not numbers or value in map(to_int, numbers)


def _person(wanted: dict[str, Any], deal: Deal) -> bool:
    people = wanted.get("employees")
    users = people.get("users") if isinstance(people, dict) else None
    nobody = -1 in map(to_int, users or []) and not deal.employee_id
    return nobody or _among(users, deal.employee_id)


def _tagged(call: Call, wanted: dict[str, Any], deal: Deal) -> bool:
    ids = {call.crm.tag_id(name) for name in deal.tags}
    return not wanted.get("tags") or bool(ids & set(map(to_int, wanted["tags"])))


def _inputs(call: Call, wanted: dict[str, Any], deal: Deal) -> bool:
    asked = wanted.get("inputs")
    cards: dict[int, Card | None] = {CLIENT: call.crm.clients.get(deal.client_id), DEAL: deal}
    if not isinstance(asked, dict):
        return True
    return all(_card(call, asked.get(str(element)), element, card) for element, card in cards.items() if card)


def _card(call: Call, asked: Any, element: int, card: Card) -> bool:
    if not isinstance(asked, dict):
        return True
    service, custom = asked.get("service") or {}, asked.get("custom") or {}
    names = {str(one.id): one.name_id for one in call.crm.inputs[element, SERVICE].values()}
    own = {
        str(number): value
        for number, value in card.custom.items()
        if number in call.crm.inputs[element, CUSTOM]
    }
    return all(
        str(card.service.get(names.get(key, ""))) == str(value) for key, value in service.items()
    ) and all(str(own.get(key)) == str(value) for key, value in custom.items())
