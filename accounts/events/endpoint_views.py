"""Webhook endpoints over REST, for the quiz platform's own tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.events import endpoints, feed
from accounts.events.models import WebhookEndpoint
from accounts.events.views import too_old
from accounts.rest.errors import ApiError, Conflict
from accounts.rest.paging import read_cursor
from accounts.rest.views import PlatformViewSet, checked, one_of
from accounts.serializers.errors import BAD_BODY, NO_TOKEN, NOT_PLATFORM, operation
from accounts.serializers.webhooks import (
    EndpointIn,
    EndpointListOut,
    EndpointOut,
    EndpointSecretOut,
    ReplayIn,
    RotateIn,
    write_endpoint,
)

ENDPOINT = OpenApiParameter("endpoint_pk", int, OpenApiParameter.PATH, description="`id` of the endpoint")
COLUMNS = {"url": "url", "types": "types", "accountID": "owner", "enabled": "enabled"}
ERRORS = {**NO_TOKEN, **NOT_PLATFORM}
NONE = {404: "No such endpoint"}


class EndpointViewSet(PlatformViewSet):
    """Where events are posted."""

    @operation(
        "ListWebhookEndpoints", "Where events are posted", {200: EndpointListOut, **ERRORS}, tag="events"
    )
    def index(self, request: Request) -> Response:
        return Response({"items": [write_endpoint(row) for row in endpoints.live()]})

    @operation(
        "CreateWebhookEndpoint",
        "Have events posted to an address from now on",
        {201: EndpointSecretOut, **BAD_BODY, **ERRORS, 409: f"There are {endpoints.MOST} endpoints already"},
        tag="events",
        description="The answer shows the secret this once. Posts are signed as Standard Webhooks says.",
        request=EndpointIn,
    )
    def create(self, request: Request) -> Response:
        told = checked(EndpointIn, request.data)
        try:
            row = endpoints.create(**_columns(told))
        except endpoints.TooMany as exc:
            raise Conflict(f"There are {endpoints.MOST} endpoints already: delete one") from exc
        return Response({**write_endpoint(row), "secret": row.secret}, status=201)

    @operation(
        "GetWebhookEndpoint",
        "One endpoint, and how it is",
        {200: EndpointOut, **ERRORS, **NONE},
        tag="events",
        parameters=[ENDPOINT],
    )
    def retrieve(self, request: Request, endpoint_pk: int) -> Response:
        return Response(write_endpoint(_one(endpoint_pk)))

    @operation(
        "ChangeWebhookEndpoint",
        "Change what is named and leave the rest; what failed is tried at once",
        {200: EndpointOut, **BAD_BODY, **ERRORS, **NONE},
        tag="events",
        parameters=[ENDPOINT],
        request=EndpointIn,
    )
    def partial_update(self, request: Request, endpoint_pk: int) -> Response:
        row = _one(endpoint_pk)
        endpoints.change(row, **_columns(checked(EndpointIn, request.data, partial=True)))
        return Response(write_endpoint(row))

    @operation(
        "DeleteWebhookEndpoint",
        "Post nothing there any more",
        {204: None, **ERRORS, **NONE},
        tag="events",
        parameters=[ENDPOINT],
    )
    def destroy(self, request: Request, endpoint_pk: int) -> Response:
        endpoints.remove(_one(endpoint_pk))
        return Response(status=204)

    @operation(
        "RotateWebhookSecret",
        "A new secret; the former one signs, too, for a while",
        {200: EndpointSecretOut, **BAD_BODY, **ERRORS, **NONE},
        tag="events",
        parameters=[ENDPOINT],
        request=RotateIn,
    )
    def rotate(self, request: Request, endpoint_pk: int) -> Response:
        row = _one(endpoint_pk)
        hours = checked(RotateIn, request.data).get("overlapHours")
        overlap = endpoints.OVERLAP if hours is None else timedelta(hours=hours)
        secret = endpoints.rotate(row, overlap)
        return Response({**write_endpoint(row), "secret": secret})

    @operation(
        "ReplayWebhooks",
        "Post again what stands behind a cursor of the feed",
        {
            202: EndpointOut,
            **BAD_BODY,
            **ERRORS,
            **NONE,
            410: "Events behind the cursor may be deleted already",
        },
        tag="events",
        parameters=[ENDPOINT],
        request=ReplayIn,
    )
    def replay(self, request: Request, endpoint_pk: int) -> Response:
        row = _one(endpoint_pk)
        text = checked(ReplayIn, request.data)["after"]
        place = read_cursor(text) if text else 0
        if place > feed.newest():
            raise ApiError("after is no cursor of the feed: nothing stands before it", field="after")
        if text and feed.may_be_gone(place):
            raise too_old()
        endpoints.replay(row, place)
        return Response(write_endpoint(row), status=202)


def _columns(told: dict[str, Any]) -> dict[str, Any]:
    return {COLUMNS[name]: value for name, value in told.items()}


def _one(pk: int) -> WebhookEndpoint:
    return one_of(endpoints.live(), pk, "No such endpoint")
