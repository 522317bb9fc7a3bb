"""The error object of our own paths."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
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
BAD_FILTER = {400: OpenApiResponse(OurError, "A filter says something it may not")}
BAD_BODY = {400: OpenApiResponse(OurError, "The body says something it may not")}
NO_TOKEN = {401: OpenApiResponse(OurError, "No valid bearer token")}
NOT_PLATFORM = {403: OpenApiResponse(OurError, "The token's scope is not the platform's")}
