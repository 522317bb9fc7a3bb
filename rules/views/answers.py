"""Answers come in here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import BIGGEST, CallerViewSet
from accounts.api_errors import ApiError, NotFound
from rules.intake import accept_answers
from rules.models import Answer
from rules.serializers.answers import MOST_ANSWERS, AnswerIn, AnswerOut, OurError, write_answer

# Validating changes nothing in them; made anew, each request would copy every field of every level.
ONE, MANY = AnswerIn(), AnswerIn(many=True)
ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="AnswerOrAnswers",
    serializers=[AnswerIn, AnswerIn(many=True)],
    resource_type_field_name=None,
    many=False,
)
ONE_OR_MANY_OUT = PolymorphicProxySerializer(
    component_name="TakenAnswerOrAnswers",
    serializers=[AnswerOut, AnswerOut(many=True)],
    resource_type_field_name=None,
    many=False,
)
ERRORS = {
    400: OpenApiResponse(OurError, "The body says something it may not; the field is named"),
    401: OpenApiResponse(OurError, "No valid bearer token"),
    413: OpenApiResponse(OurError, "The body is larger than 256 KiB"),
    415: OpenApiResponse(OurError, "The body is not JSON"),
}


class AnswerViewSet(CallerViewSet):
    """Taking an answer and asking what became of it."""

    error_shape = "object"

    @extend_schema(
        operation_id="PostAnswers",
        tags=["deliveries"],
        summary="Hand over one finished quiz, or up to 100",
        request=ONE_OR_MANY,
        responses={
            202: OpenApiResponse(
                ONE_OR_MANY_OUT,
                "Stored; deliveries are on their way. A later body brings its leads up to date",
            ),
            200: OpenApiResponse(ONE_OR_MANY_OUT, "Came before: nothing changed"),
            **ERRORS,
            409: OpenApiResponse(OurError, "This answer id came before with another body, and was complete"),
        },
    )
    def create(self, request: Request) -> Response:
        many = isinstance(request.data, list)
        taken = accept_answers(self.caller_id, _read(request.data, many))
        bodies = [write_answer(item.answer, item.deliveries, item.revised) for item in taken]
        status = 202 if any(item.is_new or item.revised for item in taken) else 200
        return Response(bodies if many else bodies[0], status=status)

    @extend_schema(
        operation_id="GetAnswer",
        tags=["deliveries"],
        summary="One answer and its deliveries",
        responses={200: AnswerOut, 401: ERRORS[401], 404: OpenApiResponse(OurError, "No such answer")},
    )
    def retrieve(self, request: Request, answer_pk: int) -> Response:
        answer = Answer.objects.filter(pk=min(answer_pk, BIGGEST), account_id=self.caller_id).first()
        if answer is None:
            raise NotFound("No such answer", field="id")
        return Response(write_answer(answer, answer.deliveries.select_related("account").order_by("pk")))


def _read(body: Any, many: bool) -> list[dict[str, Any]]:
    """The validated answers. Raises ``ApiError`` or DRF's ``ValidationError``, naming index and field."""
    if many and not 1 <= len(body) <= MOST_ANSWERS:
        raise ApiError(f"A list holds 1 to {MOST_ANSWERS} answers", field="answers")
    return list(MANY.run_validation(body)) if many else [ONE.run_validation(body)]
