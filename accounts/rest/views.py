"""What all REST views share: whose request it is, which CRM it is about, and which page is wanted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db.models import Model, QuerySet
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from accounts.models import Account, live_accounts
from accounts.rest.authentication import Caller
from accounts.rest.errors import ApiError, NotFound

FIRST_SIZE, MOST_SIZE = 25, 10_000
MOST_COUNTED, COUNTED_FOR = 10_000, 5  # rows; seconds
BIGGEST = 2**63 - 1
BIGGEST_32 = 2**31 - 1
Row = TypeVar("Row", bound=Model)


class JsonWhateverIsAsked(DefaultContentNegotiation):
    """The API speaks JSON; an ``Accept`` that doesn't mention it is no reason for 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class CallerViewSet(ViewSet):
    """A view on behalf of a quiz account. ``error_shape`` says how its errors look (``api_handler``)."""

    error_shape = "string"
    content_negotiation_class = JsonWhateverIsAsked
    request: Request

    @property
    def caller_id(self) -> str:
        """The quiz account named by the bearer token."""
        return cast("Caller", self.request.user).account_id


class CrmViewSet(CallerViewSet):
    """A view on one CRM of the caller; the URL table says which (``as_view(..., kind=...)``)."""

    kind = ""

    def live_account(self) -> Account | None:
        """The caller's account of this CRM, connected or on its way, or None."""
        return live_accounts(account_id=self.caller_id, crm=self.kind).first()

    def connected_account(self) -> Account:
        """The caller's account of this CRM once it was authorised. Raises ``NotFound``."""
        account = self.live_account()
        if account is None or account.pending:
            raise NotFound("Not Found: no account of this CRM is connected", code="no_account")
        return account


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


def unix(moment: Any) -> int:
    """Unix seconds of a moment, 0 for none (D10, D11)."""
    return int(moment.timestamp()) if moment else 0


def number(text: Any) -> int:
    """A remote id as the integer the contract wants, 0 where it isn't one (D11)."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return 0


def number_32(text: Any) -> int:
    """The same where the contract says int32, which is never left (D42)."""
    found = number(text)
    return found if abs(found) <= BIGGEST_32 else 0


def rfc3339(moment: Any) -> str:
    """A moment as a text in UTC (D10)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
