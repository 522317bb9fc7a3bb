"""Lists that nobody gives us, gathered from what the newest projects show (reference 5.1).

A row means: this exists. No row means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import Refused, TryLater
from connectors.response_shape import DATE, MOMENT
from connectors.rows import FieldRow, PipelineRow, Row, StepRow, UserRow
from connectors.solos.client import Client
from connectors.solos.records import ENTITY, Project, number

SEEN: Mapping[str, Any] = {"observed": True}
GUESSED: Mapping[str, Any] = {"observed": True, "approximate": True}
EXAMPLES = 2  # projects of each funnel whose stages are asked for


@dataclass
class Observed:
    """What a walk saw. ``users`` and the others are ids with the best name known; steps by (funnel, id)."""

    users: dict[int, str] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    funnels: dict[int, str] = field(default_factory=dict)
    steps: dict[tuple[int, int], str] = field(default_factory=dict)
    fields: dict[str, list[Any]] = field(default_factory=dict)
    examples: dict[int, list[int]] = field(default_factory=dict)  # funnel -> projects

    def see(self, project: Project) -> None:
        if project.user:
            _name(self.users, project.user, project.names.get(("user_id", project.user), ""))
            self.groups.setdefault(project.user, project.group)
        if project.funnel:
            _name(self.funnels, project.funnel, project.names.get(("sales_funnel_id", project.funnel), ""))
            self.examples.setdefault(project.funnel, []).append(project.id)
        if project.funnel and project.step:
            key = (project.funnel, project.step)
            _name(self.steps, key, project.names.get(("step_id", project.step), ""))
        for code, value in project.data.items():
            self.fields.setdefault(code, []).append(value)


def observe(client: Client) -> Observed:
    found = Observed()
    for page in client.newest(client.options.walk_limit):
        for project in page:
            found.see(project)
    return found


def users(client: Client) -> list[UserRow]:
    """The group is the one of a project that this user leads."""
    found = observe(client)
    return [
        UserRow(str(one), name or f"User {one}", group_id=str(found.groups[one] or ""), details=SEEN)
        for one, name in sorted(found.users.items())
    ]


def pipelines(client: Client) -> list[PipelineRow]:
    found = observe(client).funnels
    return [
        PipelineRow(str(one), name or f"Funnel {one}", sort=one, details=SEEN)
        for one, name in sorted(found.items())
    ]


def steps(client: Client) -> list[StepRow]:
    """In the order in which a project went through them, else by id; either way a guess."""
    found = observe(client)
    order = _order(client, found)
    return [
        StepRow(
            str(funnel), str(step), name or f"Step {step}", sort=order.index((funnel, step)), details=GUESSED
        )
        for (funnel, step), name in sorted(found.steps.items(), key=lambda item: order.index(item[0]))
    ]


def fields(client: Client) -> list[FieldRow]:
    """The customer's own fields of projects, their types guessed from values."""
    found = observe(client).fields
    return [
        FieldRow(ENTITY, code, code, type_of(code, values), code=code, details=GUESSED)
        for code, values in sorted(found.items())
    ]


ALL: Mapping[str, Callable[[Client], Sequence[Row]]] = {
    "users": users,
    "pipelines": pipelines,
    "steps": steps,
    "fields": fields,
}


def type_of(code: str, values: Iterable[Any]) -> str:
    """One of ``records.TYPES``."""
    filled = [value for value in values if value not in (None, "", [], {})]
    if any(isinstance(value, list) for value in filled):
        return "list"
    if any(isinstance(value, Mapping) for value in filled) or (
        code.endswith("_id") and all(map(number, filled))
    ):
        return "reference"
    if filled and all(DATE.fullmatch(str(value)) or MOMENT.fullmatch(str(value)) for value in filled):
        return "date"
    return "number" if filled and all(_is_number(value) for value in filled) else "string"


def _order(client: Client, found: Observed) -> list[tuple[int, int]]:
    """Stages by funnel: the longest history's first, which may know stages that nobody stands in now."""
    order: list[tuple[int, int]] = []
    for funnel, projects in sorted(found.examples.items()):
        histories = [_history(client, project, found, funnel) for project in projects[:EXAMPLES]]
        longest = max(histories, key=len)
        told = longest if len(longest) > 1 else []
        known = sorted(step for its_funnel, step in found.steps if its_funnel == funnel)
        order += [(funnel, step) for step in dict.fromkeys([*told, *known])]
    return order


def _history(client: Client, project: int, found: Observed, funnel: int) -> list[int]:
    """A project's stages; those of a funnel it came from are not this one's."""
    elsewhere = {step for its_funnel, step in found.steps if its_funnel != funnel}
    try:
        stages = client.steps(project)
    except (Refused, TryLater) as error:
        if isinstance(error, TryLater) and error.repeatable:
            raise
        return []
    told = [stage for stage in stages if stage.step and stage.step not in elsewhere]
    for stage in told:
        _name(found.steps, (funnel, stage.step), stage.name)
    return [stage.step for stage in told]


def _name(names: dict[Any, str], key: Any, name: str) -> None:
    names[key] = name or names.get(key, "")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or str(value).replace(".", "", 1).isdecimal()
