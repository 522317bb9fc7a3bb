"""Saving a rule answers "Success", or with the rule and its problems where the caller asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from rules.models import Rule
from tests.stories.conftest import QUIZ
from tests.stories.test_rule_round_trip import PATHS, SIDES

PREFER = {"Prefer": "respond-async, return=representation"}


@pytest.fixture(params=list(SIDES))
def side(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """Somebody with a rule, and where their CRM's rules are."""
    return request.getfixturevalue(SIDES[request.param]).api, PATHS[request.param]


@pytest.mark.parametrize("wish", [{"QUERY_STRING": "include=rule"}, {"headers": PREFER}])
def test_a_change_answers_with_the_rule_and_its_problems(side, wish):
    api, path = side
    gone = {"PerformerID": 987654321} if path == "/rules/" else {"PerformerID": "987654321"}
    answer = api.patch(f"{path}{QUIZ}", gone, content_type="application/json", **wish)
    assert answer.status_code == 200
    assert answer.json() == api.get(f"{path}{QUIZ}").json()
    assert [problem["code"] for problem in answer.json()["Problems"]] == ["performer_gone"]
    assert answer.headers.get("Preference-Applied") == (
        "return=representation" if "headers" in wish else None
    )


def test_so_does_making_one(side):
    api, path = side
    rule = api.get(f"{path}{QUIZ}").json()
    answer = api.post(f"{path}{QUIZ + 1}?include=rule", rule, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json() == api.get(f"{path}{QUIZ + 1}").json()
    assert answer.json()["QuizID"] == QUIZ + 1


def test_nothing_else_can_be_included(side):
    api, path = side
    answer = api.patch(f"{path}{QUIZ}?include=rules", {}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, "Bad Request: include: only rule can be included")


def test_a_long_quiz_id_comes_back_as_it_is_or_is_refused(side):
    api, path = side
    long = 2**40
    answer = api.post(f"{path}{long}", api.get(f"{path}{QUIZ}").json(), content_type="application/json")
    if path == "/bitrix/rules/":  # its contract's QuizID has 32 bits
        assert answer.status_code == 400
        assert answer.json() == "Bad Request: quizID: rules of this CRM take 2147483647 at most"
        assert not Rule.objects.filter(quiz_id=long).exists()
    else:
        assert answer.status_code == 200
        assert api.get(f"{path}{long}").json()["QuizID"] == long
