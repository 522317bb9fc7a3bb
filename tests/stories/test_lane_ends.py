"""How a worker leaves a lane: not before its last batch is home, and not to come back at once for nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connectors.amocrm.connector import AmoConnector
from connectors.draft import Receipt
from connectors.errors import TryLater
from rules.delivery import concurrency, worker
from rules.models import Delivery
from rules.tasks import drain
from tests.crowd import crowded


@pytest.fixture
def outage() -> Iterator[None]:
    """amoCRM is out, and all that may ask whether it is back are at it."""
    for account in range(concurrency.Silences.IN_A_ROW):
        concurrency.silences.met("amocrm", account)
    with crowded("amocrm"):
        yield
    concurrency.silences.heard("amocrm")


def test_a_lane_without_a_turn_does_not_ask_for_the_next_one_at_once(quiz, queued, outage):
    quiz.post()
    queued.clear()
    assert worker.drain(quiz.account.pk) == 0
    assert drain.name not in [name for name, _ in queued]
    assert quiz.account.lane.lease_until is None


def test_the_lease_is_kept_until_the_last_batch_is_home(quiz, monkeypatch, settings):
    settings.LANE_LEASE = timedelta(seconds=0.6)
    monkeypatch.setattr(worker, "LOOK_UP", 0.1)
    monkeypatch.setattr(AmoConnector, "can", replace(AmoConnector.can, parallel=2, batch=1))
    busy = quiz.post().json()["deliveries"][0]["id"]
    slow = quiz.post().json()["deliveries"][0]["id"]
    held: list[bool] = []

    def send(self: Any, drafts: Any, journal: Any) -> list[Any]:
        uid = drafts[0].uid
        if Delivery.objects.get(uid=uid).pk == busy:
            return [TryLater("amoCRM is busy", account_wide=True)]
        time.sleep(1)
        held.append(quiz.account.lane.lease_until > timezone.now())
        return [Receipt(uid, {"lead": "5"})]

    monkeypatch.setattr(AmoConnector, "deliver", send)
    worker.drain(quiz.account.pk)
    assert held == [True]
    assert Delivery.objects.get(pk=slow).state == "delivered"
