"""Many workers draw at once: the turns of a rule go round as in one queue. Real threads, real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from accounts.models import Account
from rules.delivery.assignment import Asking, assign
from rules.mapping.responsible import read_stored
from rules.mapping.rule_snapshot import RuleSnapshot, Seen
from rules.models import Answer, Delivery, Rule, Turns
from tests.rules.test_mapping import BOOK

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS, WORKERS, BATCH = 2_000, 8, 50
PEOPLE = ("1", "2", "3")


@pytest.fixture
def rule(db: None) -> Rule:
    account = Account.objects.create(
        account_id="a", crm="amocrm", remote_id="1", host="a.amocrm.ru", state="active"
    )
    return Rule.objects.create(account=account, quiz_id=42)


def snapshot(rule: Rule, *weights: int) -> RuleSnapshot:
    people = [{"performer": who, "weight": weight} for who, weight in zip(PEOPLE, weights, strict=True)]
    seen = {who: Seen(who, True) for who in PEOPLE}
    return replace(BOOK, rule_id=rule.pk, responsible=read_stored({"people": people}), seen_people=seen)


def deliveries(rule: Rule) -> list[int]:
    answers = Answer.objects.bulk_create(
        Answer(account_id="a", quiz_id=42, answer_id=f"k{n}", digest="x", payload={}) for n in range(ANSWERS)
    )
    rows = Delivery.objects.bulk_create(
        Delivery(answer=answer, rule=rule, account=rule.account, owner="a", quiz_id=42, uid=f"qz{answer.pk}")
        for answer in answers
    )
    return [row.pk for row in rows]


def test_two_thousand_answers_and_eight_workers_are_shared_fairly(rule):
    keys, book = deliveries(rule), snapshot(rule, 1, 1, 1)
    batches = [keys[start : start + BATCH] for start in range(0, ANSWERS, BATCH)]

    def work(batch: list[int]) -> None:
        try:
            rows = Delivery.objects.filter(pk__in=batch).select_related("answer").order_by("pk")
            assign([Asking(row, book, {}) for row in rows])
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, batches))
        first = dict(Delivery.objects.values_list("pk", "performer"))
        list(pool.map(work, batches[:10]))  # tried again: nobody draws twice
    assert dict(Delivery.objects.values_list("pk", "performer")) == first
    took = Counter(first.values())
    assert set(took) == set(PEOPLE)
    assert max(took.values()) - min(took.values()) <= 1
    assert sum(Turns.objects.get().owed.values()) == 0
