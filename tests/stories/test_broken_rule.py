"""A rule that our own code can't look at keeps no other rule from its turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from rules import provisioning
from rules.delivery import worker
from rules.models import Delivery, Rule


@pytest.mark.parametrize("what", ["recheck", "_prepare_waiting"])
def test_a_broken_rule_stops_no_other(quiz, monkeypatch, what):
    other = quiz.api.post("/rules/43", quiz.place(), content_type="application/json")
    assert other.status_code == 200
    long_ago = timezone.now() - timedelta(days=1)
    Rule.objects.update(prepared_at=long_ago, prepare_at=None, recheck_at=long_ago)
    broken, healthy = Rule.objects.order_by("-pk")
    if what == "_prepare_waiting":
        Rule.objects.filter(pk=broken.pk).update(prepare_at=long_ago)
    real = getattr(provisioning, what)

    def break_on_one(asked):
        if what == "_prepare_waiting" or asked == broken.pk:
            raise RuntimeError("This is a test.")
        return real(asked)

    monkeypatch.setattr(provisioning, what, break_on_one)
    provisioning.prepare_due()
    healthy.refresh_from_db()
    assert healthy.prepared_at > long_ago


def test_a_rule_that_cannot_be_read_costs_its_own_leads_alone(quiz, monkeypatch, later):
    quiz.api.post("/rules/43", quiz.place(), content_type="application/json")
    provisioning.prepare_due()
    real = worker.read_snapshot

    def read(rule, account):
        if rule.quiz_id == 43:
            raise KeyError("This is a test.")
        return real(rule, account)

    with monkeypatch.context() as broken:
        broken.setattr(worker, "read_snapshot", read)
        quiz.post("bad", quizID=43)
        for number in range(3):
            quiz.post(f"good-{number}")
        quiz.work()
    states = dict(Delivery.objects.values_list("answer__answer_id", "state"))
    assert states == {"bad": "waiting", "good-0": "delivered", "good-1": "delivered", "good-2": "delivered"}
    told = Delivery.objects.get(state="waiting")
    assert (told.error_code, told.error) == ("our_bug", "Our own code failed (KeyError)")

    later(minutes=2)
    quiz.work()
    assert not Delivery.objects.exclude(state="delivered").exists()
