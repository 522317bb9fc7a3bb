"""A rule whose leads wait for something of ours rests whole: its queue is not drafted again and again."""

from __future__ import annotations

from accounts import db_clock
from accounts.models import Lane
from connectors.registry import connector_class
from rules.delivery import sweep, worker
from rules.delivery.lane import goes_first
from rules.models import Delivery
from rules.provisioning import prepare

MANY = 120
OTHER_QUIZ = 43


def test_a_long_queue_of_a_rule_that_is_being_prepared_costs_a_single_batch(quiz, later, monkeypatch):
    quiz.api.post(f"/rules/{OTHER_QUIZ}", quiz.place(), content_type="application/json")
    quiz.work()
    wish = {"Fieldsrule": {"Lead": [{"QuestionID": {"q1": 0}}]}}
    asks = {"questions": [{"id": "q1", "title": "Площадь кухни", "type": "text"}]}
    assert quiz.change_rule(**quiz.place(), **wish, Quiz=asks).status_code == 200
    rule = quiz.rule
    for _ in range(MANY):
        quiz.post()
    other = quiz.post(quizID=OTHER_QUIZ).json()["id"]
    account, tried = quiz.account, Delivery.objects.filter(error_code="preparing")

    for _ in range(3):
        worker.drain(account.pk)
    assert 0 < tried.count() <= connector_class("amocrm").can.batch
    assert [row.state for row in Delivery.objects.filter(answer=other)] == ["delivered"]
    assert Lane.objects.get(pk=account.pk).next_due > db_clock.now()
    assert sweep.check_lanes(account.pk) == 0  # nothing is missed
    assert not goes_first(account.pk)

    prepare(rule.pk)
    later(seconds=6)
    quiz.work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert len(quiz.leads) == MANY + 1
