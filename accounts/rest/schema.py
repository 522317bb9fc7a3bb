"""Parts of the OpenAPI document that repeat: on the contract's paths words are JSON strings (D8)."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

WORDS = {
    200: "Success",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    500: "Internal Server Error",
}


def string_responses(*codes: int) -> dict[Any, Any]:
    """The responses that are a JSON string."""
    return {code: OpenApiResponse(OpenApiTypes.STR, description=WORDS[code]) for code in codes}


def optional_texts(**described: str) -> list[OpenApiParameter]:
    """Query parameters that are texts and may be left out."""
    return [OpenApiParameter(name, str, description=text) for name, text in described.items()]


class Int32(serializers.IntegerField):
    """``format: int32``."""


class Int64(serializers.IntegerField):
    """``format: int64``."""


class Component(serializers.Field):
    """A field that the contract describes under a name of its own; subclasses say which, and as what."""

    component: ClassVar[str]
    schema: ClassVar[dict[str, Any]]


class _FormatOfNumbers(OpenApiSerializerFieldExtension):
    target_class: Any = Int32
    match_subclasses = True
    kind = "int32"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "integer", "format": self.kind}


class _FormatOfLongNumbers(_FormatOfNumbers):
    target_class = Int64
    kind = "int64"


class _Named(OpenApiSerializerFieldExtension):
    target_class = Component
    match_subclasses = True

    def get_name(self) -> str:
        return str(self.target.component)

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(self.target.schema)


def no_defaults_in_changes(result: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: no PATCH body has a ``default``.

    What a PATCH lacks stays as it is. A generated client would send the default in its place and so empty
    whatever its caller did not mention.
    """
    for name, component in result["components"]["schemas"].items():
        if name.startswith("Patched"):
            _drop_defaults(component)
    return result


def _drop_defaults(part: Any) -> None:
    if isinstance(part, dict):
        for one in part.get("properties", {}).values():
            for way in (one, *one.get("oneOf", ())):
                way.pop("default", None)
