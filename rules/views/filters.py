"""What lists of deliveries and their outcomes are narrowed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.models import Account
from accounts.rest.authentication import Caller
from accounts.rest.errors import ApiError
from accounts.rest.paging import read_number
from connectors.registry import CONNECTORS

Row = TypeVar("Row", bound=Model)
COMMON_FILTERS = [
    OpenApiParameter("quizID", int, description="Only this quiz"),
    OpenApiParameter("crm", str, enum=list(CONNECTORS), description="Only this CRM"),
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="At this moment or later"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Before this moment"),
    OpenApiParameter("page", int, description="Counts from 1"),
    OpenApiParameter("size", int, description="25 where it is missing"),
]


def read_common_filters(rows: QuerySet[Row], request: Request) -> QuerySet[Row]:
    """The rows that the query string chooses. Raises ``ApiError`` naming the filter."""
    if request.query_params.get("quizID"):
        rows = rows.filter(quiz_id=read_number(request, "quizID"))
    if crm := read_choice(request, "crm", list(CONNECTORS)):
        owner = cast("Caller", request.user).account_id
        mine = Account.objects.filter(account_id=owner, crm=crm).values_list("pk", flat=True)
        rows = rows.filter(account__in=list(mine))
    if start := _moment(request, "from"):
        rows = rows.filter(created_at__gte=start)
    if end := _moment(request, "to"):
        rows = rows.filter(created_at__lt=end)
    return rows


def read_choice(request: Request, name: str, choices: Sequence[Any]) -> str:
    """One of ``choices``, empty where it is missing. Raises ``ApiError``."""
    text = request.query_params.get(name, "")
    if text and text not in choices:
        raise ApiError(f"{name} must be one of {', '.join(choices)}", field=name)
    return text


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "").replace(" ", "+")
    if not text:
        return None
    try:
        if found := parse_datetime(text) or _midnight(text):
            return (found if timezone.is_aware(found) else timezone.make_aware(found)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ApiError(f"{name} must be a date or a moment such as 2026-01-31T10:00:00Z", field=name)


def _midnight(text: str) -> datetime | None:
    day = parse_date(text)
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()) if day else None
