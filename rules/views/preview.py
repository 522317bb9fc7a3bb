"""What would be sent for an answer, before it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.errors import ApiError, NotFound
from accounts.rest.views import checked
from accounts.serializers.errors import BAD_BODY, NO_TOKEN, responses_of
from connectors.errors import OurMistake
from connectors.messages import joined
from rules.models import Answer
from rules.preview import known_people, preview
from rules.serializers.answers import AnswerIn
from rules.views.rules import QuizViewSet
from rules.views.schema import QuizSchema


class PreviewIn(serializers.Serializer[Any]):
    """Either an answer given here, or one taken before; without both the newest one of the quiz."""

    answerID = serializers.CharField(
        max_length=200, required=False, help_text="The quiz service's own id of an answer that was posted."
    )
    answer = AnswerIn(
        required=False,
        help_text="An answer made up for the preview, as POST /answers takes it; it needs no ids.",
    )


class PlannedRequestOut(serializers.Serializer[Any]):
    method = serializers.CharField(help_text="HTTP method.")
    url = serializers.CharField(help_text="Where it would go; secrets are left out.")
    body = serializers.JSONField(
        allow_null=True,
        help_text="What would be sent; ids that only the CRM can give stand in <angle brackets>.",
    )
    why = serializers.CharField(help_text="What it is for.")


class LossOut(serializers.Serializer[Any]):
    question = serializers.CharField(help_text="What was asked.")
    value = serializers.CharField(help_text="What was answered.")
    reason = serializers.CharField(help_text="Why it fits no field.")
    entity = serializers.CharField(
        help_text="The CRM's kind of record that the field is of; empty where the rule names no field."
    )
    field_id = serializers.CharField(help_text="The CRM's id of the field; empty where the rule names none.")


class ProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="For programs: the problem in one word.")
    message = serializers.CharField(help_text="For people: what is wrong and what it does.")
    field = serializers.CharField(help_text="The part of the rule that it is about, empty for all of it.")


class PreviewOut(serializers.Serializer[Any]):
    requests = PlannedRequestOut(
        many=True, help_text="In the order in which they would be sent; none where the rule can't deliver."
    )
    losses = LossOut(many=True, help_text="Answers that would be in the note only.")
    problems = ProblemOut(many=True, help_text="What is wrong with the rule.")
    route = serializers.CharField(help_text="The route of the rule that it goes by; empty: the rule itself.")
    knownPeople = serializers.ListField(
        child=serializers.CharField(),
        help_text="In words, what is done where the CRM has the person already (`Extra.Existing`, "
        "`Extra.Responsible.Own`); the requests are those for somebody new.",
    )
    leftOut = serializers.CharField(help_text="Why nothing is sent: the rule's condition. Empty where it is.")
    repeated = serializers.CharField(
        help_text="What is done instead where the person has an open lead already, in words; empty where "
        "another one is made all the same."
    )


class PreviewViewSet(QuizViewSet):
    """The exact requests for a given or recent answer; nothing is sent."""

    schema = QuizSchema()
    told = {"create": ("Preview", "What would be sent for an answer, and what would be lost, in")}

    @extend_schema(
        tags=["deliveries"],
        request=PreviewIn,
        responses=responses_of(
            {
                200: PreviewOut,
                **BAD_BODY,
                **NO_TOKEN,
                404: "No account, no rule, or no answer to show",
                409: "The account's address is none that the service may talk to",
            }
        ),
    )
    def create(self, request: Request, quizID: str) -> Response:
        rule = self.live_rule(quizID)
        try:
            found = preview(rule, *self._answer(request, rule.quiz_id))
        except OurMistake as error:
            raise ApiError(error.message, code=error.code, status=409) from error
        on_repeat = found.rule.on_repeat
        told = {
            "route": found.route,
            "leftOut": found.left_out,
            "knownPeople": [joined(": ", who, what) for who, what in known_people(found.rule)],
            "repeated": on_repeat.words() if on_repeat else "",
        }
        return Response({**asdict(found.plan), **told})

    def _answer(self, request: Request, quiz_id: int) -> tuple[Mapping[str, Any], datetime]:
        """The body, and when it came."""
        if not isinstance(request.data, Mapping):
            raise ApiError("The body must be a JSON object")
        given = request.data.get("answer")
        sent = (
            {**request.data, "answer": _with_ids(given, quiz_id)}
            if isinstance(given, Mapping)
            else request.data
        )
        asked = checked(PreviewIn, sent)
        if given := asked.get("answer"):
            return given, timezone.now()
        return self._taken(quiz_id, asked.get("answerID"))

    def _taken(self, quiz_id: int, answer_id: str | None) -> tuple[Mapping[str, Any], datetime]:
        answers = Answer.objects.filter(
            account_id=self.caller_id, quiz_id=quiz_id, purged_at=None, test=False
        )
        answer = (answers.filter(answer_id=answer_id) if answer_id else answers.order_by("-pk")).first()
        if answer is None:
            raise NotFound(
                "There is no answer of this quiz to show; give one under 'answer'", field="answerID"
            )
        return answer.payload, answer.created_at


def _with_ids(answer: Mapping[str, Any], quiz_id: int) -> dict[str, Any]:
    """An answer made up for a preview needs no ids of its own."""
    return {"quizID": quiz_id, "answerID": "preview", **answer}
