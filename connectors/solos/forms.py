"""How the first answers of an account looked: forms without values (``connectors.samples``, reference 4).

No answer of API v2 is documented. ``shapes`` of the facts holds ``v2`` or ``v1`` (what opened the account),
and of projects ``info``, ``steps``, ``actions``, ``checklists``, ``goods``, ``payments``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.samples import sample
from connectors.solos.client import Client
from connectors.solos.shapes import record_of, rows_of
from connectors.solos.values import Filter, Page

PARTS = ("info", "steps", "actions", "checklists", "goods", "payments")
HAVING = ("actions", "goods", "payments")  # projects without any show nothing
ONE = Page(count=1, reverse=True)


def shapes(facts: Mapping[str, Any]) -> dict[str, Any]:
    held = facts.get("shapes")
    return dict(held) if isinstance(held, Mapping) else {}


def forms(client: Client, known: Mapping[str, Any]) -> dict[str, Any]:
    """Those not ``known``, where there is something to see now."""
    found = {part: _form(client, part) for part in PARTS if part not in known}
    return {part: form for part, form in found.items() if form}


def _form(client: Client, part: str) -> Any:
    """A curiosity: what can't be read now is read another time."""
    try:
        project = _example(client, part)
        if not project:
            return None
        path = f"{client.options.projects_path}/projects/{part}"
        body = client.door.call("GET", path, params={"id": project, "count": 1, "offset": 0})
    except (Refused, TryLater, NeedsReconnect):
        return None  # the keys were proven before: at most this part is closed to them
    return sample(body) if rows_of(body) or record_of(body) else None


def _example(client: Client, part: str) -> int:
    having = part if part in HAVING else ""
    found = client.filter(Filter(having=having), ONE) if having else client.projects(ONE)
    return found[0].id if found else 0
