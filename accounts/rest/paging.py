"""Numbers of the query string, and pages of lists."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Model, QuerySet
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
    ids = rows.order_by().values("pk")
    few = ids[: MOST_COUNTED + 1].count()
    if few <= MOST_COUNTED:
        return few
    asked = hashlib.sha256(repr(ids.query.sql_with_params()).encode()).hexdigest()
    return int(cache.get_or_set(f"count:{asked}", ids.count, COUNTED_FOR) or few)
