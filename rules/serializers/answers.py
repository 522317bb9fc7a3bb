"""Answers on the wire: ours, so errors and names are ours too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from accounts.models import Account
from accounts.rest.paging import ListOut
from accounts.rest.values import BIGGEST
from accounts.serializers.errors import ErrorOut
from connectors.messages import joined, sentences
from rules.delivery.next_try import NextTry, next_tries
from rules.intake import New
from rules.mapping.documented import is_documented
from rules.mapping.payload import MAPS, MARKS, is_complete, is_completeness_told, leftovers, unknown_keys
from rules.models import Answer, Delivery
from rules.replaying import NotReplayable
from rules.serializers.deliveries import DeliveryOut, write_delivery

MOST_ANSWERS = 100
LONGEST_ID = 200  # characters
MOST_WARNINGS = 100


class AnyValue(serializers.JSONField):
    """A text, a number, a yes or no, a list or a map."""


def _text(help_text: str) -> serializers.CharField:
    """One that may be absent, in whatever way."""
    return serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text=help_text)


class QuestionAnswerIn(serializers.Serializer[Any]):
    questionID = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="The quiz's own id of the question: rules map answers to fields by it. Without "
        "one the answer goes into the note.",
    )
    question = _text("What was asked, as people read it in the note.")
    type = _text(
        "The quiz's word for the kind of question: text, number, date, select, multiselect, file, phone, "
        "email ..."
    )
    answer = AnyValue(
        required=False, allow_null=True, help_text="A text, a number, true or false, or a list."
    )


class QuizIn(serializers.Serializer[Any]):
    title = _text("What the quiz is called: the lead is named after it.")


class AnswerIn(serializers.Serializer[Any]):
    """One finished quiz. ``answerID`` is the quiz service's own id: a repeat with it changes nothing.

    The body is stored whole, as it came. Only the two ids are judged: the other keys are documented here, and
    what comes in another shape, or under another key, is kept and named in ``warnings``. ``null``, ``""`` and
    an empty list or map mean absent.
    """

    quizID = serializers.IntegerField(
        min_value=0,
        max_value=BIGGEST,
        help_text="The quiz service's number of the quiz: the answer goes by the rules of this quiz.",
    )
    answerID = serializers.CharField(
        max_length=LONGEST_ID,
        help_text="The quiz service's own id of the answer, unique in its quiz. After any doubt "
        "send the same again.",
    )
    complete = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="false: more will come under this answerID. The lead is made at once; a later body takes "
        "this one's place and brings the same lead up to date. Without it the answer is complete, and "
        "another body under its id is refused (409).",
    )
    quiz = QuizIn(required=False, allow_null=True, help_text="The quiz that was finished.")
    contact = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        required=False,
        allow_null=True,
        help_text="name, phone, email, company, city, telegram ... and whatever else the form asked.",
    )
    answers = serializers.ListField(
        child=QuestionAnswerIn(),
        required=False,
        allow_null=True,
        help_text="What was answered, in the order of the quiz.",
    )
    utm = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True),
        required=False,
        allow_null=True,
        help_text="Marks. Of one that came twice (a list), the first counts and the rest is noted.",
    )
    clientIDs = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True),
        required=False,
        allow_null=True,
        help_text="Ids of analytics: yclid, gclid, _ym_uid, gclientid, fbclid, roistat.",
    )
    page = _text("Address of the page with the quiz.")
    referrer = _text("Address of the page from which the person came.")
    ip = _text("The person's IP address.")
    price = AnyValue(
        required=False, allow_null=True, help_text="The deal's sum, a number or as people write it."
    )
    result = _text("What the quiz showed as its result.")

    def run_validation(self, data: Any = empty) -> Any:
        """Two plain ids are not worth the fields' trouble with them, ten times that of looking at them."""
        return data if _has_plain_ids(data) else super().run_validation(data)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The body as it came, with its ids as an integer and a text."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: "An answer is a JSON object."}
            )
        ids, wrong = {}, {}
        for name in ("quizID", "answerID"):
            try:
                ids[name] = self.fields[name].run_validation(data.get(name, empty))
            except serializers.ValidationError as exc:
                wrong[name] = exc.detail
        if wrong:
            raise serializers.ValidationError(wrong)
        return {**data, **ids}


