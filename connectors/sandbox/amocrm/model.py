"""What an amoCRM account holds, as plain records (reference sections 2 to 4)."""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.amocrm.search import TextIndex, matches

KINDS = ("leads", "contacts", "companies", "customers")
SINGULAR = {"leads": "lead", "contacts": "contact", "companies": "company", "customers": "customer"}
WON, LOST = 142, 143  # the same ids in every pipeline (reference 3.3)


class Ids:
    """Ids grow monotonically over all accounts, one sequence a kind."""

    STARTS = {
        "accounts": 31000001, "users": 9100001, "pipelines": 5001, "statuses": 61001, "fields": 70001,
        "enums": 80001, "tags": 90001, "leads": 15000001, "contacts": 25000001, "companies": 35000001,
        "customers": 45000001, "notes": 55000001, "tasks": 65000001, "hooks": 1001, "reasons": 4001,
        "roles": 7001, "events": 1,
    }  # fmt: skip

    def __init__(self) -> None:
        self._counters = {kind: itertools.count(start) for kind, start in self.STARTS.items()}

    def next(self, kind: str) -> int:
        return next(self._counters[kind])


@dataclass(slots=True)
class User:
    id: int
    name: str
    email: str
    is_admin: bool = False
    is_active: bool = True
    is_free: bool = False
    group_id: int | None = None
    role_id: int | None = None


@dataclass(slots=True)
class Status:
    id: int
    name: str
    sort: int
    type: int = 0
    color: str = "#99ccff"
    is_editable: bool = True


@dataclass(slots=True)
class Pipeline:
    id: int
    name: str
    sort: int
    is_main: bool = False
    is_archive: bool = False
    is_unsorted_on: bool = True
    statuses: list[Status] = field(default_factory=list)

    def status(self, status_id: int) -> Status | None:
        return next((status for status in self.statuses if status.id == status_id), None)

    @property
    def incoming(self) -> Status:
        return next(status for status in self.statuses if status.type == 1)

    @property
    def first(self) -> Status:
        return next(status for status in self.statuses if status.type == 0)


@dataclass(slots=True)
class Enum:
    id: int
    value: str
    sort: int
    code: str | None = None


@dataclass(slots=True)
class Field:
    id: int
    kind: str
    name: str
    type: str
    code: str | None = None
    sort: int = 500
    enums: list[Enum] | None = None
    group_id: str | None = None
    is_api_only: bool = False
    is_deletable: bool = True
    is_predefined: bool = False
    required_statuses: list[dict[str, int]] = field(default_factory=list)
    currency: str | None = None
    remind: str | None = None

    def enum(self, key: str, wanted: Any) -> Enum | None:
        return next((enum for enum in self.enums or () if getattr(enum, key) == wanted), None)


class Fields:
    """The custom fields of one entity, by id and by code."""

    def __init__(self) -> None:
        self.by_id: dict[int, Field] = {}
        self.by_code: dict[str, Field] = {}

    def add(self, new: Field) -> Field:
        self.by_id[new.id] = new
        if new.code:
            self.by_code[new.code] = new
        return new

    def remove(self, field_id: int) -> Field | None:
        gone = self.by_id.pop(field_id, None)
        if gone and gone.code and self.by_code.get(gone.code) is gone:
            del self.by_code[gone.code]
        return gone

    def named(self, name: str) -> Field:
        return next(found for found in self.by_id.values() if found.name == name)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.by_id.values())


@dataclass(slots=True)
class Tag:
    id: int
    name: str
    color: str | None = None


class Tags:
    """One directory an entity: the same name has different ids in leads and contacts (reference 3.5)."""

    def __init__(self) -> None:
        self.by_id: dict[int, Tag] = {}
        self.by_name: dict[str, Tag] = {}

    def add(self, tag: Tag) -> Tag:
        self.by_id[tag.id] = tag
        return self.by_name.setdefault(tag.name, tag)


@dataclass(slots=True)
class Card:
    """A lead, contact, company or customer. `values` is by field id; `links` by (kind, id)."""

    kind: str
    id: int
    props: dict[str, Any]
    values: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    tags: dict[int, None] = field(default_factory=dict)
    links: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    incoming: str | None = None  # uid of the unsorted entry while it waits
    hidden: bool = False  # a contact of an incoming lead, until that is accepted

    def __getitem__(self, name: str) -> Any:
        return self.props[name]

    def linked(self, kind: str) -> list[int]:
        return [number for (of, number) in self.links if of == kind]

    def main_contact(self) -> int | None:
        return next((n for (of, n), m in self.links.items() if of == "contacts" and m.get("is_main")), None)

    def texts(self) -> Iterable[str]:
        yield str(self.props.get("name") or "")
        for values in self.values.values():
            for value in values:
                yield str(value.get("value", ""))


