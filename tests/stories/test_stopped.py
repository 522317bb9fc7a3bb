"""The CRM has blocked an account, and its owner signs in again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from accounts import checkups, db_clock, hooks, states
from accounts.models import Account, Checkup, Hook, Lane
from accounts.redis_client import redis_client
from crm_cache import directory
from crm_cache.models import ContactDirectory
from crm_cache.refresh import sync_due
from rules.delivery import sweep
from rules.models import Delivery
from tests.stories.walked import read


@pytest.fixture(autouse=True)
def paced(quiz: Any, settings: Any) -> Iterator[None]:
    """The stop sign stands where the pace is kept; without a pace there is none."""
    options = replace(settings.CRM_OPTIONS["amocrm"], requests_per_second=1000)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    yield
    for key in redis_client().scan_iter(f"pace:{settings.REDIS_PREFIX}*"):
        redis_client().delete(key)


def blocked_and_revoked(quiz) -> None:
    """A 403 page has put the stop sign up, and the tokens are refused before anybody has resumed it."""
    quiz.amo.faults.add("/api/v4/", status=403)
    quiz.post()
    quiz.work()
    assert quiz.account.state == "paused"
    quiz.amo.revoke(quiz.crm)
    Account.objects.update(state="needs_reconnect")


def test_signing_in_again_takes_the_stop_sign_down(quiz, connect):
    blocked_and_revoked(quiz)

    assert connect(quiz.crm).json() == "Success"
    sweep.review()
    quiz.work()

    assert (quiz.account.state, quiz.delivery.state, len(quiz.leads)) == ("active", "delivered", 1)


def test_a_block_that_stands_is_told_at_once_and_stops_again(quiz, connect):
    blocked_and_revoked(quiz)
    quiz.amo.faults.add("/api/v4/", status=403)

    assert connect(quiz.crm).status_code == 400
    asked = quiz.amo.journal.total
    quiz.work()

    assert quiz.account.state == "needs_reconnect"
    assert quiz.amo.journal.total == asked


def test_lists_that_a_block_left_unread_are_read_soon_after_it_is_lifted(quiz, connect, later):
    """Not with the next regular reading, hours later: what waits for the account waits for its lists."""
    quiz.amo.revoke(quiz.crm)
    Account.objects.update(state="needs_reconnect")
    quiz.post()
    assert connect(quiz.crm).json() == "Success"
    quiz.amo.faults.add("/api/v4/users", status=403)
    quiz.work()
    assert (quiz.account.state, quiz.delivery.state) == ("paused", "held")

    later(minutes=5)
    states.resume(quiz.account)
    sync_due()
    sweep.review()
    quiz.work()

    assert (quiz.account.state, quiz.delivery.state, len(quiz.leads)) == ("active", "delivered", 1)


@pytest.mark.parametrize("work", ["checkup", "subscription", "walk"])
def test_work_that_met_the_block_goes_on_soon_after_it_is_lifted(quiz, people, later, work):
    """Asking for rights, subscribing notices, walking contacts: it was put off for a day, or an hour."""
    directory.begin(quiz.account)
    do, done = {
        "checkup": (checkups.ask_due, lambda: Checkup.objects.get().error == ""),
        "subscription": (hooks.subscribe_due, lambda: Hook.objects.get().asked_at is not None),
        "walk": (lambda: read(quiz), lambda: ContactDirectory.objects.get().complete),
    }[work]
    quiz.amo.faults.add("/api/v4/", status=403)
    do()
    assert quiz.account.state == "paused"
    assert not done()

    later(minutes=20)
    do()
    states.resume(quiz.account)
    later(minutes=2)
    do()
    assert (quiz.account.state, done()) == ("active", True)


def test_a_crm_that_was_silent_before_it_blocked_is_not_left_to_rest_once_that_is_over(quiz, later):
    for minutes in (0, 1, 2, 10, 20):
        later(minutes=minutes)
        quiz.amo.faults.add("/api/v4/", "timeout", times=None)
        quiz.post()
        quiz.work()
    quiz.amo.faults.clear()
    lane = Lane.objects.get(account=quiz.account)
    assert (lane.failures, lane.rests_until > db_clock.now()) == (5, True)
    Delivery.objects.update(state="delivered")  # nothing is left that the pause would hold
    states.pause(quiz.account, "")
    states.resume(quiz.account)
    quiz.post()
    quiz.work()
    assert len(quiz.leads) == 1
