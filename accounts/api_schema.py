"""Parts of the OpenAPI document that repeat: on the contract's paths words are JSON strings (D8)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

WORDS = {
    200: "Success",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    500: "Internal Server Error",
}


def words(*codes: int) -> dict[Any, Any]:
    """The responses that are a JSON string."""
    return {code: OpenApiResponse(OpenApiTypes.STR, description=WORDS[code]) for code in codes}


def optional(**described: str) -> list[OpenApiParameter]:
    """Query parameters that are texts and may be left out."""
    return [OpenApiParameter(name, str, description=text) for name, text in described.items()]
