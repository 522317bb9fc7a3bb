"""Calls that the quickstart offers to paste: each is an operation of ours, and its body is taken."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import ResolverMatch, resolve

from rules.serializers.answers import AnswerIn
from rules.views.preview import PreviewIn
from tests.docs.citations import text_of

FENCED = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """One ``api`` line of a document: ``body`` is None where none is sent."""

    method: str
    path: str
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def match(self) -> ResolverMatch:
        return resolve(self.path)


def commands_of(name: str) -> list[str]:
    """The commands of a document's blocks, each of which may go over several lines."""
    return [line.strip() for block in FENCED.findall(text_of(name)) for line in re.split(r"\n(?=\S)", block)]


def calls_of(name: str) -> list[Call]:
    """The ``api ... $URL/...`` commands, but for those whose body the shell makes."""
    lines = [line for line in commands_of(name) if line.startswith("api ") and "${" not in line]
    return [call_of(shlex.split(line, comments=True)) for line in lines]


def call_of(words: list[str]) -> Call:
    [url] = [word for word in words if word.startswith("$URL")]
    options = dict(pairwise(words))
    body = json.loads(options["-d"]) if "-d" in options else None
    method = options.get("-X", "GET" if body is None else "POST")
    return Call(method, urlsplit(url.removeprefix("$URL")).path, body)


CALLS = calls_of("docs/quickstart.md")


def test_every_crm_gets_a_rule_and_an_answer_is_posted():
    posted = {call.path for call in CALLS if call.body}
    assert posted >= {"/rules/7", "/bitrix/rules/7", "/envybox/rules/7", "/solos/rules/7", "/answers"}


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_is_an_operation(call: Call):
    assert call.method.lower() in call.match.func.actions  # type: ignore[attr-defined]


@pytest.mark.parametrize("call", [call for call in CALLS if call.body is not None], ids=str)
def test_a_body_is_taken(call: Call):
    if call.path == "/answers":
        AnswerIn(data=call.body).is_valid(raise_exception=True)
    elif call.path.endswith("/preview"):
        answer = {"quizID": 7, "answerID": "preview", **call.body["answer"]}
        PreviewIn(data={"answer": answer}).is_valid(raise_exception=True)
    else:
        dialect = call.match.func.initkwargs["dialect"]  # type: ignore[attr-defined]
        assert dialect.read(call.body, partial=False)
        assert set(call.body) <= set(dialect.request().fields), "a key that no rule has"
