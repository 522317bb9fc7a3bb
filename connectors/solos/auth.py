"""A solOS account is opened by a pair of keys (reference 1); whose it is, and what is learned of it (5.1).

solos.pro/api/v2/projects; github.com/artlevitan/solos-examples
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.auth import Auth, Tokens
from connectors.base import Identity, Remote
from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.response_shape import sample
from connectors.solos.client import Client, Page
from connectors.solos.errors import unreadable
from connectors.solos.records import Project, record_of, rows_of

V1, V2 = "v1", "v2"
PARTS = ("info", "steps", "actions", "checklists", "goods", "payments")  # of a project
ONLY_SOME = ("actions", "goods", "payments")  # projects without any show nothing
SHAPES_AT_ONCE = 2  # somebody may be waiting
ONE = Page(count=1, reverse=True)


class KeyPair(Auth):
    """The token is kept as ``Tokens.access``, the secret as ``Tokens.refresh``; neither ever expires."""

    def sign(self, request: Any, tokens: Tokens) -> Any:
        request.headers["X-Crypto-Token"] = tokens.access
        request.headers["X-Crypto-Secret"] = tokens.refresh
        return request


@dataclass(frozen=True, slots=True)
class Facts:
    """What we know of one account, out of ``Remote.facts``.

    ``api``: which generation reads; with ``v1`` leads are delivered and projects can't be seen.
    ``leads_readable``: leads could be read back when it was last tried, so our external id can be looked for.
    ``shapes``: how the first answers looked, without values (``connectors.response_shape``): ``v2`` or ``v1``
    (what opened the account), and ``PARTS`` of projects.
    """

    api: str
    leads_readable: bool
    shapes: Mapping[str, Any]

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Facts:
        shapes = facts.get("shapes")
        known = dict(shapes) if isinstance(shapes, Mapping) else {}
        return cls(V1 if facts.get("api") == V1 else V2, facts.get("leads_readable") is True, known)


def reads_projects(facts: Mapping[str, Any]) -> bool:
    """Whether an account was seen to show its projects, by its facts."""
    return facts.get("api") == V2


def identify(client: Client, remote: Remote) -> Identity:
    """solOS has no page about itself: an account is its address, and the keys must open something there."""
    api, shape = which_api(client)
    host = urlsplit(remote.base_url).netloc
    label, _, suffix = host.partition(".")
    return Identity(
        remote_id=host,
        name=host,
        host=host,
        subdomain=label if suffix in client.options.host_suffixes else "",
        facts={"api": api, "shapes": {api: shape, **Facts.read(remote.facts).shapes}},
    )


def which_api(client: Client) -> tuple[str, Any]:
    """The generation that reads, and the shape of its answer. Raises like any call.

    P1 for one project; where projects are closed to us, the calendar of v1 proves the keys: leads can be
    delivered then. What v2 said counts where v1 is no better.
    """
    path = client.options.projects_path + "/projects"
    try:
        body = client.http_client.call("GET", path, params=Page(count=1).query)
        if rows_of(body) is None:
            raise unreadable(body)
        return V2, sample(body)
    except (Refused, NeedsReconnect, TryLater) as error:
        if isinstance(error, TryLater) and error.repeatable:
            raise
        first = error
    body = {"module": "calendar", "count": 1, "offset": 0}
    try:
        return V1, sample(client.http_client.call("POST", client.options.read_path, safe=True, json=body))
    except (Refused, TryLater):
        raise first from None


def more_shapes(client: Client, known: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes of a few parts of projects that are not ``known``, where there is something to see now."""
    newest: list[int] = []  # asked for once

    def example(part: str) -> int:
        """A project that has something to show; 0 for none."""
        if part in ONLY_SOME:
            return _first(client.having(part, ONE))
        if not newest:
            newest.append(_first(client.projects(ONE)))
        return newest[0]

    found: dict[str, Any] = {}
    for part in (part for part in PARTS if part not in known):
        if shape := _shape(client, part, example):
            found[part] = shape
        if len(found) == SHAPES_AT_ONCE:
            break
    return found


def _first(projects: Sequence[Project]) -> int:
    return projects[0].id if projects else 0


def _shape(client: Client, part: str, example: Callable[[str], int]) -> Any:
    """A curiosity: what can't be read now is read another time."""
    path = f"{client.options.projects_path}/projects/{part}"
    try:
        if not (project := example(part)):
            return None
        body = client.http_client.call("GET", path, params={"id": project, "count": 1, "offset": 0})
    except (Refused, TryLater, NeedsReconnect):
        return None  # the keys were proven before: at most this part is closed to them
    return sample(body) if rows_of(body) or record_of(body) else None
