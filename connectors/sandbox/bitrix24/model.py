"""What a portal holds: people, pipelines, dictionaries, user fields, records."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.bitrix24.specs import TYPES, Spec
from connectors.sandbox.bitrix24.store import Record, Table
from connectors.sandbox.bitrix24.tokens import Install

OWNERS = ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "REQUISITE", "INVOICE", "SMART_INVOICE")


@dataclass
class User:
    """crm: what the person may do with CRM records: all | read | none."""

    id: int
    name: str
    last_name: str
    email: str
    second_name: str = ""
    title: str | None = None
    position: str | None = None
    departments: tuple[int, ...] = (1,)
    active: bool = True
    admin: bool = False
    user_type: str = "employee"  # bots and guests are never returned by user.get (3.1)
    crm: str = "all"

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.last_name}".strip()


@dataclass
class Category:
    id: int
    name: str
    type_id: int
    sort: int = 500
    is_default: bool = False


@dataclass
class Status:
    """A row of a dictionary: a stage, a source, a type (3.3)."""

    id: int
    entity_id: str
    status_id: str
    name: str
    sort: int
    system: bool = False
    category_id: int | None = None
    color: str = ""
    semantics: str | None = None
    name_init: str = ""


class StatusBook:
    def __init__(self) -> None:
        self.by_entity: dict[str, dict[str, Status]] = {}

    def add(self, status: Status) -> Status:
        self.by_entity.setdefault(status.entity_id, {})[status.status_id] = status
        return status

    def remove(self, entity_id: str, status_id: str) -> Status | None:
        return self.by_entity.get(entity_id, {}).pop(status_id, None)

    def first(self, entity_id: str) -> str:
        rows = self.by_entity.get(entity_id, {}).values()
        return min(rows, key=lambda row: (row.sort, row.id)).status_id if rows else ""

    def __iter__(self) -> Iterator[Status]:
        return (row for rows in self.by_entity.values() for row in rows.values())


@dataclass
class Option:
    id: int
    value: str
    sort: int = 10
    default: bool = False
    xml_id: str = ""


@dataclass
class UserField:
    """type: a type of the portal, or rest_{number}_{code} of an app (3.4)."""

    id: int
    entity_id: str  # CRM_DEAL
    name: str  # UF_CRM_1790000001
    type: str
    label: str = ""
    multiple: bool = False
    mandatory: bool = False
    sort: int = 100
    xml_id: str | None = None
    options: list[Option] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    owner: str = ""  # client_id of the app that registered the type

    @property
    def spec(self) -> Spec:
        status = self.settings.get("ENTITY_TYPE", "")
        return Spec(self.name, self.type, status, "", self.multiple, self.label, self.settings)


@dataclass
class Binding:
    """An event handler of an app (6)."""

    id: int
    event: str
    handler: str
    client_id: str
    user_id: int
    auth_type: int = 0
    offline: bool = False


def _tables() -> dict[str, Table]:
    return {kind: Table(kind) for kind in TYPES}


@dataclass
class Portal:
    """plan: paid | free | ended. profile: cloud | enterprise | box. mode: 1 classic, 2 simple CRM."""

    id: int
    subdomain: str
    domain: str = "bitrix24.ru"
    port: int | None = None
    name: str = ""
    own_host: str = ""  # an own domain or a box; else subdomain.domain
    plan: str = "paid"
    profile: str = "cloud"
    status: str = "L"
    mode: int = 1
    deleted: bool = False
    overloaded: bool = False
    currency: str = "RUB"
    offset_hours: int = 3
    member_id: str = ""
    users: dict[int, User] = field(default_factory=dict)
    categories: dict[int, dict[int, Category]] = field(default_factory=lambda: defaultdict(dict))
    statuses: StatusBook = field(default_factory=StatusBook)
    fields: dict[str, dict[str, UserField]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=_tables)
    installed: dict[str, Install] = field(default_factory=dict)
    known_apps: dict[str, Install] = field(default_factory=dict)  # uninstalled ones stay here
    hidden_from: set[int] = field(default_factory=set)  # users for whom our app is hidden
    hidden_categories: set[int] = field(default_factory=set)  # pipelines that only admins see
    webhooks: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    offline: list[dict[str, Any]] = field(default_factory=list)
    timeline: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    activities: dict[int, dict[str, Any]] = field(default_factory=dict)
    to_convert: list[tuple[float, int]] = field(default_factory=list)  # simple mode: when, which lead
    _counters: dict[str, Any] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def __post_init__(self) -> None:
        self.name = self.name or self.subdomain
        self.member_id = self.member_id or hashlib.md5(f"portal {self.id}".encode()).hexdigest()
        for owner in OWNERS:
            self.fields.setdefault(f"CRM_{owner}", {})

    @property
    def host(self) -> str:
        return self.own_host or f"{self.subdomain}.{self.domain}"

    @property
    def oauth_host(self) -> str:
        """The vendor's core picks it by region (1.2)."""
        return "oauth.bitrix24.tech" if self.domain.endswith((".ru", ".by", ".kz")) else "oauth.bitrix.info"

    def next(self, what: str) -> int:
        return int(next(self._counters[what]))

    def start_counting(self, what: str, first: int) -> None:
        self._counters[what] = itertools.count(first)

    @property
    def admin(self) -> User:
        return next(user for user in self.users.values() if user.admin)

    @property
    def leads(self) -> Table:
        return self.tables["lead"]

    @property
    def deals(self) -> Table:
        return self.tables["deal"]

    @property
    def contacts(self) -> Table:
        return self.tables["contact"]

    @property
    def companies(self) -> Table:
        return self.tables["company"]

    def user_fields(self, kind: str) -> dict[str, UserField]:
        return self.fields[f"CRM_{kind.upper()}"]

    def field(self, label: str, entity: str = "CRM_DEAL") -> UserField:
        """A user field by its label or code."""
        return next(row for row in self.fields[entity].values() if label in (row.label, row.name))

    def add_webhook(self, user: User | None = None, scopes: tuple[str, ...] = ("crm", "user")) -> str:
        """The path piece `user/secret` of an incoming webhook."""
        chosen, secret = user or self.admin, secrets.token_hex(8)
        self.webhooks[chosen.id, secret] = scopes
        return f"{chosen.id}/{secret}"


__all__ = ["Binding", "Category", "Option", "Portal", "Record", "Status", "StatusBook", "Table", "User"]
