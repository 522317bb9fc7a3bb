"""The connection to PostgreSQL breaks at each statement of a drain in turn, before it or behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, F

from connectors.amocrm.connector import AmoConnector
from crm_cache.models import Step
from rules.delivery import outbox, worker
from rules.models import Delivery, Rule, Turns
from tests.statements import broken_at
from tests.stories.test_database_away import cut_off
from tests.stories.test_responsible import people_of
from tests.stories.test_solos import allow_to_look


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.database.PAUSES", (0.0, 0.0))


def each_moment(quiz: Any, later: Callable[..., None], **how: bool) -> Iterator[int]:
    """For each statement an answer, during whose drain the connection breaks there; then others go on."""
    account = quiz.account.pk
    for moment in range(1, 100):
        quiz.post(f"a-{moment}")
        with broken_at(moment, **how) as said, suppress(DatabaseError, InterfaceError):
            worker.drain(account)
        connection.close()
        for _ in range(2):  # what a dead worker left is freed, and then looked up
            later(minutes=6)
            quiz.work()
        yield moment
        if len(said) < moment:
            break
    assert 20 < moment < 99


def untold_tries() -> list[Any]:
    """Deliveries with more tries, or fewer, than are told."""
    told = Delivery.objects.annotate(told=Count("attempts")).exclude(told=F("attempts_made"))
    return list(told.values_list("answer__answer_id", "attempts_made", "told"))


def test_there_is_one_lead_of_each_answer_and_one_turn_for_each_and_every_try_is_told(quiz, later):
    people = [{"PerformerID": one} for one in people_of(quiz)[:2]]
    quiz.change_rule(Extra={"Responsible": {"Own": True, "People": people}})
    count = len(list(each_moment(quiz, later, behind=True)))
    assert (Delivery.objects.filter(state="delivered").count(), len(quiz.leads)) == (count, count)
    assert untold_tries() == []
    drawn = Counter(Delivery.objects.values_list("performer", flat=True))
    assert Turns.objects.get().owed == {who: count - 2 * drawn[who] for who in drawn}
    assert len(drawn) == 2


CLOCKS = {
    "quiz": "later",
    "clinic": "later_there",
    "florist": "later_at_envybox",
    "windows": "later_at_solos",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("side", CLOCKS)
@pytest.mark.parametrize("how", ["broken", "killed"])
def test_wherever_a_drain_ends_each_answer_has_one_lead_and_every_try_is_told(request, settings, side, how):
    quiz, later = request.getfixturevalue(side), request.getfixturevalue(CLOCKS[side])
    if side == "windows":
        allow_to_look(quiz, settings)
    count = len(list(each_moment(quiz, later, behind=True, for_good=how == "killed")))
    delivered = Delivery.objects.filter(state="delivered").count()
    assert (delivered, len(quiz.leads)) == (count, count), list(
        Delivery.objects.exclude(state="delivered").values_list("answer__answer_id", "state", "error_code")
    )
    assert untold_tries() == []


def test_what_a_broken_rule_holds_is_tried_once_and_the_rule_says_why(quiz, later):
    Step.objects.filter(remote_id=quiz.rule.step).update(deleted=True)
    for moment in each_moment(quiz, later, behind=False):
        assert [problem["code"] for problem in quiz.rule.problems], moment
        Rule.objects.update(problems=[])
    assert set(Delivery.objects.values_list("state", "held_because")) == {("held", "fix_rule")}
    assert untold_tries() == []


def test_a_batch_that_cannot_be_settled_keeps_no_other_from_it(quiz, monkeypatch, later):
    monkeypatch.setattr(AmoConnector, "can", replace(AmoConnector.can, batch=1))
    for _ in range(2):
        quiz.post()
    with monkeypatch.context() as away:
        away.setattr(outbox, "settle", cut_off(outbox.settle, times=3))
        with pytest.raises(DatabaseError):
            worker.drain(quiz.account.pk)
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "sending"]

    for _ in range(2):  # freed, and looked up
        later(minutes=3)
        quiz.work()
    assert Delivery.objects.filter(state="delivered").count() == len(quiz.leads) == 2
