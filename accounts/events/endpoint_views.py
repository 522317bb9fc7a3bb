"""Webhook endpoints over REST, for the quiz platform's own tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.events import endpoints, feed
from accounts.events.models import WebhookEndpoint
from accounts.events.views import too_old
from accounts.rest.errors import ApiError, Conflict
from accounts.rest.paging import read_cursor
from accounts.rest.views import PlatformViewSet, checked, one_of
from accounts.serializers.errors import BAD_BODY, NO_TOKEN, NOT_PLATFORM, OurError
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
NONE = {404: OpenApiResponse(OurError, "No such endpoint")}


class EndpointViewSet(PlatformViewSet):
    """Where events are posted."""

    @extend_schema(
        operation_id="ListWebhookEndpoints",
        tags=["events"],
        summary="Where events are posted",
        responses={200: EndpointListOut, **ERRORS},
    )
    def index(self, request: Request) -> Response:
        return Response({"items": [write_endpoint(row) for row in endpoints.live()]})

    @extend_schema(
        operation_id="CreateWebhookEndpoint",
        tags=["events"],
        summary="Have events posted to an address from now on",
        description="The answer shows the secret this once. Posts are signed as Standard Webhooks says.",
        request=EndpointIn,
        responses={
            201: EndpointSecretOut,
            **BAD_BODY,
            **ERRORS,
            409: OpenApiResponse(OurError, f"There are {endpoints.MOST} endpoints already"),
        },
    )
    def create(self, request: Request) -> Response:
        told = checked(EndpointIn, request.data)
        try:
            row = endpoints.create(**_columns(told))
        except endpoints.TooMany as exc:
            raise Conflict(f"There are {endpoints.MOST} endpoints already: delete one") from exc
        return Response({**write_endpoint(row), "secret": row.secret}, status=201)

    @extend_schema(
        operation_id="GetWebhookEndpoint",
        tags=["events"],
        parameters=[ENDPOINT],
        summary="One endpoint, and how it is",
        responses={200: EndpointOut, **ERRORS, **NONE},
    )
    def retrieve(self, request: Request, endpoint_pk: int) -> Response:
        return Response(write_endpoint(_one(endpoint_pk)))

    @extend_schema(
        operation_id="ChangeWebhookEndpoint",
        tags=["events"],
        parameters=[ENDPOINT],
        summary="Change what is named and leave the rest; what failed is tried at once",
        request=EndpointIn,
        responses={200: EndpointOut, **BAD_BODY, **ERRORS, **NONE},
    )
    def partial_update(self, request: Request, endpoint_pk: int) -> Response:
        row = _one(endpoint_pk)
        endpoints.change(row, **_columns(checked(EndpointIn, request.data, partial=True)))
        return Response(write_endpoint(row))

    @extend_schema(
        operation_id="DeleteWebhookEndpoint",
        tags=["events"],
        parameters=[ENDPOINT],
        summary="Post nothing there any more",
        responses={204: None, **ERRORS, **NONE},
    )
    def destroy(self, request: Request, endpoint_pk: int) -> Response:
        endpoints.remove(_one(endpoint_pk))
        return Response(status=204)

    @extend_schema(
        operation_id="RotateWebhookSecret",
        tags=["events"],
        parameters=[ENDPOINT],
        summary="A new secret; the former one signs, too, for a while",
        request=RotateIn,
        responses={200: EndpointSecretOut, **BAD_BODY, **ERRORS, **NONE},
    )
    def rotate(self, request: Request, endpoint_pk: int) -> Response:
        row = _one(endpoint_pk)
        hours = checked(RotateIn, request.data).get("overlapHours")
        overlap = endpoints.OVERLAP if hours is None else timedelta(hours=hours)
        secret = endpoints.rotate(row, overlap)
        return Response({**write_endpoint(row), "secret": secret})

    @extend_schema(
        operation_id="ReplayWebhooks",
        tags=["events"],
        parameters=[ENDPOINT],
        summary="Post again what stands behind a cursor of the feed",
        request=ReplayIn,
        responses={
            202: EndpointOut,
            **BAD_BODY,
            **ERRORS,
            **NONE,
            410: OpenApiResponse(OurError, "Events behind the cursor may be deleted already"),
        },
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