def _has_plain_ids(data: Any) -> bool:
    """Are they such that ``AnswerIn``'s fields would take them as they are?"""
    if type(data) is not dict:
        return False
    quiz, answer = data.get("quizID"), data.get("answerID")
    if type(quiz) is not int or type(answer) is not str:
        return False
    fits = 0 <= quiz <= BIGGEST and 0 < len(answer) <= LONGEST_ID
    return fits and answer.isascii() and "\0" not in answer and answer == answer.strip()


class WarningOut(serializers.Serializer[Any]):
    code = serializers.ChoiceField(
        choices=[
            ("unknown_key", "nobody knows this key"),
            ("not_read", "the value has another shape than its key should have"),
        ],
        help_text="Why it is only in the note.",
    )
    field = serializers.CharField(help_text="Where in the body it is: answers.3.type.")
    message = serializers.CharField(help_text="For people: what became of it.")


class AnswerOut(serializers.Serializer[Any]):
    """``message`` says what becomes of the answer in each connected CRM."""

    id = serializers.IntegerField(help_text="Our id of the answer.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    createdAt = serializers.DateTimeField(help_text="When it came first.")
    complete = serializers.BooleanField(help_text="false: more is awaited under this answerID.")
    revision = serializers.IntegerField(help_text="How many bodies came under this answerID.")
    message = serializers.CharField(help_text="What becomes of it in each connected CRM, for people.")
    warnings = WarningOut(many=True, help_text="What was kept, though it is not in its documented place")
    deliveries = DeliveryOut(many=True, help_text="Its way into each CRM that has a rule for the quiz.")


class MendIn(serializers.Serializer[Any]):
    what = serializers.CharField(
        max_length=250, help_text="Which value: answer.<questionID>, or contact.<key> such as contact.phone."
    )
    value = AnyValue(help_text="What is right: a text, a number, or a list of these.")
    replay = serializers.ChoiceField(
        choices=[
            ("none", "leads that are there stay as they are until they are replayed"),
            ("then", "all of its deliveries go once more by the rule of that day"),
            ("now", "by the rule of today"),
        ],
        default="none",
        help_text="Whether its deliveries are replayed at once; what has not arrived yet goes with it.",
    )


class NotReplayedOut(serializers.Serializer[Any]):
    deliveryID = serializers.IntegerField(help_text="Our id of the delivery.")
    code = serializers.CharField(help_text="For programs, why it could not be replayed.")
    message = serializers.CharField(help_text="The same for people.")


class MendedAnswerOut(AnswerOut):
    """The answer as it says now."""

    notReplayed = NotReplayedOut(
        many=True,
        help_text="Deliveries that were to be replayed and can't be; empty where all are, or none was to be.",
    )


class AnswerListOut(ListOut):
    items = AnswerOut(many=True, help_text="The rows of this page.")


class TakenItemOut(AnswerOut):
    """One of a list, by its ``index`` there: the answer as it is stored, or the ``error`` alone."""

    index = serializers.IntegerField(help_text="Its place in the list that was sent, from 0.")
    error = ErrorOut(required=False, help_text="Why it was not taken; then there is nothing else.")

    def get_fields(self) -> dict[str, Any]:
        """Either the answer's keys or ``error``."""
        fields = super().get_fields()
        for name in fields.keys() - {"index"}:
            fields[name].required = False
        return fields


class RefusedItemOut(serializers.Serializer[Any]):
    """One of a list of which nothing could be taken."""

    index = serializers.IntegerField(help_text="Its place in the list that was sent, from 0.")
    error = ErrorOut(help_text="Why it was not taken.")


NO_CRM = (
    "The answer is kept. No CRM is connected: connect one, save a rule for this quiz and ask for a backfill."
)
UPDATED = "This body takes the former one's place: the leads that are there are brought up to date."


def write_answer(
    answer: Answer, deliveries: Sequence[Delivery], others: Iterable[Account], revised: bool = False
) -> dict[str, Any]:
    """An answer with its deliveries. ``others`` are accounts that are connected and have none of it,
    ``revised``: a later body has just taken the former one's place."""
    tries = next_tries(deliveries, ask_pace=False)
    told = [UPDATED] if revised else []
    told += [f"{row.account.get_crm_display()}: {_becomes(row, tries[row.pk])}" for row in deliveries]
    told += [
        f"{account.get_crm_display()}: no rule for this quiz, the answer is kept; save a rule and ask for a"
        " backfill."
        for account in others
    ]
    return {
        "id": answer.pk,
        "quizID": answer.quiz_id,
        "answerID": answer.answer_id,
        "createdAt": answer.created_at,
        "complete": answer.complete,
        "revision": answer.revision,
        "message": " ".join(told) or NO_CRM,
        "warnings": warnings_of(answer.payload),
        "deliveries": [write_delivery(row, answer.answer_id, tries[row.pk]) for row in deliveries],
    }


def write_not_replayed(delivery_id: int, no: NotReplayable) -> dict[str, Any]:
    return {"deliveryID": delivery_id, "code": no.code, "message": no.words}


def write_new(like: Mapping[str, Any], new: New) -> dict[str, Any]:
    """What ``write_answer`` says of an answer that was stored just now. ``like``: what it said of one that
    begins alike."""
    moments = dict.fromkeys(("dueAt", "createdAt", "updatedAt"), new.created_at)
    own = {"answerID": new.answer_id, **moments}
    return {
        **like,
        "id": new.pk,
        "answerID": new.answer_id,
        "createdAt": new.created_at,
        "complete": is_complete(new.payload),
        "warnings": warnings_of(new.payload),
        "deliveries": [
            {**one, **own, "id": number}
            for one, number in zip(like["deliveries"], new.deliveries, strict=True)
        ],
    }


def _becomes(row: Delivery, then: NextTry) -> str:
    if row.state == Delivery.State.DELIVERED:
        return "delivered."
    if row.state == Delivery.State.HELD:
        return f"held: {joined(' ', sentences(row.error), row.remedy)}"
    return "on its way." if then.at is None else f"tried next at {then.at:%Y-%m-%d %H:%M:%S} UTC."


UNCLEAR = {
    "code": "not_read",
    "field": "complete",
    "message": "complete: neither true nor false, so the answer counts as complete; it goes into the note.",
}


def warnings_of(payload: Mapping[str, Any]) -> list[dict[str, str]]:
    """What of a body is kept although no documented place was found for it. Empty for a purged body."""
    if is_documented(payload):
        return []
    unknown = [
        {
            "code": "unknown_key",
            "field": path,
            "message": f"{path} is not a key we know; it goes into the note.",
        }
        for path in unknown_keys(payload)
    ]
    unread = [
        {
            "code": "not_read",
            "field": path,
            "message": f"{path}: {_what(path, value)}; it goes into the note.",
        }
        for path, value in leftovers(payload).items()
    ]
    unclear = [] if is_completeness_told(payload) else [UNCLEAR]
    return [*unclear, *unknown, *unread][:MOST_WARNINGS]


def _what(path: str, value: Any) -> str:
    """Of a list for a text the first was taken, unless that is no text either."""
    is_map = path in (*MAPS, *MARKS) or re.fullmatch(r"answers(\.\d+)?", path)
    if is_map or not isinstance(value, list) or isinstance(value[0], (list, Mapping)):
        return "it has another shape"
    return "more than one value came, the first counts"
