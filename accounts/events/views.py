"""The feed of events over REST: of one quiz account, or of all for the platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.events import feed
from accounts.events.models import EventType
from accounts.rest.authentication import EitherAuthentication, IsEither, Platform
from accounts.rest.errors import ApiError
from accounts.rest.paging import cursor, read_cursor, read_number
from accounts.rest.views import CallerViewSet
from accounts.serializers.errors import NO_TOKEN, operation
from accounts.serializers.events import EventListOut, write_event

EITHER: Any = [{"BearerAuth": []}, {"PlatformAuth": []}]  # as OpenAPI writes "or"
FIRST_SIZE, MOST_SIZE = 100, 1000
FILTERS = [
    OpenApiParameter("after", str, description="`next` of the last answer; without it, from the oldest kept"),
    OpenApiParameter(
        "types", str, description="Only these types, separated by commas", examples=[
            OpenApiExample("two types", value="delivery.delivered,outcome.changed")
        ],
    ),
    OpenApiParameter("size", int, description=f"{FIRST_SIZE} unless given, {MOST_SIZE} at most"),
    OpenApiParameter("accountID", str, description="For the platform: only of this quiz account"),
]  # fmt: skip


class EventViewSet(CallerViewSet):
    """What happened to the caller's answers and accounts; to everybody's, where the platform asks."""

    authentication_classes = (EitherAuthentication,)
    permission_classes = (IsEither,)

    @operation(
        "ListEvents",
        "What has happened, in order, behind a cursor",
        {
            200: EventListOut,
            400: "A parameter says something it may not",
            **NO_TOKEN,
            403: "Other accounts' events are for the platform's tokens",
            410: "Events behind the cursor may be deleted already",
        },
        tag="events",
        auth=EITHER,
        description="Of the token's quiz account; of all of them where the token's scope is the platform's. "
        "Nothing is skipped: an event that was written late comes late. Webhooks bring the same events.",
        parameters=FILTERS,
    )
    def index(self, request: Request) -> Response:
        text = request.query_params.get("after", "")
        size = min(read_number(request, "size") or FIRST_SIZE, MOST_SIZE)
        after, owner = read_cursor(text) if text else None, self._owner(request)
        try:
            part = feed.read(after, size, owner, read_types(request))
        except feed.Expired as exc:
            raise too_old() from exc
        items = list(map(write_event, part.events))
        return Response({"items": items, "next": cursor(part.next), "more": part.more})

    def _owner(self, request: Request) -> str:
        """Whose events; empty for everybody's. Raises ``PermissionDenied``."""
        asked = request.query_params.get("accountID", "")
        if isinstance(request.user, Platform):
            return asked
        if asked not in ("", self.caller_id):
            raise PermissionDenied(
                f"Other accounts' events want a token with the scope {settings.JWT_PLATFORM_SCOPE}"
            )
        return self.caller_id


def read_types(request: Request) -> list[str]:
    """The types that ``types`` names. Raises ``ApiError``."""
    named = [word.strip() for word in request.query_params.get("types", "").split(",") if word.strip()]
    if unknown := [word for word in named if word not in EventType.values]:
        raise ApiError(f"types: {unknown[0]!r} is none of {', '.join(EventType.values)}", field="types")
    return named


def too_old() -> ApiError:
    """The answer to a cursor behind which events may be gone."""
    words = f"Events are kept for {settings.EVENT_DAYS} days and the cursor is older: begin without it"
    return ApiError(words, code="cursor_expired", field="after", status=410)
