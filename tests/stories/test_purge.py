"""Contents past their retention are erased; what is not delivered yet is kept as long as it takes."""

from __future__ import annotations

from rules import sweep
from rules.models import Answer, Attempt, Delivery


def test_contents_are_erased_after_their_time_and_not_before(quiz, later):
    quiz.post()
    quiz.work()
    later(days=29)
    sweep.purge()
    assert Attempt.objects.count() == 1
    later(days=2)
    sweep.purge()
    assert Attempt.objects.count() == 0
    assert Answer.objects.get().payload["quizID"] == 42

    later(days=60)
    sweep.purge()
    answer = Answer.objects.get()
    assert (answer.payload, answer.purged_at is not None) == ({}, True)
    assert quiz.delivery.state == Delivery.State.DELIVERED


def test_what_is_not_delivered_keeps_its_contents(quiz, later):
    quiz.post()
    quiz.api.delete("/account")
    quiz.work()
    later(days=400)
    sweep.purge()
    assert Answer.objects.get().payload["contact"]["phone"]
    assert quiz.delivery.contact_keys


def test_an_answer_without_a_rule_is_erased_too(shop, later):
    shop.post()
    later(days=91)
    sweep.purge()
    assert Answer.objects.get().payload == {}
