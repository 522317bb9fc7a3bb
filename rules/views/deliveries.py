"""What became of the answers: the list, one with its timeline, and another try."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import BIGGEST, CallerViewSet, cut, read_number, read_page
from accounts.api_errors import ApiError, Conflict, NotFound
from connectors.registry import CONNECTORS
from rules import outbox
from rules.models import Delivery
from rules.serializers.answers import (
    DeliveryDetailOut,
    DeliveryListOut,
    OurError,
    write_delivery,
    write_delivery_detail,
)
from rules.wake import wake_lanes

UNAUTHORIZED = OpenApiResponse(OurError, "No valid bearer token")
NO_DELIVERY = OpenApiResponse(OurError, "No such delivery")
FILTERS = [
    OpenApiParameter("quizID", int, description="Only this quiz"),
    OpenApiParameter("crm", str, enum=list(CONNECTORS), description="Only this CRM"),
    OpenApiParameter("state", str, enum=Delivery.State.values, description="Only this state"),
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="Taken at this moment or later"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Taken before this moment"),
    OpenApiParameter("page", int, description="Counts from 1"),
    OpenApiParameter("size", int, description="25 where it is missing"),
]


class DeliveryViewSet(CallerViewSet):
    """The caller's deliveries over all CRMs; other accounts' are 404."""

    error_shape = "object"

    @extend_schema(
        operation_id="ListDeliveries",
        tags=["deliveries"],
        summary="Deliveries, the newest first",
        parameters=FILTERS,
        responses={
            200: DeliveryListOut,
            400: OpenApiResponse(OurError, "A filter says something it may not"),
            401: UNAUTHORIZED,
        },
    )
    def index(self, request: Request) -> Response:
        count, rows = cut(_chosen(self._mine(), request).order_by("-pk"), read_page(request))
        return Response(
            {"count": count, "items": [write_delivery(row, row.answer.answer_id) for row in rows]}
        )

    @extend_schema(
        operation_id="GetDelivery",
        tags=["deliveries"],
        summary="One delivery with the timeline of its tries",
        responses={200: DeliveryDetailOut, 401: UNAUTHORIZED, 404: NO_DELIVERY},
    )
    def retrieve(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        return Response(write_delivery_detail(delivery, delivery.attempts.all()))

    @extend_schema(
        operation_id="RetryDelivery",
        tags=["deliveries"],
        summary="Try again now, whatever it waits for",
        request=None,
        responses={
            202: DeliveryDetailOut,
            401: UNAUTHORIZED,
            404: NO_DELIVERY,
            409: OpenApiResponse(OurError, "It is delivered, or being sent right now"),
        },
    )
    def retry(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        if not outbox.retry(Delivery.objects.filter(pk=delivery.pk)):
            raise Conflict(f"The delivery is {self._one(delivery_pk).state}; there is nothing to retry")
        wake_lanes([delivery.account_id])
        fresh = self._one(delivery_pk)
        return Response(write_delivery_detail(fresh, fresh.attempts.all()), status=202)

    def _mine(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(owner=self.caller_id).select_related("account", "answer")

    def _one(self, pk: int) -> Delivery:
        delivery = self._mine().filter(pk=min(pk, BIGGEST)).first()
        if delivery is None:
            raise NotFound("No such delivery", field="id")
        return delivery


def _chosen(rows: QuerySet[Delivery], request: Request) -> QuerySet[Delivery]:
    if request.query_params.get("quizID"):
        rows = rows.filter(quiz_id=read_number(request, "quizID"))
    if crm := _choice(request, "crm", list(CONNECTORS)):
        rows = rows.filter(account__crm=crm)
    if state := _choice(request, "state", Delivery.State.values):
        rows = rows.filter(state=state)
    if start := _moment(request, "from"):
        rows = rows.filter(created_at__gte=start)
    if end := _moment(request, "to"):
        rows = rows.filter(created_at__lt=end)
    return rows


def _choice(request: Request, name: str, choices: Any) -> str:
    text = request.query_params.get(name, "")
    if text and text not in choices:
        raise ApiError(f"{name} must be one of {', '.join(choices)}", field=name)
    return text


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "").replace(" ", "+")
    if not text:
        return None
    try:
        found = parse_datetime(text) or _midnight(text)
    except ValueError:
        found = None
    if found is None:
        raise ApiError(f"{name} must be a date or a moment such as 2026-01-31T10:00:00Z", field=name)
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _midnight(text: str) -> datetime | None:
    day = parse_date(text)
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()) if day else None
