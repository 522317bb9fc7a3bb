"""What an account holds: people, funnels, projects with what belongs to them, leads, clients."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
RELATED = ("steps", "actions", "payments", "goods", "checklists")


@dataclass
class Project:
    """``built_in`` are the keys of every installation, ``data`` the customer's own fields."""

    id: int
    built_in: Row
    data: Row
    participants_user_id: list[int] = field(default_factory=list)
    participants_group_id: list[int] = field(default_factory=list)
    deleted: bool = False

    @property
    def created(self) -> str:
        return str(self.built_in["created"])


@dataclass
class Lead:
    """The seven keys of the vendor's sample, as they came."""

    id: int
    created: str
    payload: Row
    project_id: int | None = None
    deleted: bool = False

    @property
    def extra(self) -> dict[str, str]:
        return dict(self.payload.get("extra") or {})


def _key(name: str, size: int) -> str:
    return (hashlib.sha512(name.encode()).hexdigest() * 2)[:size]


@dataclass
class Account:
    id: int
    subdomain: str
    domain: str = "solos.pro"
    own_host: str = ""
    port: int | None = None
    hook_url: str = ""
    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    users: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    group_of: dict[int, int] = field(default_factory=dict)
    funnels: dict[int, str] = field(default_factory=dict)
    steps: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    currencies: dict[int, str] = field(default_factory=dict)
    goods: dict[int, str] = field(default_factory=dict)
    action_types: dict[int, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # dynamic field's code -> reference, date, string
    clients: dict[int, Row] = field(default_factory=dict)
    contacts: dict[int, Row] = field(default_factory=dict)
    calendar: list[Row] = field(default_factory=list)
    projects: dict[int, Project] = field(default_factory=dict)
    leads: dict[int, Lead] = field(default_factory=dict)
    related: dict[str, dict[int, Row]] = field(default_factory=lambda: {kind: {} for kind in RELATED})
    _counters: dict[str, Any] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def __post_init__(self) -> None:
        self.token = self.token or _key(f"token {self.host}", 64)
        self.secret = self.secret or _key(f"secret {self.host}", 128)

    @property
    def host(self) -> str:
        return self.own_host or f"{self.subdomain}.{self.domain}"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Crypto-Token": self.token, "X-Crypto-Secret": self.secret}

    def revoke(self) -> None:
        """Somebody made a new pair of keys: the old one is worth nothing."""
        number = self.next("keys")
        self.token, self.secret = _key(f"{self.token}{number}", 64), _key(f"{self.secret}{number}", 128)

    def next(self, what: str) -> int:
        return int(next(self._counters[what]))

    def of_project(self, kind: str, project_id: int) -> list[Row]:
        return [row for row in self.related[kind].values() if row["project_id"] == project_id]

    def funnel_of(self, step_id: int) -> int:
        """LookupError: no funnel has such a step."""
        found = next((funnel for funnel, steps in self.steps.items() if step_id in steps), None)
        if found is None:
            raise LookupError(f"no such step: {step_id}")
        return found
