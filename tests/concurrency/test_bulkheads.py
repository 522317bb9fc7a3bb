"""More slow accounts than a worker has threads: a healthy one is delivered while they hang. Real threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from accounts.worker_threads import worker
from connectors.base import Capabilities
from connectors.draft import Receipt
from connectors.limiter import NoRateLimiter
from rules.delivery import concurrency
from rules.models import Answer, Delivery, Rule
from rules.planning import new_uid
from rules.tasks import drain

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 2


class Crm:
    """Answers when it is told to; ``asked`` once a lead is there to be made."""

    can = Capabilities(batch=1, parallel=1, find_by_external_id=True)

    def __init__(self, answers: threading.Event) -> None:
        self.limiter = NoRateLimiter()
        self.answers, self.asked = answers, threading.Event()

    def use_directory(self, directory: Any) -> None: ...

    def deliver(self, drafts: Any, journal: Any) -> list[Receipt]:
        self.asked.set()
        self.answers.wait()
        return [Receipt(draft.uid, {"lead": "7"}) for draft in drafts]


@pytest.fixture
def crms(monkeypatch: pytest.MonkeyPatch, queued: list[Any]) -> Iterator[dict[int, Crm]]:
    """By account: two slow ones for each thread, and a healthy one, the last. Each has a lead to be made."""
    monkeypatch.setattr(worker, "threads", THREADS)
    monkeypatch.setattr(concurrency, "PATIENCE", 0.05)
    slow, healthy = threading.Event(), threading.Event()
    healthy.set()
    found: dict[int, Crm] = {}
    for number in range(2 * THREADS + 1):
        account = Account.objects.create(
            account_id=f"shop{number}", crm="amocrm", state="active", remote_id=str(number)
        )
        rule = Rule.objects.create(account=account, quiz_id=42)
        answer = Answer.objects.create(
            account_id=account.account_id, quiz_id=42, answer_id="a", payload={}, digest=""
        )
        Delivery.objects.create(
            answer=answer, rule=rule, account=account, owner="shop", quiz_id=42, uid=new_uid()
        )
        found[account.pk] = Crm(healthy if number == 2 * THREADS else slow)
    monkeypatch.setattr("rules.delivery.worker.connector_for", lambda account: found[account.pk])
    yield found
    slow.set()
    assert concurrency.lanes.close(30)
    worker.ends.clear()


def test_slow_lanes_never_take_the_last_thread(crms):
    *slow, healthy = crms

    def task(account_id: int) -> None:
        try:
            drain(account_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as the_worker:
        list(the_worker.map(task, crms))
    for lane in threading.enumerate():
        if lane.name == f"lane-{healthy}":
            lane.join(30)
    assert Delivery.objects.get(account=healthy).state == "delivered"
    hanging = [pk for pk in slow if crms[pk].asked.is_set()]
    assert hanging
    assert set(Delivery.objects.filter(account__in=hanging).values_list("state", flat=True)) == {"sending"}
