"""Making the cache equal to what a CRM lists: compare, then write only what differs.

A ``Walk`` takes a list page by page, so that progress is seen at once; rows that a walk did not meet are
marked deleted only after it was complete.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model

from connectors import text
from connectors.draft import Option
from connectors.rows import Row
from crm_cache.models import CachedRow, CrmUser, Field, Pipeline, Step, Tag

BATCH = 500
Key = TypeVar("Key", bound=Hashable)
RowKey = tuple[str, ...]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CachedList:
    """Where a list is kept, what tells its rows apart within an account, and what a walk may change.

    ``offered`` picks the rows that people may choose from; ``bulky`` columns are left out of lists.
    """

    model: type[CachedRow]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    offered: Mapping[str, Any] = field(default_factory=dict)
    bulky: tuple[str, ...] = ("details",)


LISTS: dict[str, CachedList] = {
    "users": CachedList(
        CrmUser,
        ("remote_id",),
        ("name", "email", "role", "group_id", "active", "details"),
        offered={"active": True},
    ),
    "pipelines": CachedList(
        Pipeline, ("entity", "remote_id"), ("name", "is_main", "archived", "sort", "details")
    ),
    "steps": CachedList(
        Step, ("entity", "pipeline_id", "remote_id"), ("name", "color", "kind", "sort", "details")
    ),
    "fields": CachedList(
        Field,
        ("entity", "remote_id"),
        ("name", "code", "type", "multiple", "options", "details"),
        bulky=("details", "options"),
    ),
    "tags": CachedList(Tag, ("entity", "remote_id"), ("name", "color", "details")),
}


@dataclass(frozen=True, slots=True)
class Difference(Generic[Key]):
    """What a CRM has that we lack, has otherwise than we do, and no longer has."""

    added: dict[Key, Any]
    changed: dict[Key, Any]
    gone: frozenset[Key]


def compare(known: Mapping[Key, Any], found: Mapping[Key, Any]) -> Difference[Key]:
    """Tell what to write so that ``known`` becomes ``found``; what is equal in both is left out."""
    added = {key: value for key, value in found.items() if key not in known}
    changed = {key: value for key, value in found.items() if key in known and known[key] != value}
    return Difference(added, changed, frozenset(known.keys() - found.keys()))


class Walk:
    """One walk along one list of one account. Deleted rows count as unknown: one that returns is added.

    ``observes``: the list is what was seen in passing (``Capabilities.observes``). Then nothing is missing
    because it was not met, and what staff wrote by hand stands, gone or not.
    """

    def __init__(self, account_id: int, what: str, observes: bool = False) -> None:
        self.account_id = account_id
        self.list = LISTS[what]
        self.observes = observes
        self.seen: set[RowKey] = set()

    def take(self, page: Sequence[Row], now: datetime) -> Difference[RowKey]:
        """Write what differs of a page. At most one query to read and one for each batch to write."""
        met = {self._key(row): self._values(row) for row in page}
        by_hand = self._by_hand() if self.observes else set()
        found = {key: values for key, values in met.items() if key not in by_hand}
        difference = compare(self._known(found), found)
        self._write({**difference.added, **difference.changed}, now)
        self.seen.update(met)
        return difference

    def missing(self) -> list[int]:
        """The primary keys of live rows that the walk did not meet."""
        if self.observes:
            return []
        rows = self._live().values_list("pk", *self.list.key)
        known = {tuple(key): pk for pk, *key in rows.iterator()}
        gone = compare(dict.fromkeys(known), dict.fromkeys(self.seen)).gone
        return sorted(known[key] for key in gone)

    def bury(self, now: datetime) -> int:
        """Mark what is missing as deleted; only for a walk that saw every page. Returns how many."""
        missing = self.missing()
        return sum(
            self._live().filter(pk__in=missing[start : start + BATCH]).update(deleted=True, synced_at=now)
            for start in range(0, len(missing), BATCH)
        )

    def _live(self) -> Any:
        return self.list.model._default_manager.filter(account_id=self.account_id, deleted=False)

    def _by_hand(self) -> set[RowKey]:
        rows = self.list.model._default_manager.filter(account_id=self.account_id, by_hand=True)
        return set(rows.values_list(*self.list.key))

    def _known(self, keys: Iterable[RowKey]) -> dict[RowKey, Values]:
        """The live rows under these keys. Asking for each part apart finds a few more, which do no harm."""
        parts = {
            f"{column}__in": set(part)
            for column, part in zip(self.list.key, zip(*keys, strict=True), strict=False)
        }
        if not parts:
            return {}
        rows = self._live().filter(**parts).values(*self.list.key, *self.list.columns)
        return {tuple(row.pop(column) for column in self.list.key): row for row in rows}

    def _write(self, rows: Mapping[RowKey, Values], now: datetime) -> None:
        if not rows:
            return
        model, key = self.list.model, self.list.key
        model._default_manager.bulk_create(
            [
                model(
                    account_id=self.account_id, synced_at=now, **dict(zip(key, part, strict=True)), **values
                )
                for part, values in rows.items()
            ],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["account", *key],
            update_fields=[*self.list.columns, "deleted", "synced_at"],
        )

    def _key(self, row: Row) -> RowKey:
        return tuple(fit(self.list.model, column, getattr(row, column)) for column in self.list.key)

    def _values(self, row: Row) -> Values:
        return {column: fit(self.list.model, column, getattr(row, column)) for column in self.list.columns}


def fit(model: type[Model], column: str, value: Any) -> Any:
    """A value as its column can hold it: CRMs allow longer names than we keep."""
    value = storable(value)
    if not isinstance(value, str):
        return value
    return value[: getattr(model._meta.get_field(column), "max_length", None)]


def storable(value: Any) -> Any:
    """What PostgreSQL hands back just so: no NUL, no half of a surrogate pair, no NaN, tuples as lists."""
    if isinstance(value, str):
        return text.storable(value)
    if isinstance(value, Option):
        return {"id": storable(value.remote_id), "text": storable(value.text), "code": storable(value.code)}
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float)) else storable(str(value))
