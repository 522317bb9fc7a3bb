"""Workers that freeze or die at the worst moment: what was never sent is sent, what came twice is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts import db_clock, states
from connectors.http import HttpClient
from rules.delivery import outbox, worker
from rules.delivery.leased_pace import LeasedRateLimiter
from rules.delivery.worker import Drain
from rules.models import Attempt, Delivery
from rules.outcomes import second_look
from tests.stories.test_solos import allow_to_look

COMPLEX = "/leads/complex"


@pytest.fixture
def others(quiz, later) -> Callable[[], None]:
    """What other workers and beat do while one is frozen for three minutes."""

    def act() -> None:
        quiz.work()
        later(minutes=2)
        quiz.work()
        connection.close()

    def meanwhile() -> None:
        later(minutes=3)
        thread = threading.Thread(target=act)
        thread.start()
        thread.join()

    return meanwhile


def once(
    act: Callable[[], None], real: Callable[..., Any], when: Callable[..., bool] = lambda *_: True
) -> Any:
    """``real``, before whose first fitting call ``act`` happens."""
    done: list[bool] = []

    def wrapped(self: Any, *given: Any) -> Any:
        if not done and when(*given):
            done.append(True)
            act()
        return real(self, *given)

    return wrapped


def test_a_worker_that_freezes_before_its_first_byte_makes_a_double_and_it_is_told(
    quiz, later, monkeypatch, others
):
    sends = once(others, HttpClient._exchange, lambda request: request.path_url.endswith("/complex"))
    monkeypatch.setattr(HttpClient, "_exchange", sends)
    quiz.post("k-1")
    worker.drain(quiz.account.pk)
    later(minutes=5)
    quiz.work()

    late, first = [str(lead["id"]) for lead in quiz.leads][::-1]
    row = quiz.delivery
    assert (row.state, row.remote_id, row.steps["lead"], row.also_made) == ("delivered", first, first, [late])

    assert second_look.look_again(quiz.account.pk) == 0  # it is too early
    later(minutes=11)
    assert second_look.look_again(quiz.account.pk) == 1
    told = quiz.api.get(f"/deliveries/{row.pk}").json()["error"]
    assert told["code"] == "doubled"
    assert first in told["message"]
    assert late in told["message"]
    assert told["remedy"]
    assert len(quiz.leads) == 2
    assert second_look.look_again(quiz.account.pk) == 0


def test_a_worker_that_freezes_before_it_says_that_it_sends_sends_nothing(quiz, later, monkeypatch, others):
    monkeypatch.setattr(LeasedRateLimiter, "about_to_write", once(others, LeasedRateLimiter.about_to_write))
    quiz.post("k-1")
    worker.drain(quiz.account.pk)
    later(minutes=5)
    quiz.work()
    assert len(quiz.leads) == 1
    assert (quiz.delivery.state, quiz.delivery.remote_id) == ("delivered", str(quiz.leads[0]["id"]))


def test_an_unclear_lead_that_is_there_once_is_looked_at_again_and_nothing_is_told(quiz, later):
    quiz.amo.faults.add(COMPLEX, "reset_after")
    quiz.post("k-1")
    quiz.work()
    later(minutes=2)
    quiz.work()
    assert quiz.delivery.state == "delivered"
    assert quiz.delivery.look_again_at is not None

    later(minutes=11)
    quiz.amo.journal.clear()
    assert second_look.look_again(quiz.account.pk) == 0
    assert len(quiz.amo.journal) == 1
    assert (quiz.delivery.look_again_at, quiz.delivery.error) == (None, "")


def test_a_second_look_waits_for_a_crm_that_is_silent(quiz, later, queued):
    quiz.amo.faults.add(COMPLEX, "reset_after")
    quiz.post("k-1")
    quiz.work()
    later(minutes=2)
    quiz.work()
    later(minutes=11)
    quiz.amo.faults.add("/leads$", "reset", times=None)
    second_look.look_again(quiz.account.pk)
    assert quiz.delivery.look_again_at is not None

    queued.clear()
    second_look.look_again_due()
    assert queued == []
    later(hours=2)
    second_look.look_again_due()
    assert queued == [("rules.tasks.look_again", [quiz.account.pk])]


def test_a_clear_lead_is_not_looked_at_again(quiz):
    quiz.post()
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.look_again_at) == ("delivered", None)


def test_a_database_hiccup_before_the_first_request_is_not_may_have_arrived(windows, monkeypatch):
    """solOS can't be asked: what may have arrived would wait for a person."""
    monkeypatch.setattr("accounts.database.PAUSES", ())
    drafts = Drain._draft
    broken: list[bool] = []

    def draft(self: Drain, claimed: Any) -> Any:
        if not broken:
            broken.append(True)
            raise OperationalError("away")
        return drafts(self, claimed)

    monkeypatch.setattr(Drain, "_draft", draft)
    windows.post("k-1")
    with pytest.raises(OperationalError):
        worker.drain(windows.account.pk)
    assert windows.delivery.state == "sending"

    windows.work()
    assert (windows.delivery.state, len(windows.leads)) == ("delivered", 1)
    assert Attempt.objects.count() == 1


def test_a_database_that_is_away_at_the_first_write_keeps_it_from_being_sent(quiz, monkeypatch, later):
    def away(_: Any) -> bool:
        raise OperationalError("away")

    monkeypatch.setattr("accounts.database.PAUSES", ())
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "begin_writing", away)
        quiz.post()
        worker.drain(quiz.account.pk)
    assert len(quiz.leads) == 0
    assert (quiz.delivery.state, quiz.delivery.look_first) == ("waiting", False)

    later(minutes=1)
    quiz.work()
    assert len(quiz.leads) == 1


def test_retry_forgets_no_look_where_the_account_can_look(windows, settings, later_at_solos):
    allow_to_look(windows, settings)
    windows.box.faults.add("/api/post", "reset_after")
    windows.post("k-1")
    windows.work()
    assert windows.delivery.look_first

    assert windows.api.post(f"/deliveries/{windows.delivery.pk}/retry").status_code == 202
    windows.work()
    later_at_solos(minutes=5)
    windows.work()
    assert (len(windows.leads), Delivery.objects.get().state) == (1, "delivered")


def test_a_look_that_breaks_our_code_comes_again_and_one_that_meets_a_block_stops_the_account(
    quiz, later, monkeypatch
):
    quiz.post()
    quiz.work()
    Delivery.objects.update(look_again_at=db_clock.now())
    with monkeypatch.context() as patched:
        patched.setattr(second_look, "_found", once(breaks, second_look._found))
        assert second_look.look_again(quiz.account.pk) == 0
    assert quiz.delivery.look_again_at > db_clock.now()

    later(minutes=61)
    quiz.amo.faults.add("/api/v4/", status=403)
    assert second_look.look_again(quiz.account.pk) == 0
    assert quiz.account.state == "paused"

    states.resume(quiz.account)
    later(minutes=61)
    second_look.look_again(quiz.account.pk)
    assert quiz.delivery.look_again_at is None


def breaks() -> None:
    raise ValueError("nobody has thought of this")
