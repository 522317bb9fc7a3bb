"""Answers come in here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.history import OWNER
from accounts.models import Account, live_accounts
from accounts.rest.direct import answer_directly
from accounts.rest.errors import ApiError, Conflict
from accounts.rest.exception_handler import error_object
from accounts.rest.paging import listed
from accounts.rest.views import CallerViewSet, checked, one_of
from accounts.serializers.errors import BAD_FILTER, NO_TOKEN, OurError, operation
from rules.intake import Beginning, Known, New, accept_answers
from rules.mending import NotMendable, mend
from rules.models import Answer, Delivery
from rules.planning import without
from rules.replaying import When, replay_all
from rules.serializers.answers import (
    MOST_ANSWERS,
    AnswerIn,
    AnswerListOut,
    AnswerOut,
    MendedAnswerOut,
    MendIn,
    RefusedItemOut,
    TakenItemOut,
    write_answer,
    write_new,
    write_not_replayed,
)
from rules.views.filters import PERSON_FILTERS, QUIZ_AND_TIME_FILTERS, read_person, read_quiz_and_time

# Validating changes nothing in it; made anew, each request would copy every field of every level.
ANSWER = AnswerIn()
ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="AnswerOrAnswers",
    serializers=[AnswerIn, AnswerIn(many=True)],
    resource_type_field_name=None,
    many=False,
)
ONE_OR_MANY_OUT = PolymorphicProxySerializer(
    component_name="TakenAnswerOrAnswers",
    serializers=[AnswerOut, TakenItemOut(many=True)],
    resource_type_field_name=None,
    many=False,
)
REFUSED = PolymorphicProxySerializer(
    component_name="RefusedAnswerOrAnswers",
    serializers=[OurError, RefusedItemOut(many=True)],
    resource_type_field_name=None,
    many=False,
)
ERRORS = {
    400: "The body says something it may not; the field is named",
    **NO_TOKEN,
    413: "The body is larger than 256 KiB",
    415: "The body is not JSON",
}
WHICH = [OpenApiParameter("answer_pk", int, OpenApiParameter.PATH, description="`id` of an answer, ours")]
NO_ANSWER = {404: "No such answer"}


class AnswerViewSet(CallerViewSet):
    """The caller's answers and what became of each; other accounts' are 404."""

    @operation(
        "PostAnswers",
        "Hand over one finished quiz, or up to 100",
        {
            202: OpenApiResponse(
                ONE_OR_MANY_OUT,
                "Stored; deliveries are on their way. A later body brings its leads up to date",
            ),
            200: OpenApiResponse(ONE_OR_MANY_OUT, "Came before: nothing changed"),
            **ERRORS,
            400: OpenApiResponse(REFUSED, "The body says something it may not; the field is named"),
            409: "This answer id came before with another body, and was complete",
        },
        description="Of a list each item is answered for itself, by its index: what is good is stored, what"
        " is not has an error. 202 where anything was stored, 200 where all of it came before (or is in"
        " conflict with what did), 400 where nothing could be taken.",
        request=ONE_OR_MANY,
    )
    def create(self, caller: str, data: Any) -> tuple[int, Any]:
        """Of the body that came, the status and what is answered."""
        if isinstance(data, list):
            return self._take_many(caller, data)
        [taken] = accept_answers(caller, [ANSWER.run_validation(data)])
        if isinstance(taken, Conflict):
            raise taken
        return 202 if _changed(taken) else 200, _written(taken)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and self.action_map.get("post") == "create":
            return answer_directly(self, request, self.create)
        return super().dispatch(request, *args, **kwargs)

    def _take_many(self, caller: str, items: list[Any]) -> tuple[int, Any]:
        if not 1 <= len(items) <= MOST_ANSWERS:
            raise ApiError(f"A list holds 1 to {MOST_ANSWERS} answers", field="answers")
        read: dict[int, dict[str, Any]] = {}
        errors: dict[int, APIException] = {}
        for index, item in enumerate(items):
            try:
                read[index] = ANSWER.run_validation(item)
            except ValidationError as exc:
                errors[index] = exc
        bodies, statuses = dict[int, dict[str, Any]](), {400}
        for index, found in zip(read, accept_answers(caller, list(read.values())), strict=True):
            if isinstance(found, Conflict):
                errors[index] = found
            else:
                bodies[index] = _written(found)
                statuses.add(202 if _changed(found) else 200)
        bodies |= {index: {"error": error_object(error)} for index, error in errors.items()}
        status = next(code for code in (202, 200, 400) if code in statuses)
        return status, [{"index": index, **bodies[index]} for index in sorted(bodies)]

    @operation(
        "ListAnswers",
        "Answers and their deliveries",
        {200: AnswerListOut, **BAD_FILTER, **NO_TOKEN},
        parameters=[*QUIZ_AND_TIME_FILTERS, *PERSON_FILTERS],
    )
    def index(self, request: Request) -> Response:
        mine = read_quiz_and_time(Answer.objects.filter(account_id=self.caller_id, test=False), request)
        part = listed(request, read_person(mine, request))
        made = Delivery.objects.filter(answer__in=part.rows).select_related("account").order_by("pk")
        by_answer: dict[int, list[Delivery]] = {row.pk: [] for row in part.rows}
        for delivery in made:
            by_answer[delivery.answer_id].append(delivery)
        connected = self._connected()
        written = (
            write_answer(row, mine, without(connected, mine))
            for row, mine in ((row, by_answer[row.pk]) for row in part.rows)
        )
        return Response(part.body(list(written)))

    @operation(
        "GetAnswer",
        "One answer and its deliveries",
        {200: AnswerOut, **NO_TOKEN, **NO_ANSWER},
        parameters=WHICH,
    )
    def retrieve(self, request: Request, answer_pk: int) -> Response:
        return Response(self._told(answer_pk))

    @operation(
        "MendAnswer",
        "Set one value of a stored answer right, and replay its deliveries if you like",
        {
            200: MendedAnswerOut,
            400: "The body says something it may not; the field is named",
            **NO_TOKEN,
            **NO_ANSWER,
            409: "It says so already, or what was answered is erased",
        },
        description="The former body is kept: the quiz platform's repeat of it still gets 200 and changes"
        " nothing. A later body of an incomplete answer keeps what was set right, where it says again what"
        " was wrong.",
        parameters=WHICH,
        request=MendIn,
    )
    def mend(self, request: Request, answer_pk: int) -> Response:
        answer = self._one(answer_pk)
        wanted = checked(MendIn, request.data)
        try:
            mend(answer.pk, wanted["what"], wanted["value"], OWNER)
        except NotMendable as no:
            status = 409 if no.code in ("erased", "conflict") else 400
            raise ApiError(no.words, code=no.code, field=no.field, status=status) from no
        refused = [] if wanted["replay"] == "none" else replay_all(answer, When(wanted["replay"]), OWNER)[1]
        told = [write_not_replayed(row.pk, no) for row, no in refused]
        return Response({**self._told(answer_pk), "notReplayed": told})

    def _one(self, answer_pk: int) -> Answer:
        mine = Answer.objects.filter(account_id=self.caller_id, test=False)
        return one_of(mine, answer_pk, "No such answer")

    def _told(self, answer_pk: int) -> dict[str, Any]:
        answer = self._one(answer_pk)
        made = tuple(answer.deliveries.select_related("account__lane").order_by("pk"))
        return write_answer(answer, made, without(self._connected(), made))

    def _connected(self) -> list[Account]:
        live = live_accounts(account_id=self.caller_id).exclude(state=Account.State.CONNECTING)
        return list(live.order_by("pk"))


def _written(taken: New | Known) -> dict[str, Any]:
    """What is answered of an answer that was taken."""
    if isinstance(taken, Known):
        return write_answer(taken.answer, taken.deliveries, taken.others, taken.revised)
    return write_new(_like(taken.beginning), taken)


@lru_cache(maxsize=1000)
def _like(begins: Beginning) -> dict[str, Any]:
    """Those that begin alike are told alike, so one of them is written whole."""
    return write_answer(begins.answer, begins.deliveries, begins.others)


def _changed(taken: New | Known) -> bool:
    return isinstance(taken, New) or taken.revised
