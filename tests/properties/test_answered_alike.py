"""``POST /answers`` goes past DRF; whatever comes, it is answered byte for byte as DRF would answer it."""

from __future__ import annotations

import io
import json
import os
import time
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import jwt
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import RequestFactory
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.direct import encoded
from accounts.rest.errors import Conflict
from accounts.rest.rate_limit import Allowance
from accounts.rest.views import CallerViewSet
from connectors.messages import joined, message
from rules.serializers.answers import AnswerIn
from rules.views.answers import AnswerViewSet

often = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "300")),
    derandomize=True,
    database=None,
    deadline=None,
)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=10) | st.sampled_from(
    ["\u2028", "a\u2029"]
)
said = texts.map(ErrorDetail) | texts.map(lambda text: joined(": ", message("It is {what}", what=text), text))
moments = st.datetimes(timezones=st.just(UTC)) | st.just(datetime(2026, 1, 1, tzinfo=UTC))
written = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts | said | moments,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


@given(value=written)
@often
def test_what_is_answered_is_written_as_drf_writes_it(value: Any) -> None:
    assert encoded([value]) == JSONRenderer().render([value])


quizzes = st.integers(-1, 2**63) | st.sampled_from(
    ["42", " 42 ", "x", 4.0, 4.5, True, None, [], {}, "4" * 2000]
)
ids = st.text(max_size=5) | st.sampled_from(
    ["k" * 200, "k" * 201, " k ", "", " ", "a\0b", "\x85k", 7, None, ["k"]]
)
answers = (
    st.fixed_dictionaries({"quizID": quizzes, "answerID": ids}, optional={"price": st.just(1e308) | texts})
    | st.dictionaries(st.sampled_from(["quizID", "answerID", "page"]), texts | quizzes, max_size=3)
    | st.none()
    | texts
)


@given(data=answers)
@often
@example(data={"quizID": 1, "answerID": "k", "price": float("inf")})
def test_plain_ids_are_judged_as_the_fields_judge_them(data: Any) -> None:
    def judged(judge: Any) -> Any:
        try:
            return dict(judge(data))
        except ValidationError as exc:
            return exc.get_full_details()

    fields = AnswerIn()
    slowly = judged(lambda data: serializers.Serializer.run_validation(fields, data))
    assert json.dumps(judged(AnswerIn().run_validation)) == json.dumps(slowly)


class ByDrf(AnswerViewSet):
    """The same view as DRF dispatches it."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return CallerViewSet.dispatch(self, request, *args, **kwargs)

    def post_by_drf(self, request: Request) -> Response:
        status, body = self.create(self.caller_id, request.data)
        return Response(body, status)


DIRECT = AnswerViewSet.as_view({"get": "index", "post": "create"})
BY_DRF = ByDrf.as_view({"get": "index", "post": "post_by_drf"})
NO_TOKEN = ["", "Bearer", "Basic abc", "Bearer rubbish", "bearer  "]


def token(**claims: Any) -> str:
    return "Bearer " + jwt.encode({"exp": 2e9, **claims}, django_settings.JWT_KEY, algorithm="HS256")


def refused(account_id: str, payloads: Any) -> list[Any]:
    """Nothing is stored; what would be is in the answer."""
    return [Conflict(json.dumps([account_id, payload]), field="answerID") for payload in payloads]


def asked(view: Any, body: bytes, kind: str, authorization: str, allowance: Any, **more: Any) -> HttpResponse:
    request = RequestFactory().generic(
        "POST",
        "/answers",
        body,
        kind,
        headers={"Authorization": authorization},
        **{"wsgi.input": io.BytesIO(body), **more},
    )
    with (
        mock.patch("rules.views.answers.accept_answers", refused),
        mock.patch("accounts.rest.rate_limit.count", return_value=allowance),
        mock.patch("accounts.rest.direct.count", return_value=allowance),
    ):
        answer = view(request)
    if hasattr(answer, "render"):
        answer.render()
    return answer


bodies = (answers | st.lists(answers, max_size=4)).map(
    lambda body: json.dumps(body).encode()
) | st.sampled_from(
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 300,
        b'{"quizID": 1, "answerID": "k", "price": 1e999}',
        b"x" * 300000,
        json.dumps([{"quizID": 1, "answerID": "k"}] * 101).encode(),
    ]
)
kinds = st.just("application/json") | st.sampled_from(
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/plain",
        "",
        "*/*",
        "application/*",
        "x" * 100,
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/html",
    ]
)
tokens = st.just({"id": "shop"}) | st.sampled_from([{"id": ""}, {"id": "shop", "exp": 1}, {}, {"id": 7}])
allowances = st.sampled_from([None, Allowance(10, 3, 42), Allowance(10, 11, 42)])
lengths = st.just({}) | st.sampled_from([{"CONTENT_LENGTH": text} for text in ("", "0", "abc", "5")])


@given(
    body=bodies, kind=kinds, claims=tokens | st.sampled_from(NO_TOKEN), allowance=allowances, length=lengths
)
@often
def test_a_request_is_answered_as_drf_answers_it(
    body: bytes, kind: str, claims: Any, allowance: Any, length: dict[str, str]
) -> None:
    authorization = claims if isinstance(claims, str) else token(**claims)
    ours, drf = (asked(view, body, kind, authorization, allowance, **length) for view in (DIRECT, BY_DRF))
    assert (ours.status_code, ours.content) == (drf.status_code, drf.content)
    assert dict(ours.items()) == dict(drf.items())


def test_a_bug_of_ours_is_nothing_that_a_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert time.time() < 2e9  # when these tokens end
    broken = mock.Mock(side_effect=ZeroDivisionError)
    monkeypatch.setattr("rules.views.answers.ANSWER.run_validation", broken)
    with pytest.raises(ZeroDivisionError):
        asked(DIRECT, b"{}", "application/json", token(id="shop"), None)
