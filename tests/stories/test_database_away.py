"""PostgreSQL goes away just when a CRM has answered: what the CRM said is not forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts import database
from crm_cache import refresh
from crm_cache.models import SyncRun
from crm_cache.runs import ask_for
from rules.delivery import outbox, worker
from rules.models import Attempt


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PAUSES", (0.0, 0.0, 0.0))


def cut_off(act: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The server ends the connection before the statement, so many times."""
    left = [None] * times

    def act_or_not(*arguments: Any) -> Any:
        if left and arguments[0]:
            left.pop()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return act(*arguments)

    return act_or_not


@pytest.mark.parametrize("statement", ["settle", "record_steps"])
def test_a_restarted_database_casts_no_doubt_on_a_lead_that_arrived(quiz, monkeypatch, statement):
    monkeypatch.setattr(outbox, statement, cut_off(getattr(outbox, statement), times=2))

    quiz.post()
    quiz.work()

    assert (quiz.delivery.state, quiz.delivery.attempts_made) == ("delivered", 1)
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["delivered"]
    assert len(quiz.leads) == 1


def test_one_that_stays_away_leaves_the_lead_to_a_look(quiz, monkeypatch, later):
    with monkeypatch.context() as away:
        away.setattr(outbox, "settle", cut_off(outbox.settle, times=9))
        quiz.post()
        with pytest.raises(OperationalError):
            quiz.work()
    assert quiz.delivery.state == "sending"
    assert quiz.account.lane.lease_until is None  # nobody has to wait until the lease runs out

    later(minutes=2)
    quiz.work()
    later(minutes=2)
    quiz.work()

    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)


def test_a_lead_that_was_not_sent_yet_casts_no_doubt_either(quiz, monkeypatch):
    monkeypatch.setattr(worker, "known_contacts", cut_off(worker.known_contacts, times=2))

    quiz.post()
    quiz.work()

    assert (quiz.delivery.state, quiz.delivery.attempts_made) == ("delivered", 1)


def test_an_error_of_ours_leaves_no_batch_under_way_unsettled(quiz, monkeypatch):
    monkeypatch.setattr(worker.Drain, "_collect", broken)

    quiz.post()
    with pytest.raises(RuntimeError):
        quiz.work()

    assert quiz.delivery.state == "delivered"


def broken(*_: Any) -> None:
    raise RuntimeError("This is a test.")


def test_lists_that_were_being_read_are_read_again_within_minutes(quiz, monkeypatch, later):
    """A run that breaks off with the database would keep its list unread until it counts as dead."""
    real, broken = refresh._walk, []

    def walk(run: Any, *given: Any) -> None:
        if run.what == "steps" and not broken:
            broken.append(True)
            raise OperationalError("the connection is lost")
        real(run, *given)

    monkeypatch.setattr(refresh, "_walk", walk)
    ask_for(quiz.account)
    refresh.run_waiting(quiz.account.pk)
    steps = SyncRun.objects.filter(account=quiz.account, what="steps").latest("pk")
    assert (steps.state, steps.error) == ("failed", "The database was out of reach.")

    later(minutes=3)
    refresh.run_waiting(quiz.account.pk)
    assert SyncRun.objects.filter(account=quiz.account, what="steps").latest("pk").state == "done"
