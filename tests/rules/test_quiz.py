"""A quiz's own words, from whoever knows them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import responses
from django.core.cache import cache

from accounts.models import Account
from rules.mapping import quiz
from rules.models import Answer, Rule

pytestmark = pytest.mark.django_db
URL = "https://quiz.demo.example/api/quizzes/42?full=1"


@pytest.fixture
def rule() -> Rule:
    account = Account.objects.create(account_id="shop", crm="amocrm", state="active", remote_id="1")
    return Rule.objects.create(account=account, quiz_id=42)


@pytest.fixture
def platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The quiz platform, asked for configurations; its name need not lead anywhere."""
    settings.QUIZ_CONFIG_URL = "https://quiz.demo.example/api/quizzes/{quizID}?full=1"
    cache.clear()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock
    cache.clear()


def answered(number: int, *items: dict[str, Any]) -> None:
    payload = {"answers": list(items)}
    Answer.objects.create(
        account_id="shop", quiz_id=42, answer_id=f"a{number}", payload=payload, digest=str(number)
    )


def test_the_newest_answer_that_says_so_counts(rule: Rule) -> None:
    answered(1, {"questionID": "1", "question": "Площадь", "type": "number"})
    answered(2, {"questionID": "1", "question": " Площадь  кухни "}, {"questionID": "2", "answer": "x"})
    assert quiz.questions(rule, ["1"]) == {"1": {"title": "Площадь кухни", "type": "number"}, "2": {}}


def test_the_rules_own_words_count_first(rule: Rule, platform: Any) -> None:
    rule.quiz = {"questions": [{"id": 1, "title": "Метраж", "options": [{"title": "12"}, "20"]}]}
    assert quiz.questions(rule, ["1"]) == {"1": {"title": "Метраж", "options": ["12", "20"]}}
    assert len(platform.calls) == 0


def test_the_platform_is_asked_once(rule: Rule, platform: Any) -> None:
    config = {"questions": [{"id": "1", "title": "Площадь", "type": "number"}]}
    platform.get(URL, json=config)
    answered(1, {"questionID": "1", "question": "площадь?"}, {"questionID": "3", "question": "Цвет"})
    for _ in range(2):
        known = quiz.questions(rule, ["1"])
    assert known["1"] == {"title": "Площадь", "type": "number"}
    assert known["3"]["title"] == "Цвет"
    assert len(platform.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"status": 404},
        {"body": "<html>"},
        {"json": [1]},
        {"body": requests.ConnectionError("away")},
    ],
)
def test_a_platform_that_fails_never_matters(rule: Rule, platform: Any, answer: dict[str, Any]) -> None:
    platform.get(URL, **answer)
    assert quiz.questions(rule, ["1"]) == {}


@pytest.mark.parametrize("questions", [None, 5, {}, [None], [{"id": 1, "title": None, "options": 7}]])
def test_odd_configurations_say_nothing(rule: Rule, questions: Any) -> None:
    rule.quiz = {"questions": questions}
    assert not any(words.get("title") for words in quiz.questions(rule, ["1"]).values())


def test_only_public_addresses_are_asked(rule: Rule, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.QUIZ_CONFIG_URL = "https://inside.demo.example/{quizID}"
    asked: list[str] = []
    monkeypatch.setattr(
        "connectors.ssrf_guard.socket.getaddrinfo",
        lambda host, *_, **__: asked.append(host) or [(2, 1, 6, "", ("10.0.0.7", 443))],
    )
    cache.clear()
    assert quiz.configuration(42) == {}
    assert asked == ["inside.demo.example"]
