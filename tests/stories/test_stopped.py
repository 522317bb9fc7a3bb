"""The CRM has blocked an account, and its owner signs in again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from accounts import states
from accounts.models import Account
from accounts.redis_client import redis_client
from crm_cache.refresh import sync_due
from rules.delivery import sweep


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
