"""What API v2 tells, as plain values: documented keys are read where they are, the rest is in ``raw``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connectors.solos.shapes import Row, name_in, number

BUILT_IN = (
    "id", "created", "sales_funnel_id", "step_id", "user_id", "group_id", "price", "currency_id",
    "deleted", "participants_user_id", "participants_group_id",
)  # fmt: skip
NESTS = ("buildin_data", "builtin_data", "data")


@dataclass(frozen=True, slots=True)
class Project:
    """``data`` are the customer's own fields, ``names`` what references were called: (key, id) -> name.

    ``deleted`` is None where the row doesn't say.
    """

    id: int
    funnel: int = 0
    step: int = 0
    user: int = 0
    group: int = 0
    price: str = ""
    currency: int = 0
    created: str = ""
    deleted: bool | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[tuple[str, int], str] = field(default_factory=dict)
    raw: Row = field(default_factory=dict)

    @classmethod
    def read(cls, row: Row) -> Project:
        """Flat, or built-in keys and dynamic ones in objects of their own."""
        flat = dict(_flat(row))
        return cls(
            id=number(flat.get("id")),
            funnel=number(flat.get("sales_funnel_id")),
            step=number(flat.get("step_id")),
            user=number(flat.get("user_id")),
            group=number(flat.get("group_id")),
            price=text(flat.get("price")),
            currency=number(flat.get("currency_id")),
            created=text(flat.get("created")),
            deleted={"1": True, "0": False}.get(text(flat.get("deleted"))),
            data={key: value for key, value in flat.items() if key not in BUILT_IN},
            names={(key, number(one)): name for key, one in flat.items() if (name := name_in(one))},
            raw=row,
        )

    def name(self, key: str) -> str:
        """What a reference (``user_id``) is called, where the row says it."""
        found = {name: word for (name, _), word in self.names.items()}
        return found.get(key, "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of P4; what it means is UNCONFIRMED. The other rows are read in the same loose way."""

    step: int
    date: str
    user: int
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Stage:
        step = row.get("step_id") or row.get("id")
        return cls(number(step), _date(row), number(row.get("user_id")), row)


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    type: int
    date: str
    user: int
    comment: str
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Event:
        kind = number(row.get("type_id")) or number(row.get("actions_type_id"))
        words = text(row.get("comment")) or text(row.get("text"))
        return cls(number(row.get("id")), kind, _date(row), number(row.get("user_id")), words, row)


@dataclass(frozen=True, slots=True)
class Payment:
    """``income`` is None where the row doesn't say which way the money went."""

    id: int
    income: bool | None
    amount: str
    currency: int
    date: str
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Payment:
        income = {"1": True, "0": False}.get(text(row.get("type")))
        amount = text(row.get("sum")) or text(row.get("price"))
        return cls(number(row.get("id")), income, amount, number(row.get("currency_id")), _date(row), row)


@dataclass(frozen=True, slots=True)
class Good:
    id: int
    name: str
    count: str
    price: str
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Good:
        good = number(row.get("good_id")) or number(row.get("id"))
        return cls(good, text(row.get("name")), text(row.get("count")), text(row.get("price")), row)


@dataclass(frozen=True, slots=True)
class Checklist:
    name: str
    done: bool
    deadline: str
    raw: Row

    @classmethod
    def read(cls, row: Row) -> Checklist:
        done = text(row.get("done")) or text(row.get("closed"))
        return cls(text(row.get("name")), done in ("1", "True"), text(row.get("deadline")), row)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list, in which order. ``deleted`` picks one of the two sets, there is no "both"."""

    count: int = 100
    offset: int = 0
    order_by: str = "id"
    reverse: bool = False
    deleted: bool = False

    @property
    def query(self) -> dict[str, Any]:
        """Always all five: no default is documented."""
        flags = {"reverse": str(int(self.reverse)), "deleted": str(int(self.deleted))}
        return {"count": self.count, "offset": self.offset, "order_by": self.order_by, **flags}


@dataclass(frozen=True, slots=True)
class Filter:
    """P2's conditions. ``built_in`` and ``data`` go as they are; ``created`` is a range."""

    condition: str = "and"
    having: str = ""
    created: tuple[date, date] | None = None
    built_in: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The vendor's own spelling: ``buildin_data``; dates are joined by a semicolon."""
        span = {"created": ";".join(day.isoformat() for day in self.created)} if self.created else {}
        having = {"having": self.having} if self.having else {}
        parts = {"buildin_data": {**self.built_in, **span}, "data": dict(self.data)}
        return {"condition": self.condition, **having, **{key: part for key, part in parts.items() if part}}


def text(value: Any) -> str:
    """null, "" and missing are the same."""
    return "" if value is None else str(value).strip()


def _flat(row: Row) -> Iterator[tuple[str, Any]]:
    yield from ((key, value) for key, value in row.items() if key not in NESTS)
    for nest in NESTS:
        inner = row.get(nest)
        yield from inner.items() if isinstance(inner, Mapping) else ()


def _date(row: Row) -> str:
    return text(row.get("date")) or text(row.get("created"))
