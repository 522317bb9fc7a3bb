"""Bodies that nobody sends by mistake, on every route that reads one: a clear error, and never our 500."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.test.client import FakePayload

from accounts.rest.parsers import MOST_BYTES
from tests.hostile.routes import Route, rest_routes, routes
from tests.hostile.shapes import assert_clear_error
from tests.hostile.tenants import QUIZ, ids_of

WRITING = [route for route in rest_routes() if {"post", "patch", "put"} & set(route.methods)]
DEEP = 100_000
# Whatever else a body is, these are no JSON object in UTF-8.
UNREADABLE = {
    "brackets": b"[" * DEEP,
    "objects": b'{"a":' * (DEEP // 2),
    "closed brackets": b"[" * DEEP + b"]" * DEEP,
    "cut off": b'{"quizID": 42, "answerID": "a',
    "two of them": b"{} {}",
    "not UTF-8": b'{"answerID": "\xff\xfe\xc3("}',
    "UTF-16": '{"quizID": 42}'.encode("utf-16"),
    "NUL bytes": b"\0" * 1000,
    "a NUL inside": b'{"quizID"\0: 42}',
    "NaN": b'{"quizID": NaN}',
    "an infinity": b'{"quizID": -Infinity}',
    "a form": b"quizID=42&answerID=a",
    "a page": b"<html></html>",
    "nothing but a BOM": b"\xef\xbb\xbf",
}
# These can be read, and must be judged; the fields are those of all our bodies together.
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    "text",
    "\0",
    [],
    [[]],
    [None],
    [0] * 100,
    {},
    {"": ""},
    {"\ud800": "\udfff"},
    {"__proto__": {}, "__class__": "x"},
    {"a": {"a": {"a": [{}] * 50}}},
]
FIELDS = (
    "quizID",
    "answerID",
    "contact",
    "answers",
    "PerformerID",
    "PipelineID",
    "StepID",
    "StageID",
    "Fieldsrule",
    "FieldsRule",
    "TagsToAdd",
    "TypeID",
    "SourceID",
    "LeadFlag",
    "StatusID",
    "answer",
    "leadID",
    "base_url",
    "api_key",
    "token",
    "secret",
    "client_bitrix_url",
    "return_url",
    "QuizConfig",
    "Extra",
    "what",
    "value",
    "replay",
    "rule",
    "dryRun",
    "anew",
)
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**31,
    2**63,
    2**64,
    10**40,
    1e308,
    -0.5,
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "я" * 5000,
    "9" * 5000,
    "x\r\nX-Header: y",
    "' OR 1=1 --",
    "{{7*7}}",
    "<script>",
    "../../etc/passwd",
    [],
    [None],
    [[[]]],
    {},
    {"\0": 1},
    {"QuestionID": None},
    {"QuestionID": {"\0": 10**30}},
    [{"QuestionID": {"a": {}}}],
    {"lead": 5},
    {"Task": {"Text": {}, "Minutes": 10**40}},
    {"Repeated": {"Do": {"a": 1}, "WithinDays": []}},
    {"Options": [{"Record": 1, "Question": [], "Field": {}, "Map": {"\0": "\ud800"}}]},
    {"Existing": {"Contact": {"Fields": {"\0": 5}}}},
    {"Lead": [1, None, {}]},
    {"phone": ["x"], "email": {"a": 1}, "name": 10**400},
]


def url_of(route: Route) -> str:
    return route.url(**{name: ids_of(name)[0] for name in route.ids})


def send(
    client: Client, method: str, url: str, body: bytes, kind: str = "application/json", **more: Any
) -> Any:
    return client.generic(method.upper(), url, body, content_type=kind, **more)


def writing_methods(route: Route) -> list[str]:
    return [method for method in route.methods if method in ("post", "patch", "put")]


def reads_a_body(route: Route) -> bool:
    """Some routes have no use for one and look at none: asking for a refresh, or for a consent page."""
    return route.path.split("/")[-1] not in READ_NOTHING


READ_NOTHING = {"users", "pipelines", "steps", "fields", "tags", "retry", "cancel", "pause", "resume"}


@pytest.mark.parametrize("route", WRITING, ids=str)
def test_what_is_no_json_is_refused(owner: Client, route: Route, crm_silent: None) -> None:
    for method in writing_methods(route):
        for name, body in UNREADABLE.items():
            answer = send(owner, method, url_of(route), body)
            if reads_a_body(route) and str(route) != "/account":
                assert_clear_error(answer, route, {400})
            assert answer.status_code < 500, (method, name)


class Endless(io.RawIOBase):
    """A body of ten megabytes that counts how much of it was read."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        left = 10_000_000 - self.taken
        size = left if size is None or size < 0 else min(size, left)
        self.taken += size
        return b" " * size


