"""The nine methods of API v2: projects and what belongs to them (reference 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connectors.sandbox.core import Reply
from connectors.sandbox.solos import filters
from connectors.sandbox.solos.call import Call
from connectors.sandbox.solos.errors import not_found, wrong
from connectors.sandbox.solos.model import Project, Row
from connectors.sandbox.solos.moments import day
from connectors.sandbox.solos.shapes import project_row, reply

Handler = Callable[[Call], Reply]


class Missing(Exception):
    """The project is not to be had, and the answer is an empty one."""


def listing(call: Call) -> Reply:
    """P1."""
    return _page(call, _of_the_set(call))


def filtered(call: Call) -> Reply:
    """P2. ``builtin_data``, spelled right, is ignored (6.9)."""
    tests, together, has = filters.tests_of(call), filters.combine(call), filters.having(call)
    rows = _of_the_set(call)
    return _page(call, [one for one in rows if has(one) and together([test(one) for test in tests])])


def info(call: Call) -> Reply:
    """P3."""
    return reply(call, project_row(call, _project(call)))


def steps(call: Call) -> Reply:
    """P4: the stages that the project went through; what a row means is UNCONFIRMED."""
    wanted = call.ids("filter_steps")
    rows = _on_day(call, _related(call, "steps"))
    return reply(call, [row for row in rows if not wanted or row["step_id"] in wanted])


def actions(call: Call) -> Reply:
    """P5: ``filter_actions`` are types of events, not events."""
    types = call.ids("filter_actions")
    rows = _by_id(call, _on_day(call, _related(call, "actions")))
    return reply(call, _slice(call, [row for row in rows if not types or row["type_id"] in types]))


def action(call: Call) -> Reply:
    """P6: ``id`` is the event's own."""
    row = call.account.related["actions"].get(_id(call))
    if row is None:
        raise _gone(call, "missing_project")
    return reply(call, row)


def checklists(call: Call) -> Reply:
    """P7."""
    return reply(call, _related(call, "checklists"))


def goods(call: Call) -> Reply:
    """P8: no paging."""
    return reply(call, _related(call, "goods"))


def payments(call: Call) -> Reply:
    """P9: "0" is money out, "1" is income; neither is both."""
    kind = call.flag("filter_type")
    rows = _by_id(call, _on_day(call, _related(call, "payments")))
    return reply(call, _slice(call, [row for row in rows if kind in ("", row["type"])]))


ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "/projects"): listing,
    ("POST", "/projects/filter"): filtered,
    ("GET", "/projects/info"): info,
    ("GET", "/projects/steps"): steps,
    ("GET", "/projects/actions"): actions,
    ("GET", "/projects/actions/info"): action,
    ("GET", "/projects/checklists"): checklists,
    ("GET", "/projects/goods"): goods,
    ("GET", "/projects/payments"): payments,
}


# -- the servants -------------------------------------------------------------------------------------


def _of_the_set(call: Call) -> list[Project]:
    """Active ones or deleted ones, never both; in the wanted order."""
    gone = call.flag("deleted", call.switches["default_deleted"]) == "1"
    backwards = call.flag("reverse", call.switches["default_reverse"]) == "1"
    rows = [project for project in call.account.projects.values() if project.deleted == gone]
    return sorted(rows, key=_order(call), reverse=backwards)


def _order(call: Call) -> Callable[[Project], Any]:
    name = call.text("order_by") or call.switches["default_order"]
    if name == "id":
        return lambda project: project.id
    if name in ("created", "sales_funnel_id", "step_id", "user_id", "group_id", "price", "currency_id"):
        return lambda project: (project.built_in[name], project.id)
    if name in call.account.fields:
        return lambda project: (str(project.data.get(name) or ""), project.id)
    if call.switches["unknown_order"] == "error":
        raise wrong(f"can't be sorted by {name}")
    return lambda project: project.id


def _page(call: Call, projects: Iterable[Project]) -> Reply:
    return reply(call, [project_row(call, one) for one in _slice(call, list(projects))])


def _slice(call: Call, rows: list[Any]) -> list[Any]:
    offset = call.number("offset")
    return rows[offset : offset + call.number("count", call.switches["default_count"])]


def _id(call: Call) -> int:
    number = call.number("id")
    if not number:
        raise wrong("id is missing")
    return number


def _project(call: Call) -> Project:
    found = call.account.projects.get(_id(call))
    if found is None:
        raise _gone(call, "missing_project")
    if found.deleted and call.switches["deleted_project"] != "there":
        raise _gone(call, "deleted_project")
    return found


def _gone(call: Call, switch: str) -> Exception:
    return not_found("not found") if call.switches[switch] == "404" else Missing()


def _related(call: Call, kind: str) -> list[Row]:
    return call.account.of_project(kind, _project(call).id)


def _on_day(call: Call, rows: list[Row]) -> list[Row]:
    asked = call.text("filter_date")
    if not asked:
        return rows
    try:
        wanted = day(asked).isoformat()
    except ValueError as error:
        raise wrong(f"filter_date: {error}") from error
    return [row for row in rows if row["date"][:10] == wanted]


def _by_id(call: Call, rows: list[Row]) -> list[Row]:
    wanted = call.number("filter_id")
    return [row for row in rows if not wanted or row["id"] == wanted]
