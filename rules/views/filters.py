"""What lists of deliveries and their outcomes are narrowed by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.models import Account
from accounts.rest.authentication import Caller
from accounts.rest.errors import ApiError
from accounts.rest.paging import LISTED, read_number
from connectors.registry import CONNECTORS
from rules.made_between import made_between
from rules.mapping.person import contact_keys

Row = TypeVar("Row", bound=Model)
QUIZ_FILTER = OpenApiParameter("quizID", int, description="Only this quiz")
QUIZ_AND_TIME_FILTERS = [
    QUIZ_FILTER,
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="At this moment or later"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Before this moment"),
    *LISTED,
]
CRM_FILTER = OpenApiParameter("crm", str, enum=list(CONNECTORS), description="Only this CRM")
COMMON_FILTERS = [CRM_FILTER, *QUIZ_AND_TIME_FILTERS]
CHANGED_FROM = OpenApiParameter(
    "changedFrom", OpenApiTypes.DATETIME, description="Only what has changed at this moment or later"
)
PERSON_FILTERS = [
    OpenApiParameter("answerID", str, description="Only this answer"),
    OpenApiParameter("phone", str, description="Only of the person with this phone, as people write it"),
    OpenApiParameter("email", str, description="Only of the person with this e-mail"),
]


def read_common_filters(rows: QuerySet[Row], request: Request) -> QuerySet[Row]:
    """Of ``rows`` the caller's own that the query string chooses. Raises ``ApiError`` naming the filter."""
    owner = cast("Caller", request.user).account_id
    crm, chosen = read_crm(request), rows.filter(owner=owner)
    if crm:
        mine = list(Account.objects.filter(account_id=owner, crm=crm).values_list("pk", flat=True))
        one = len(mine) == 1 and not request.query_params.get("quizID")
        # Of one account there is an index, and whose it is is known.
        chosen = rows.filter(account=mine[0]) if one else chosen.filter(account__in=mine)
    chosen = read_quiz_and_time(chosen, request)
    if changed := read_moment(request, "changedFrom"):
        chosen = chosen.filter(updated_at__gte=changed)
    return chosen


def read_quiz_and_time(rows: QuerySet[Row], request: Request) -> QuerySet[Row]:
    """Of this quiz and time. Raises ``ApiError``."""
    rows = of_quiz(rows, request)
    return made_between(rows, read_moment(request, "from"), read_moment(request, "to"))


def of_quiz(rows: QuerySet[Row], request: Request) -> QuerySet[Row]:
    """Those of the quiz that is asked for, or all. Raises ``ApiError``."""
    asked = request.query_params.get("quizID")
    return rows.filter(quiz_id=read_number(request, "quizID")) if asked else rows


def by_change(request: Request) -> bool:
    """Are rows chosen by when they have changed?"""
    return "changedFrom" in request.query_params


def read_person(rows: QuerySet[Row], request: Request, to_answer: str = "") -> QuerySet[Row]:
    """Of this answer, phone and e-mail. ``to_answer`` leads from a row to its answer (``answer__``).

    Raises ``ApiError`` for a phone or an e-mail that is none.
    """
    if answer := request.query_params.get("answerID"):
        rows = rows.filter(**{f"{to_answer}answer_id": answer.replace("\0", "")})
    for name in ("phone", "email"):
        if said := request.query_params.get(name, "").strip():
            if name == "phone" and said[0] in "123456789":
                said = f"+{said}"  # a plus in a query string that was not encoded is a blank
            keys = contact_keys({name: said}, settings.PHONE_REGION)
            if not keys:
                raise ApiError(f"{name} is none that can be read", field=name)
            rows = rows.filter(**{f"{to_answer}contact_keys__overlap": keys})
    return rows


def read_crm(request: Request) -> str:
    """Empty where any is meant. Raises ``ApiError``."""
    return read_choice(request, "crm", list(CONNECTORS))


def read_choice(request: Request, name: str, choices: Sequence[Any]) -> str:
    """One of ``choices``, empty where it is missing. Raises ``ApiError``."""
    text = request.query_params.get(name, "")
    if text and text not in choices:
        raise ApiError(f"{name} must be one of {', '.join(choices)}", field=name)
    return text


def read_moment(request: Request, name: str) -> datetime | None:
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