@pytest.mark.parametrize("route", [r for r in routes() if not r.path.endswith("/")], ids=str)
def test_ten_megabytes_are_refused_unread(owner: Client, route: Route, crm_silent: None) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        for method in set(route.methods) - {"head", "options"}:
            body = Endless()
            url = route.url(**{name: 1 if number else "x" for name, number in route.ids.items()})
            answer = owner.generic(
                method.upper(), url, content_type=kind, CONTENT_LENGTH="10000000", **{"wsgi.input": body}
            )
            assert answer.status_code < 500, (method, kind)
            assert body.taken <= MOST_BYTES + 1, (method, kind)


def mixtures(number: int) -> Iterator[dict[str, Any]]:
    """Bodies of random fields with random values; the same ones in every run."""
    chance = random.Random(7)
    for _ in range(number):
        fields = chance.sample(FIELDS, chance.randint(1, len(FIELDS)))
        yield {field: chance.choice(VALUES) for field in fields}


@pytest.mark.parametrize("route", WRITING, ids=str)
def test_strange_values_are_judged(owner: Client, route: Route, crm_silent: None) -> None:
    for method in writing_methods(route):
        for body in (*STRANGE, *mixtures(60)):
            answer = send(owner, method, url_of(route), json.dumps(body).encode())
            if answer.status_code >= 400:
                assert_clear_error(answer, route)


def test_an_answer_with_strange_parts_is_taken_or_refused(owner: Client) -> None:
    whole = {"quizID": QUIZ, "answerID": "z", "contact": {"name": "Анна"}, "answers": []}
    parts = [("contact", {"name": v}) for v in VALUES] + [("contact", {"phone": v}) for v in VALUES]
    parts += [("answers", [{"questionID": "q", "question": "q", "answer": v}]) for v in VALUES]
    parts += [("answers", [{"questionID": v, "question": v, "answer": "1"}]) for v in VALUES]
    parts += [(name, value) for name in (*whole, "utm", "extra", "createdAt", "url") for value in VALUES]
    taken = 0
    for number, (name, value) in enumerate(parts):
        body = whole | {"answerID": f"z-{number}"} | {name: value}
        answer = send(owner, "post", "/answers", json.dumps(body).encode())
        taken += answer.status_code == 202
        if answer.status_code != 202:
            assert_clear_error(answer, ANSWERS, {400, 409})
    assert taken > len(VALUES)


ANSWERS = next(route for route in rest_routes() if route.path == "answers")


@pytest.mark.parametrize(
    "body",
    [
        '{"quizID": 1, "quizID": 42, "answerID": "d", "answerID": "e", "contact": {"name": "x"}}',
        '{"answerID": "d", "quizID": 42, "contact": {"name": "x", "name": ["y"]}, "contact": {}}',
    ],
)
def test_of_a_key_that_comes_twice_one_counts(owner: Client, body: str) -> None:
    answer = send(owner, "post", "/answers", body.encode())
    assert answer.status_code in (202, 400)
    assert send(owner, "post", "/answers", body.encode()).status_code in (200, 400)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "x" * 9000,
        "application/json, text/html",
        "\x7f/\x01",
        "application/jsonp",
    ],
)
def test_other_kinds_of_bodies_are_told_so(owner: Client, kind: str, crm_silent: None) -> None:
    for route in WRITING:
        for method in writing_methods(route):
            answer = send(owner, method, url_of(route), b'{"quizID": 42}', kind)
            assert answer.status_code < 500, (route, kind)
            if answer.status_code >= 400:
                assert_clear_error(answer, route)


def test_a_length_that_lies_harms_nobody(owner: Client) -> None:
    for length in ("0", "5", "-1", "abc", "99999999999999999999", ""):
        payload = FakePayload(b'{"quizID": 42}')
        answer = owner.generic(
            "POST",
            "/answers",
            content_type="application/json",
            CONTENT_LENGTH=length,
            **{"wsgi.input": payload},
        )
        assert_clear_error(answer, ANSWERS, {400, 415})
