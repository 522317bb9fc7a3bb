"""`filter[...]` on the four entities: a paid option, silently ignored when it is off (reference 5.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from connectors.sandbox.amocrm.hal import Call
from connectors.sandbox.amocrm.model import Card
from connectors.sandbox.wire import group_query

Test = Callable[[Card], bool]
EXACT = ("id", "name", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
RANGES = ("price", "created_at", "updated_at", "closed_at", "closest_task_at")
_PARTS = re.compile(r"\[([^\]]*)\]")


def card_tests(call: Call) -> list[Test]:
    asked = {tuple(_PARTS.findall(k)): v for k, v in group_query(call.request.query, "filter").items()}
    if not call.account.is_api_filter_enabled:
        free = call.box.switches["filter_id_free"]
        asked = {parts: values for parts, values in asked.items() if free and parts[:1] == ("id",)}
    tests = [_test(parts, values) for parts, values in asked.items() if parts]
    return [test for test in (*tests, _status_test(asked)) if test is not None]


def _test(parts: tuple[str, ...], values: list[str]) -> Test | None:
    name = parts[0]
    if name in EXACT:
        return lambda card: str(card.id if name == "id" else card.props.get(name)) in values
    if name in RANGES:
        return _range(parts[-1], lambda card: card.props.get(name), values[0])
    if name == "custom_fields_values" and len(parts) > 1 and parts[1].isdigit():
        return _field_test(int(parts[1]), parts[2:], values)
    return None


def _field_test(field_id: int, rest: tuple[str, ...], values: list[str]) -> Test | None:
    def stored(card: Card) -> list[Any]:
        return [item.get("value") for item in card.values.get(field_id, [])]

    if rest[:1] in (("from",), ("to",)):
        return _range(rest[0], lambda card: next(iter(stored(card)), None), values[0])
    return lambda card: any(str(value) in values for value in stored(card))


def _range(side: str, read: Callable[[Card], Any], text: str) -> Test | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    if side not in ("from", "to"):
        return lambda card: read(card) == bound
    sign = 1 if side == "from" else -1
    return lambda card: read(card) is not None and sign * float(read(card)) >= sign * bound


def _status_test(asked: dict[tuple[str, ...], list[str]]) -> Test | None:
    pairs: dict[str, dict[str, int]] = {}
    for parts, values in asked.items():
        if parts[0] == "statuses" and len(parts) == 3 and values[0].isdigit():
            pairs.setdefault(parts[1], {})[parts[2]] = int(values[0])
    if not pairs:
        return None
    wanted = {(pair.get("pipeline_id"), pair.get("status_id")) for pair in pairs.values()}
    return lambda card: (card.props.get("pipeline_id"), card.props.get("status_id")) in wanted
