"""Filters, order and pages over records (reference 2.6, 5.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.bitrix24.call import PAGE, Call, Outcome
from connectors.sandbox.bitrix24.moments import read_moment
from connectors.sandbox.bitrix24.specs import Spec
from connectors.sandbox.bitrix24.store import INDEXED, Record, Table
from connectors.sandbox.bitrix24.views import value_of
from connectors.sandbox.php import to_int, to_text, values_of

_KEY = re.compile(r"^(!=%|!%|!@|!=|!|>=|<=|>|<|=%|%=|=|%|@)?(.*)$")
NUMBERS = ("integer", "user", "employee", "enumeration", "crm_category")
LINKS = ("crm_contact", "crm_company", "crm_lead", "crm_deal")


@dataclass(frozen=True)
class Condition:
    sign: str
    spec: Spec
    values: tuple[Any, ...]

    @property
    def is_equality(self) -> bool:
        return self.sign in ("", "=", "@")


def split_key(key: str) -> tuple[str, str]:
    match = _KEY.match(key.strip())
    return (match.group(1) or "", match.group(2)) if match else ("", key)


def condition(call: Call, sign: str, spec: Spec, raw: Any) -> Condition:
    given = values_of(raw) if isinstance(raw, dict | list) else [raw]
    return Condition(sign, spec, tuple(_comparable(call, spec, value) for value in given))


def _comparable(call: Call, spec: Spec, value: Any) -> Any:
    if spec.type in NUMBERS or spec.type in LINKS:
        return to_int(value)
    if spec.type == "double":
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", str(value)) else 0.0
    if spec.type in ("date", "datetime"):
        moment = read_moment(call.portal, value)
        return moment.isoformat() if moment else ""
    if spec.type in ("char", "boolean"):
        return value in (True, 1, "1", "Y", "y", "true")
    return to_text(value)


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda mine, asked: mine == asked,
    ">": lambda mine, asked: mine > asked,
    "<": lambda mine, asked: mine < asked,
    ">=": lambda mine, asked: mine >= asked,
    "<=": lambda mine, asked: mine <= asked,
    "%": lambda mine, asked: str(asked).strip("%").casefold() in str(mine).casefold(),
}


# sign: is it negated, and the comparison
PLAIN_SIGNS = {
    **dict.fromkeys(("", "=", "@"), (False, "")),
    **dict.fromkeys(("!", "!=", "!@"), (True, "")),
    **dict.fromkeys(("%", "=%", "%="), (False, "%")),
    **dict.fromkeys(("!%", "!=%", "!%="), (True, "%")),
}


def holds(record: Record, test: Condition) -> bool:
    negated, sign = PLAIN_SIGNS.get(test.sign, (False, test.sign))
    compare = SIGNS[sign]
    if test.spec.type == "crm_multifield":
        stored: list[Any] = record.communications(test.spec.name)  # exact text, not normalised (7)
    else:
        stored = values_of(value_of(record, test.spec.name)) or [_nothing(test)]
    return negated != any(compare(mine, asked) for mine in stored for asked in test.values)


def _nothing(test: Condition) -> Any:
    """An empty field is found by an empty value."""
    sample = test.values[0] if test.values else ""
    return type(sample)()


def find(
    call: Call, table: Table, tests: list[Condition], order: list[tuple[str, bool]], start: int
) -> tuple[list[Record], Outcome]:
    """A page of records; the outcome has total and next. start=-1: no counting (2.6)."""
    ids, rest = _candidates(table, tests)
    if order[:1] and order[0] != ("ID", False):
        ids = _ordered(table, ids, order)
    if start < 0:
        return _first(table, ids, rest), Outcome(None, 0)
    found = ids if not rest else [number for number in ids if _all_hold(table[number], rest)]
    after = start + PAGE
    page = [table[number] for number in found[start:after]]
    return page, Outcome(None, len(found), after if after < len(found) else None)


def _all_hold(record: Record, tests: Iterable[Condition]) -> bool:
    return all(holds(record, test) for test in tests)


def _first(table: Table, ids: Sequence[int], rest: list[Condition]) -> list[Record]:
    page: list[Record] = []
    for number in ids:
        if _all_hold(table[number], rest):
            page.append(table[number])
            if len(page) == PAGE:
                break
    return page


def _candidates(table: Table, tests: list[Condition]) -> tuple[Sequence[int], list[Condition]]:
    """Ids in ascending order that the indexes leave, and the tests they leave."""
    for test in tests:
        rest = [other for other in tests if other is not test]
        if test.is_equality and test.spec.name == "ID":
            return sorted({number for number in test.values if number in table}), rest
        if test.is_equality and test.spec.name in INDEXED and all(test.values):
            return table.having(test.spec.name, test.values), rest
    bounds = [test for test in tests if test.spec.name == "ID" and test.sign in (">", "<", ">=", "<=")]
    above = [test.values[0] - (test.sign == ">=") for test in bounds if test.sign[0] == ">"]
    below = [test.values[0] + (test.sign == "<=") for test in bounds if test.sign[0] == "<"]
    if not bounds:
        return table.ids, tests
    first, last = table.between(max(above, default=None), min(below, default=None))
    return table.ids[first:last], [test for test in tests if test not in bounds]


def _ordered(table: Table, ids: Sequence[int], order: list[tuple[str, bool]]) -> Sequence[int]:
    if order[0] == ("ID", True):
        return ids[::-1]
    for name, descending in reversed(order):
        ids = sorted(ids, key=lambda number: _sort_key(table[number], name), reverse=descending)
    return ids


def _sort_key(record: Record, name: str) -> tuple[int, Any]:
    value = value_of(record, name)
    if isinstance(value, int | float):
        return (1, value)
    return (0, 0) if value in (None, "") or isinstance(value, list) else (2, str(value))
