"""The error object of our own paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from accounts.rest.errors import CODES


class ErrorOut(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=list(CODES.items()), help_text="For programs; it stays.")
    message = serializers.CharField(help_text="For people; it may change.")
    field = serializers.CharField(help_text="What it is about, empty for the whole request.")
    docs = serializers.CharField(help_text="Where to read on.")
    requestId = serializers.CharField(help_text="As in the header X-Request-Id; our logs have it.")


class OurError(serializers.Serializer[Any]):
    error = ErrorOut(help_text="What is wrong, and where.")


# Responses of many operations.
BAD_FILTER = {400: "A filter says something it may not"}
BAD_BODY = {400: "The body says something it may not"}
NO_TOKEN = {401: "No valid bearer token"}
NOT_PLATFORM = {403: "The token's scope is not the platform's"}


def operation(
    operation_id: str, summary: str, responses: Mapping[Any, Any], *, tag: str = "deliveries", **more: Any
) -> Any:
    """An operation of our own paths in the OpenAPI document. ``responses`` are as in ``responses_of``."""
    return extend_schema(
        operation_id=operation_id, tags=[tag], summary=summary, responses=responses_of(responses), **more
    )


def responses_of(responses: Mapping[Any, Any]) -> dict[Any, Any]:
    """Responses by status; a mere sentence says when there is our error."""
    return {
        status: OpenApiResponse(OurError, what) if isinstance(what, str) else what
        for status, what in responses.items()
    }
