"""`filter[...]` on the four entities: a paid option, silently ignored when it is off (reference 5.2, 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.sandbox.amocrm.hal import Call
from connectors.sandbox.amocrm.model import Card, Field
from connectors.sandbox.php import is_array, map_of, to_text, values_of

Test = Callable[[Card], bool]
EXACT = ("id", "name", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
RANGES = ("price", "created_at", "updated_at", "closed_at", "closest_task_at")
CHOICES = ("select", "multiselect", "radiobutton")
SIDES = {"from": 1, "to": -1}


def texts_of(asked: Any) -> list[str]:
    """One value or an array of them, by index or by empty brackets, as texts."""
    return [to_text(value) for value in values_of(asked) if not is_array(value)]


def card_tests(call: Call) -> list[Test]:
    asked = call.filter
    if not call.account.is_api_filter_enabled:
        free = ("id",) if call.box.switches["filter_id_free"] else ()
        asked = {name: value for name, value in asked.items() if name in free}
    return [test for name, value in asked.items() for test in _tests(call, name, value)]


def _tests(call: Call, name: str, asked: Any) -> Iterator[Test]:
    if name in EXACT:
        wanted = texts_of(asked)
        yield lambda card: to_text(card.id if name == "id" else card.props.get(name)) in wanted
    elif name in RANGES:
        yield from _ranges(asked, lambda card: card.props.get(name))
    elif name == "statuses":
        pairs = [map_of(pair) for pair in values_of(asked)]
        wanted_pairs = {(to_text(p.get("pipeline_id")), to_text(p.get("status_id"))) for p in pairs}
        yield lambda card: _place(card) in wanted_pairs
    elif name == "custom_fields_values":
        for number, values in map_of(asked).items():
            if field := call.account.fields[call.kind].by_id.get(int(number) if number.isdigit() else 0):
                yield from _field_tests(call, field, values)


def _place(card: Card) -> tuple[str, str]:
    return to_text(card.props.get("pipeline_id")), to_text(card.props.get("status_id"))


def _field_tests(call: Call, field: Field, asked: Any) -> Iterator[Test]:
    """Choices are asked for by the id of the choice, checkboxes by 1 and 0. Phones and e-mails are not among
    the documented fields; what happens to several of them is a switch."""
    if is_array(asked) and SIDES.keys() & map_of(asked).keys():
        yield from _ranges(asked, lambda card: next(iter(_stored(card, field)), None))
        return
    wanted = texts_of(asked)
    if field.type == "multitext":
        rule = call.box.switches["filter_multitext"]
        if rule == "ignored":
            return
        wanted = wanted[:1] if rule == "first" else wanted
    yield lambda card: any(one in wanted for one in _asked_as(card, field))


def _asked_as(card: Card, field: Field) -> list[str]:
    """What a stored value is called in a filter."""
    if field.type in CHOICES:
        return [to_text(item.get("enum_id")) for item in card.values.get(field.id, [])]
    if field.type == "checkbox":
        return [str(int(bool(value))) for value in _stored(card, field)] or ["0"]
    return [to_text(value) for value in _stored(card, field)]


def _stored(card: Card, field: Field) -> list[Any]:
    return [item.get("value") for item in card.values.get(field.id, [])]


def _ranges(asked: Any, read: Callable[[Card], Any]) -> Iterator[Test]:
    """`[from]` and `[to]`, either or both; a plain number is asked for exactly. No number, no filter."""
    if not is_array(asked):
        if (exactly := _number(asked)) is not None:
            yield lambda card: read(card) == exactly
        return
    for side, bound in map_of(asked).items():
        number, sign = _number(bound), SIDES.get(side)
        if number is not None and sign:
            yield _beyond(read, number, sign)


def _beyond(read: Callable[[Card], Any], bound: float, sign: int) -> Test:
    return lambda card: read(card) is not None and sign * float(read(card)) >= sign * bound


def _number(text: Any) -> float | None:
    try:
        return float(to_text(text))
    except ValueError:
        return None
