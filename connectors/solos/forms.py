"""How the first answers of an account looked: their shape without values (``connectors.response_shape``).

No answer of API v2 is documented. ``shapes`` of the facts holds ``v2`` or ``v1`` (what opened the account),
and of projects ``info``, ``steps``, ``actions``, ``checklists``, ``goods``, ``payments``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.response_shape import sample
from connectors.solos.client import Client
from connectors.solos.shapes import record_of, rows_of
from connectors.solos.values import Filter, Page, Project

PARTS = ("info", "steps", "actions", "checklists", "goods", "payments")
HAVING = ("actions", "goods", "payments")  # projects without any show nothing
AT_ONCE = 2
ONE = Page(count=1, reverse=True)


def shapes(facts: Mapping[str, Any]) -> dict[str, Any]:
    held = facts.get("shapes")
    return dict(held) if isinstance(held, Mapping) else {}


def forms(client: Client, known: Mapping[str, Any]) -> dict[str, Any]:
    """A few of those not ``known``, where there is something to see now: somebody may be waiting."""
    examples = _Examples(client)
    found: dict[str, Any] = {}
    for part in (part for part in PARTS if part not in known):
        if form := _form(client, part, examples):
            found[part] = form
        if len(found) == AT_ONCE:
            break
    return found


class _Examples:
    """Projects that have something to show; the newest is asked for once."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def of(self, part: str) -> int:
        if part not in HAVING:
            return self._newest
        return _first(self.client.filter(Filter(having=part), ONE))

    @cached_property
    def _newest(self) -> int:
        return _first(self.client.projects(ONE))


def _first(projects: Sequence[Project]) -> int:
    return projects[0].id if projects else 0


def _form(client: Client, part: str, examples: _Examples) -> Any:
    """A curiosity: what can't be read now is read another time."""
    try:
        project = examples.of(part)
        if not project:
            return None
        path = f"{client.options.projects_path}/projects/{part}"
        body = client.http_client.call("GET", path, params={"id": project, "count": 1, "offset": 0})
    except (Refused, TryLater, NeedsReconnect):
        return None  # the keys were proven before: at most this part is closed to them
    return sample(body) if rows_of(body) or record_of(body) else None
