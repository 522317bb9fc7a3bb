"""The OpenAPI side of a rule's operations: one view for every CRM, spelled by its dialect."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.crm_settings import label_of
from accounts.rest.schema import string_responses
from connectors.registry import without_contract

CODES = {"retrieve": (400, 401, 404, 500), "create": (200, 400, 401, 404, 409, 500)}
CODES["partial_update"] = (200, 400, 401, 404, 500)
CODES["destroy"] = (200, 400, 401, 404, 500)
INCLUDE = [
    OpenApiParameter(
        "include",
        str,
        enum=["rule"],
        description="`rule`: the answer is the saved rule with its `Problems`, as GET has it, and no string",
    ),
    OpenApiParameter(
        "Prefer", str, OpenApiParameter.HEADER, description="`return=representation`: the same by a header"
    ),
]


class RuleSchema(AutoSchema):
    """Names, bodies and codes come from ``view.dialect``."""

    view: Any

    def get_operation_id(self) -> str:
        if self.view.action == "destroy":
            return f"Delete{self.view.kind.capitalize()}Rule"
        return str(self.view.dialect.operations[self.view.action])

    def get_tags(self) -> list[str]:
        return [self.view.dialect.tag]

    def get_summary(self) -> str:
        verb = {"retrieve": "Read", "create": "Make", "partial_update": "Change", "destroy": "Delete"}
        return f"{verb[self.view.action]} the rule of a quiz in {label_of(self.view.kind)}"

    def get_description(self) -> str:  # type: ignore[override]
        doc = getattr(type(self.view), self.view.action).__doc__
        return " ".join((doc or "").split())

    def get_request_serializer(self) -> Any:
        return None if self.view.action in ("retrieve", "destroy") else self.view.dialect.request

    def get_response_serializers(self) -> Any:
        responses = string_responses(*CODES[self.view.action])
        if self.view.action == "retrieve":
            responses = {200: OpenApiResponse(self.view.dialect.response, "The quiz's settings"), **responses}
        elif self.view.action != "destroy" and self.view.kind in without_contract():
            # Contracts say that a 200 is a string; there the other answer stands in the description alone.
            rule = self.resolve_serializer(self.view.dialect.response, "response").ref
            either = {"oneOf": [{"type": "string"}, rule]}
            responses = {
                **responses,
                200: OpenApiResponse(either, "Success, or the rule if it was asked for"),
            }
        return responses

    def get_override_parameters(self) -> list[Any]:
        quiz = OpenApiParameter("quizID", OpenApiTypes.INT64, OpenApiParameter.PATH, description="Quiz id")
        return [quiz] if self.view.action in ("retrieve", "destroy") else [quiz, *INCLUDE]


class QuizSchema(AutoSchema):
    """What else is done with the rule of a quiz: its name carries the CRM's. ``view.told`` has by action the
    verb and what it is for."""

    view: Any

    def get_operation_id(self) -> str:
        return f"{self.view.told[self.view.action][0]}{self.view.kind.capitalize()}Rule"

    def get_summary(self) -> str:
        return f"{self.view.told[self.view.action][1]} {label_of(self.view.kind)}"

    def get_override_parameters(self) -> list[Any]:
        return [OpenApiParameter("quizID", OpenApiTypes.INT64, OpenApiParameter.PATH, description="Quiz id")]
