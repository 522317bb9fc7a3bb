"""Numbers of the query string, pages of lists, and places in them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.cache import cache
from django.db.models import F, Model, QuerySet, Value
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from accounts.rest.errors import ApiError
from accounts.rest.values import BIGGEST

FIRST_SIZE, MOST_SIZE = 25, 10_000
MOST_COUNTED, COUNTED_FOR = 10_000, 5  # rows; seconds
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; pages count from 1 (D5)."""

    number: int = 1
    size: int = FIRST_SIZE


def read_number(request: Request, name: str, lenient: bool = False) -> int:
    """A non-negative number of the query string, 0 where it is missing.

    ``Pagination[page]`` is accepted beside ``page`` (D6). What is no such number is 400, or 0 if ``lenient``.
    """
    text = request.query_params.get(name) or request.query_params.get(f"Pagination[{name}]") or ""
    text = text.strip()
    if not text:
        return 0
    if re.fullmatch(r"[0-9]{1,19}", text) and int(text) <= BIGGEST:
        return int(text)
    if lenient:
        return 0
    raise ApiError(f"Bad Request: {name} must be a whole number, not negative", field=name)


def read_page(request: Request, lenient: bool = False) -> Page:
    """Missing or 0 means page 1 and 25 rows; sizes beyond 10,000 are cut to that (D5)."""
    number = read_number(request, "page", lenient) or 1
    size = read_number(request, "size", lenient) or FIRST_SIZE
    return Page(number, min(size, MOST_SIZE))


def cut(rows: QuerySet[Row], page: Page) -> tuple[int, list[Row]]:
    """(how many there are in all, the rows of one page).

    Ids are picked first and rows second, so that a deep page skips over index entries, not whole rows.
    """
    count = count_of(rows)
    start = (page.number - 1) * page.size
    if start >= count:
        return count, []
    ids = rows.values("pk")[start : start + page.size]
    return count, list(rows.filter(pk__in=list(ids.values_list("pk", flat=True))))


def count_of(rows: QuerySet[Row]) -> int:
    """How many there are, exactly up to 10,000; beyond that as this process counted within the last seconds.

    Counting is most of what a page of a long list costs, and whoever reads its pages asks for it every time.
    """
    few = count_to(MOST_COUNTED + 1, rows)
    if few <= MOST_COUNTED:
        return few
    ids = rows.order_by().values("pk")
    asked = hashlib.sha256(repr(ids.query.sql_with_params()).encode()).hexdigest()
    return int(cache.get_or_set(f"count:{asked}", ids.count, COUNTED_FOR) or few)


def count_to(most: int, rows: QuerySet[Row]) -> int:
    """How many there are, or ``most`` where there are more: what counting costs has an end."""
    return rows.order_by().values("pk")[:most].count()


# -- places in a list ---------------------------------------------------------------------------------------

MOST_LISTED = 100_000  # rows that a list counts, and skips
ORDERS = ("newest", "oldest")
CURSOR = "id:"
LISTED = [
    OpenApiParameter(
        "page",
        int,
        description="Counts from 1; rows that come in between shift the pages. At most 100,000 rows deep",
    ),
    OpenApiParameter("size", int, description="25 where it is missing, at most 10,000"),
    OpenApiParameter("after", str, description="The `next` of a former answer: what comes behind it"),
    OpenApiParameter("order", str, enum=ORDERS, description="Which rows come first; without it `newest`"),
]


class ListOut(serializers.Serializer[Any]):
    """What all our lists say beside their ``items``."""

    count = serializers.IntegerField(
        help_text="How many rows the filters choose, on all pages; 100,000 means: as many or more."
    )
    next = serializers.CharField(help_text="For `after`: what comes behind the last of these items.")
    more = serializers.BooleanField(help_text="Is there anything behind them by now?")


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """A part of a list: how many rows there are in all, these ones, and how to go on behind them."""

    count: int
    rows: list[Row]
    next: str
    more: bool

    def body(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The answer, of the rows as ``items``."""
        return {"count": self.count, "next": self.next, "more": self.more, "items": items}


def listed(request: Request, rows: QuerySet[Row], late: bool = False) -> Listed[Row]:
    """The part of ``rows`` that a request asks for, by page and size or behind a cursor.

    ``late``: the rows were chosen by when they changed, for which there is an index; they may all be far from
    where a walk by their keys begins. Raises ``ApiError`` naming the parameter.
    """
    order = request.query_params.get("order") or "newest"
    if order not in ORDERS:
        raise ApiError(f"order must be one of {', '.join(ORDERS)}", field="order")
    sign, beyond = ("-", "lt") if order == "newest" else ("", "gt")
    page, text = read_page(request), request.query_params.get("after", "")
    chosen, start, count = rows, (page.number - 1) * page.size, count_to(MOST_LISTED, rows)
    if start >= MOST_LISTED and not text:
        raise ApiError(f"page begins behind {MOST_LISTED:,} rows: go on with after", field="page")
    if text:
        chosen, start = rows.filter(**{f"pk__{beyond}": read_cursor(text)}), 0
    # Of few rows the keys are read by that index and sorted, as are those of the oldest: PostgreSQL takes
    # changed rows to be everywhere alike, and would look for the first of them among all that never changed.
    sorts = late and (count < MOST_LISTED or (order == "oldest" and not text))
    place: Any = F("pk") + Value(0) if sorts else F("pk")
    ordered = chosen.order_by(place.desc() if sign else place.asc())
    keys = ordered.values_list("pk", flat=True)[start : start + page.size + 1]
    found = list(keys) if text or start < count else []
    shown = found[: page.size]
    items = list(rows.filter(pk__in=shown).order_by(f"{sign}pk")) if shown else []
    return Listed(count, items, cursor(shown[-1]) if shown else text, len(found) > len(shown))


def cursor(key: int) -> str:
    """A place in a list as a text that says nothing to its reader."""
    return base64.urlsafe_b64encode(f"{CURSOR}{key}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> int:
    """Raises ``ApiError`` for what ``cursor`` never made."""
    try:
        said = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        said = ""
    if said.startswith(CURSOR) and re.fullmatch(r"[0-9]{1,19}", said[len(CURSOR) :]):
        return min(int(said[len(CURSOR) :]), BIGGEST)
    raise ApiError("after is no cursor: take it from `next` of a former answer", field="after")
