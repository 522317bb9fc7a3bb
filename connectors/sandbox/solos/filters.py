"""The filter of P2: built-in keys, dynamic ones, and what a project has or has not (6.5 to 6.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.sandbox.solos.call import Call, uint
from connectors.sandbox.solos.errors import wrong
from connectors.sandbox.solos.model import Project
from connectors.sandbox.solos.moments import day, day_range, moment

Test = Callable[[Project], bool]
HAVING = ("actions", "payments", "tasks", "goods")
PLAIN = ("sales_funnel_id", "step_id", "user_id", "group_id", "currency_id")
RELATED = {"actions_type_id": ("actions", "type_id"), "good_id": ("goods", "good_id")}


def tests_of(call: Call) -> list[Test]:
    """One test per filter key. An unknown built-in key is refused."""
    built_in, data = call.params.get("buildin_data") or {}, call.params.get("data") or {}
    if not isinstance(built_in, dict) or not isinstance(data, dict):
        raise wrong("buildin_data and data are objects")
    own = [_built_in(call, key, value) for key, value in built_in.items()]
    return own + [_dynamic(call, code, value) for code, value in data.items()]


def combine(call: Call) -> Callable[[list[bool]], bool]:
    word = call.text("condition", "and")
    if word not in ("and", "or"):
        raise wrong("condition is and or or")
    return all if word == "and" else lambda verdicts: any(verdicts) or not verdicts


def having(call: Call) -> Test:
    """Exactly nine words. Whether ``condition`` governs it isn't said: here it is always demanded too."""
    word = call.text("having")
    kind = word.removeprefix("no_")
    if not word:
        return lambda project: True
    if word == "checklists_expired":
        return lambda project: _overdue(call, project)
    if kind not in HAVING:
        raise wrong(f"no such value of having: {word}")
    return lambda project: _has(call, kind, project) != word.startswith("no_")


def _has(call: Call, kind: str, project: Project) -> bool:
    if kind == "tasks":
        return any(row.get("project_id") == project.id for row in call.account.calendar)
    return bool(call.account.of_project(kind, project.id))


def _overdue(call: Call, project: Project) -> bool:
    now = moment(call.now)
    rows = call.account.of_project("checklists", project.id)
    return any(row["done"] == "0" and row["deadline"] < now for row in rows)


def _built_in(call: Call, key: str, value: Any) -> Test:
    if key == "created":
        return _created(value)
    if key == "price":
        return lambda project: float(project.built_in["price"]) == _price(value)
    wanted = _numbers(key, value)
    if key in PLAIN:
        return lambda project: project.built_in[key] in wanted
    if key.startswith("participants_"):
        return _participants(key, wanted)
    if key in RELATED:
        kind, column = RELATED[key]
        return lambda p: any(row[column] in wanted for row in call.account.of_project(kind, p.id))
    raise wrong(f"no such built-in field: {key}")


def _created(value: Any) -> Test:
    try:
        first, last = day_range(str(value))
    except ValueError as error:
        raise wrong(f"created: {error}") from error
    return lambda project: first <= day(project.created[:10]) <= last


def _price(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise wrong("price is a number") from error


def _participants(key: str, wanted: set[int]) -> Test:
    if key not in ("participants_user_id", "participants_group_id"):
        raise wrong(f"no such built-in field: {key}")
    return lambda project: bool(wanted & set(getattr(project, key)))


def _numbers(key: str, value: Any) -> set[int]:
    """Arrays are membership; one number is an array of one."""
    return {uint(one, key) for one in (value if isinstance(value, list) else [value])}


def _dynamic(call: Call, code: str, value: Any) -> Test:
    if code not in call.account.fields:
        if call.switches["unknown_field"] == "error":
            raise wrong(f"no such field: {code}")
        return lambda project: False
    if isinstance(value, list):
        wanted = {str(one) for one in value}
        return lambda project: str(project.data.get(code)) in wanted
    return lambda project: str(project.data.get(code) or "") == str(value)
