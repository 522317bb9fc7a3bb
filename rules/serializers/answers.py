"""Answers and deliveries on the wire: ours, so errors and names are ours too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from accounts.api import BIGGEST
from rules.models import Answer, Attempt, Delivery
from rules.serializers.outcomes import OutcomeOut, write_outcome

MOST_ANSWERS = 100
MOST_QUESTIONS = 500
TEXT = 10_000


class AnyValue(serializers.JSONField):
    """A text, a number, a yes or no, or a list of texts."""


class Price(serializers.DecimalField):
    """A sum, kept as text so that no digit is lost on the way."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if (value := super().to_internal_value(data)) < 0:
            raise serializers.ValidationError("Ensure this value is greater than or equal to 0.")
        return str(value)


class QuestionAnswerIn(serializers.Serializer[Any]):
    questionID = serializers.CharField(max_length=100)
    question = serializers.CharField(max_length=TEXT, required=False, allow_blank=True)
    type = serializers.CharField(max_length=50, required=False, allow_blank=True)
    answer = AnyValue(
        required=False, allow_null=True, help_text="A text, a number, true or false, or a list."
    )


class QuizIn(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=500, required=False, allow_blank=True)


class AnswerIn(serializers.Serializer[Any]):
    """One finished quiz. ``answerID`` is the quiz service's own id: a repeat with it changes nothing."""

    quizID = serializers.IntegerField(min_value=0, max_value=BIGGEST)
    answerID = serializers.CharField(max_length=200)
    complete = serializers.BooleanField(
        required=False,
        help_text="false: more will come under this answerID. The lead is made at once; a later body takes "
        "this one's place and brings the same lead up to date. Without it the answer is complete, and "
        "another body under its id is refused (409).",
    )
    quiz = QuizIn(required=False)
    contact = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        help_text="name, phone, email, company, city, telegram ... and whatever else the form asked.",
    )
    answers = serializers.ListField(child=QuestionAnswerIn(), required=False, max_length=MOST_QUESTIONS)
    utm = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True), required=False
    )
    clientIDs = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True),
        required=False,
        help_text="Ids of analytics: yclid, gclid, _ym_uid, gclientid, fbclid, roistat.",
    )
    page = serializers.CharField(max_length=TEXT, required=False, allow_blank=True)
    referrer = serializers.CharField(max_length=TEXT, required=False, allow_blank=True)
    ip = serializers.CharField(max_length=100, required=False, allow_blank=True)
    price = Price(required=False, help_text="The deal's sum, a number.")
    result = serializers.CharField(max_length=TEXT, required=False, allow_blank=True)


class ArrivedIn(serializers.Serializer[Any]):
    leadID = serializers.CharField(
        max_length=100,
        default="",
        allow_blank=True,
        help_text="The CRM's id of the lead, where it is known: what becomes of it is followed by it.",
    )


class ErrorWords(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    remedy = serializers.CharField()


class DeliveryOut(serializers.Serializer[Any]):
    """One answer on its way through one rule. ``heldBecause`` and ``error`` say what it waits for."""

    id = serializers.IntegerField()
    answerID = serializers.CharField()
    quizID = serializers.IntegerField()
    crm = serializers.CharField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    heldBecause = serializers.CharField()
    dueAt = serializers.DateTimeField()
    tries = serializers.IntegerField()
    leadID = serializers.CharField()
    link = serializers.CharField()
    error = ErrorWords()
    createdAt = serializers.DateTimeField()
    deliveredAt = serializers.DateTimeField(allow_null=True)


class AttemptOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    startedAt = serializers.DateTimeField()
    seconds = serializers.FloatField()
    outcome = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    exchanges = serializers.ListField(child=serializers.DictField())


class DeliveryDetailOut(DeliveryOut):
    revision = serializers.IntegerField(help_text="Which body of the answer the CRM is to have: 1, 2 ...")
    revisionSent = serializers.IntegerField(help_text="Which body was sent last.")
    mark = serializers.CharField()
    steps = serializers.DictField(child=serializers.CharField())
    losses = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    attempts = AttemptOut(many=True)
    outcome = OutcomeOut(allow_null=True, help_text="What became of the lead; null until it is delivered.")


class AnswerOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    quizID = serializers.IntegerField()
    answerID = serializers.CharField()
    createdAt = serializers.DateTimeField()
    complete = serializers.BooleanField(help_text="false: more is awaited under this answerID.")
    revision = serializers.IntegerField(help_text="How many bodies came under this answerID.")
    message = serializers.CharField()
    deliveries = DeliveryOut(many=True)


class DeliveryListOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    items = DeliveryOut(many=True)


class ErrorOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField()


class OurError(serializers.Serializer[Any]):
    error = ErrorOut()


NO_RULE = "No rule for this quiz: the answer is kept, and staff can deliver it once there is one."


UPDATED = "This body takes the former one's place: the leads that are there are brought up to date."


def write_answer(answer: Answer, deliveries: Iterable[Delivery], revised: bool = False) -> dict[str, Any]:
    """An answer with its deliveries; ``message`` says so where there are none, and what a later body does."""
    items = [write_delivery(delivery, answer.answer_id) for delivery in deliveries]
    return {
        "id": answer.pk,
        "quizID": answer.quiz_id,
        "answerID": answer.answer_id,
        "createdAt": answer.created_at,
        "complete": answer.complete,
        "revision": answer.revision,
        "message": (UPDATED if revised else "") if items else NO_RULE,
        "deliveries": items,
    }


def write_delivery(delivery: Delivery, answer_id: str) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "answerID": answer_id,
        "quizID": delivery.quiz_id,
        "crm": delivery.account.crm,
        "state": delivery.state,
        "heldBecause": delivery.held_because,
        "dueAt": delivery.due_at,
        "tries": delivery.attempts_made,
        "leadID": delivery.remote_id,
        "link": delivery.remote_link,
        "error": {"code": delivery.error_code, "message": delivery.error, "remedy": delivery.remedy},
        "createdAt": delivery.created_at,
        "deliveredAt": delivery.delivered_at,
    }


def write_delivery_detail(delivery: Delivery, attempts: Iterable[Attempt]) -> dict[str, Any]:
    return {
        **write_delivery(delivery, delivery.answer.answer_id),
        "revision": delivery.revision,
        "revisionSent": delivery.revision_sent,
        "mark": delivery.uid,
        "steps": delivery.steps,
        "losses": delivery.losses,
        "attempts": [_write_attempt(attempt) for attempt in attempts],
        "outcome": write_outcome(outcome) if (outcome := getattr(delivery, "outcome", None)) else None,
    }


def _write_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "startedAt": attempt.started_at,
        "seconds": attempt.seconds,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "message": attempt.message,
        "exchanges": attempt.exchanges,
    }