class Table(dict[int, Card]):
    """All cards of a kind, with a text index and an order by creation that needs no sorting."""

    def __init__(self) -> None:
        super().__init__()
        self.index = TextIndex()
        self.created: list[tuple[int, int]] = []
        self.changed: list[tuple[int, int]] = []  # what was changed again since is passed over

    def insert(self, card: Card, now: float) -> None:
        self[card.id] = card
        insort(self.created, (card.props["created_at"], card.id))
        self.touched(card, now)

    def touched(self, card: Card, now: float) -> None:
        self.index.add(card.id, card.texts(), now)
        change = (card.props["updated_at"], card.id)
        place = bisect_left(self.changed, change)
        if place == len(self.changed) or self.changed[place] != change:
            self.changed.insert(place, change)

    def by_change(self, backwards: bool) -> Iterator[Card]:
        for moment, number in reversed(self.changed) if backwards else self.changed:
            if (card := self[number]).props["updated_at"] == moment:
                yield card

    def search(
        self, query: str, until: float, order: Callable[[Card], Any], backwards: bool
    ) -> Iterator[Card]:
        """In order, and checked one by one only as far as somebody reads."""
        hits = (self[number] for number in self.index.find(query, until))
        for card in sorted(hits, key=order, reverse=backwards):
            if matches(card.texts(), query):
                yield card


@dataclass(slots=True)
class Note:
    id: int
    kind: str
    entity_id: int
    note_type: str
    params: dict[str, Any]
    created_by: int
    created_at: int


@dataclass(slots=True)
class Task:
    id: int
    text: str
    complete_till: int
    responsible_user_id: int
    entity_type: str | None
    entity_id: int | None
    task_type_id: int
    created_by: int
    created_at: int
    updated_at: int
    is_completed: bool = False
    result: str = ""


@dataclass
class DupControl:
    """Duplicate control, switched on by the customer (reference 5.3)."""

    enabled: bool = False
    by: tuple[str, ...] = ("PHONE", "EMAIL")  # codes, or ids of text and numeric fields
    statuses: set[tuple[int, int]] | None = None  # (pipeline, status); None: every open one
    action: str = "update_all"  # update_all | newest | create
    conflict: str = "overwrite"  # overwrite | keep


@dataclass
class Account:
    id: int
    subdomain: str
    domain: str
    name: str = "ООО «Ромашка»"
    port: int | None = None
    country: str = "RU"
    currency: str = "RUB"
    currency_symbol: str = "₽"
    timezone: str = "Europe/Moscow"
    customers_mode: str = "segments"
    is_unsorted_on: bool = True
    is_api_filter_enabled: bool = False
    created_at: int = 1690000000
    installed: set[str] = field(default_factory=set)  # client ids
    tariff_ended: bool = False
    blocked: bool = False
    users: dict[int, User] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    loss_reasons: dict[int, str] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=lambda: {0: "Отдел продаж"})
    fields: dict[str, Fields] = field(default_factory=lambda: {kind: Fields() for kind in KINDS})
    tags: dict[str, Tags] = field(default_factory=lambda: {kind: Tags() for kind in KINDS})
    tables: dict[str, Table] = field(default_factory=lambda: {kind: Table() for kind in KINDS})
    notes: dict[int, Note] = field(default_factory=dict)
    notes_of: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    task_types: dict[int, str] = field(default_factory=lambda: {1: "Звонок", 2: "Встреча"})
    unsorted: dict[str, Any] = field(default_factory=dict)
    unsorted_marks: set[str] = field(default_factory=set)
    hooks: dict[str, Any] = field(default_factory=dict)
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=50000))
    dup_control: DupControl = field(default_factory=DupControl)

    @property
    def host(self) -> str:
        return f"{self.subdomain}.{self.domain}"

    leads = property(lambda self: self.tables["leads"])
    contacts = property(lambda self: self.tables["contacts"])
    companies = property(lambda self: self.tables["companies"])
    customers = property(lambda self: self.tables["customers"])

    @property
    def admin(self) -> User:
        return next(user for user in self.users.values() if user.is_admin and user.is_active)

    @property
    def main_pipeline(self) -> Pipeline:
        return next(pipeline for pipeline in self.pipelines.values() if pipeline.is_main)

    def forget_unsorted(self, uid: str) -> Any:
        entry = self.unsorted.pop(uid)
        self.unsorted_marks.discard(entry.fingerprint)
        return entry

    def card(self, kind: str, number: Any) -> Card | None:
        return self.tables[kind].get(number) if isinstance(number, int) else None

    def link(self, one: Card, other: Card, **metadata: Any) -> None:
        one.links[(other.kind, other.id)] = metadata
        other.links[(one.kind, one.id)] = metadata

    def unlink(self, one: Card, other: Card) -> None:
        one.links.pop((other.kind, other.id), None)
        other.links.pop((one.kind, one.id), None)
