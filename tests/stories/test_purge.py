"""Contents past their retention are erased; what is not delivered yet is kept as long as it takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from rules import planning, retention
from rules.models import Answer, Attempt, Delivery
from tests.stories.conftest import QUIZ


def test_contents_are_erased_after_their_time_and_not_before(quiz, later):
    quiz.post()
    quiz.work()
    later(days=29)
    retention.purge()
    assert Attempt.objects.count() == 1
    later(days=2)
    retention.purge()
    assert Attempt.objects.count() == 0
    assert Answer.objects.get().payload["quizID"] == 42

    later(days=60)
    retention.purge()
    answer = Answer.objects.get()
    assert (answer.payload, answer.purged_at is not None) == ({}, True)
    assert quiz.delivery.state == Delivery.State.DELIVERED


def test_what_is_not_delivered_keeps_its_contents(quiz, later):
    quiz.post()
    quiz.api.delete("/account")
    quiz.work()
    later(days=400)
    retention.purge()
    assert Answer.objects.get().payload["contact"]["phone"]
    assert quiz.delivery.contact_keys


def test_an_answer_without_a_rule_is_erased_too(shop, later):
    shop.post()
    later(days=91)
    retention.purge()
    assert Answer.objects.get().payload == {}


def an_old_answer() -> Answer:
    created_at = timezone.now() - timedelta(days=400)
    body = {"quizID": QUIZ, "contact": {"phone": "+79990000001"}}
    return Answer.objects.create(
        account_id="shop", quiz_id=QUIZ, answer_id="old", payload=body, digest="", created_at=created_at
    )


def test_an_answer_that_is_purged_while_a_backfill_begins_gets_no_empty_lead(quiz, monkeypatch):
    an_old_answer()
    plan = planning.plan_deliveries

    def purge_first(*asked: Any) -> Any:
        retention.purge()
        return plan(*asked)

    monkeypatch.setattr(planning, "plan_deliveries", purge_first)
    assert planning.backfill(quiz.rule, planning.unplanned(quiz.rule)) == 0
    assert not Delivery.objects.exists()


def test_an_answer_that_a_backfill_plans_while_a_purge_begins_keeps_its_contents(quiz, monkeypatch):
    answer, lock = an_old_answer(), QuerySet.select_for_update

    def backfill() -> int:
        try:
            return planning.backfill(quiz.rule, planning.unplanned(quiz.rule))
        finally:
            connections.close_all()

    def backfill_first(rows: Any, *args: Any, **kwargs: Any) -> Any:
        """Between the purge's look, which saw no delivery, and its lock."""
        if not kwargs.get("skip_locked"):
            return lock(rows, *args, **kwargs)
        seen = list(rows.values_list("pk", flat=True))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(backfill).result() == 1
        return lock(Answer.objects.filter(pk__in=seen), *args, **kwargs)

    monkeypatch.setattr(QuerySet, "select_for_update", backfill_first)
    retention.purge()
    answer.refresh_from_db()
    assert (answer.payload["quizID"], answer.purged_at) == (QUIZ, None)
