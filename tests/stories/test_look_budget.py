"""What looks may cost: a tenth of a CRM's limit, the newest leads first, samples where notices lead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Hook
from accounts.redis_client import redis_client
from connectors.amocrm.connector import AmoConnector
from connectors.limiter import NoRateLimiter
from rules.models import Outcome
from rules.outcomes import following
from rules.outcomes.look_budget import LookBudget
from tests.stories.followed import lead_of, look, standing


def budget_of(settings: Any, quiz: Any, requests_per_second: float) -> Iterator[LookBudget]:
    options = replace(settings.CRM_OPTIONS["amocrm"], requests_per_second=requests_per_second)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    budget = LookBudget(quiz.account)
    redis_client().delete(budget.key)
    yield budget
    redis_client().delete(budget.key)


@pytest.fixture
def ten_a_second(settings, quiz) -> Any:
    """Of amoCRM's limit; a request of a look then costs a second."""
    yield from budget_of(settings, quiz, 10)


@pytest.fixture
def one_a_minute(settings, quiz) -> Any:
    """A request of a look then costs ten minutes, longer than any test lasts."""
    yield from budget_of(settings, quiz, 1 / 60)


def test_a_look_of_three_requests_is_paid_off_by_a_tenth_of_the_limit(ten_a_second):
    assert ten_a_second.wait() == 0
    ten_a_second.spend(3)
    assert 2 < ten_a_second.wait() <= 3
    ten_a_second.spend(2)
    assert 4 < ten_a_second.wait() <= 5


def test_whoever_has_no_limit_has_no_budget(quiz):
    budget = LookBudget(quiz.account)
    budget.spend(1000)
    assert budget.wait() == 0


def test_without_redis_looks_go_on(ten_a_second, monkeypatch):
    monkeypatch.setattr("rules.outcomes.look_budget.redis_client", lambda: 1 / 0)
    ten_a_second.spend(3)
    assert ten_a_second.wait() == 0


@pytest.fixture
def five_leads(quiz, crm, later, monkeypatch) -> list[str]:
    """Delivered, and all due; a look takes two of them and one request."""
    for _ in range(5):
        quiz.post()
    quiz.work()
    later(hours=2)

    def follow(self: Any, leads: Any) -> list[Any]:
        self.limiter.wait()
        return crm.follow(self, leads)

    monkeypatch.setattr(AmoConnector, "follow", follow)
    monkeypatch.setattr("accounts.access.rate_limiter_for", lambda *_: NoRateLimiter())
    return list(Outcome.objects.order_by("pk").values_list("record_id", flat=True))


def test_looks_stop_at_the_budget_and_go_on_once_it_is_there_again(
    quiz, crm, five_leads, one_a_minute, queued
):
    queued.clear()
    assert look(quiz) == 2
    assert crm.asked == [sorted(five_leads[3:])]
    assert queued[0][0] == "rules.tasks.follow"  # when the budget allows
    assert look(quiz) == 0

    redis_client().delete(one_a_minute.key)
    assert look(quiz) == 2
    assert crm.asked[1] == sorted(five_leads[1:3])


def test_what_was_asked_for_comes_before_what_is_newest(quiz, crm, five_leads, one_a_minute):
    following.look_now(Outcome.objects.filter(record_id=five_leads[0]))
    look(quiz)
    assert crm.asked == [sorted([five_leads[0], five_leads[4]])]
    assert set(Outcome.objects.values_list("asked", flat=True)) == {False}


@pytest.mark.parametrize(
    ("hook", "days"),
    [
        ({"asked_at": timezone.now()}, 1),
        ({"asked_at": timezone.now(), "error": "The plan has no webhooks"}, 0),
        ({"heard_at": timezone.now()}, 1),
        ({}, 0),
    ],
)
def test_where_notices_are_subscribed_the_plan_takes_samples(delivered, crm, later, hook, days):
    Hook.objects.update_or_create(account=delivered.account, defaults={"secret": "s", **hook})
    crm.says[lead_of(delivered)] = standing(lead_of(delivered), status="open")
    later(hours=2)
    look(delivered)
    pause = Outcome.objects.get().next_look_at - timezone.now()
    assert pause > timedelta(hours=23) if days else pause <= timedelta(hours=1)
