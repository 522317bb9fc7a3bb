"""Records of one kind, by id and by what connectors look for: marks, people, links."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

INDEXED = ("ORIGIN_ID", "LEAD_ID", "COMPANY_ID", "CONTACT_ID")


@dataclass
class Record:
    """`props` by classic names, typed; `people`: contact ids of a deal or lead, the first is primary."""

    kind: str
    id: int
    props: dict[str, Any]
    multi: list[dict[str, Any]] = field(default_factory=list)  # rows of PHONE, EMAIL, ...
    people: list[int] = field(default_factory=list)
    companies: list[int] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.props[name]

    def get(self, name: str) -> Any:
        if name == "ID":
            return self.id
        if name == "CONTACT_ID":
            return self.people[0] if self.people else None
        if name == "CONTACT_IDS":
            return self.people
        if name == "COMPANY_IDS":
            return self.companies
        if name == "COMPANY_ID" and self.kind == "contact":
            return self.companies[0] if self.companies else None
        return self.props.get(name)

    def communications(self, kind: str) -> list[str]:
        return [row["VALUE"] for row in self.multi if row["TYPE_ID"] == kind]


class Table:
    """Ids only grow, so the rows are always in the order of their ids."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows: dict[int, Record] = {}
        self.ids: list[int] = []
        self._index: dict[str, dict[Any, list[int]]] = {name: {} for name in INDEXED}
        self._keys: dict[int, list[tuple[str, Any]]] = {}

    def insert(self, record: Record) -> None:
        self.rows[record.id] = record
        self.ids.append(record.id)
        self.touched(record)

    def touched(self, record: Record) -> None:
        """Index what the record holds now."""
        wanted = [(name, value) for name in INDEXED for value in _keys(record, name)]
        for name, value in self._keys.get(record.id, ()):
            self._index[name][value].remove(record.id)
        for name, value in wanted:
            self._index[name].setdefault(value, []).append(record.id)
        self._keys[record.id] = wanted

    def remove(self, number: int) -> Record | None:
        record = self.rows.pop(number, None)
        if record is not None:
            self.ids.pop(bisect_left(self.ids, number))
            for name, value in self._keys.pop(number, ()):
                self._index[name][value].remove(number)
        return record

    def having(self, name: str, values: Iterable[Any]) -> list[int]:
        found: set[int] = set()
        for value in values:
            found.update(self._index[name].get(value, ()))
        return sorted(found)

    def between(self, above: int | None = None, below: int | None = None) -> tuple[int, int]:
        """Positions in `ids` of above < id < below."""
        first = 0 if above is None else bisect_right(self.ids, above)
        last = len(self.ids) if below is None else bisect_left(self.ids, below)
        return first, max(first, last)

    def __getitem__(self, number: int) -> Record:
        return self.rows[number]

    def __contains__(self, number: object) -> bool:
        return number in self.rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows)

    def get(self, number: int) -> Record | None:
        return self.rows.get(number)

    def values(self) -> Iterable[Record]:
        return self.rows.values()


def _keys(record: Record, name: str) -> list[Any]:
    if name == "CONTACT_ID":
        return list(dict.fromkeys(record.people))
    value = record.get(name)
    return [] if value in (None, "", 0) else [value]
