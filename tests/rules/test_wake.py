"""A broker out of reach delays a lead by a moment and a request by nothing."""

from __future__ import annotations

import time

import pytest
from redis.exceptions import ConnectionError as NoRedis

from accounts import task_queue
from connectors.out_of_reach import OutOfReach
from rules.delivery import queueing
from rules.tasks import drain


@pytest.fixture(autouse=True)
def fresh_broker(monkeypatch):
    monkeypatch.setattr(task_queue, "broker", OutOfReach(5.0))


@pytest.fixture
def asked(monkeypatch):
    """Redis is gone; how often was it asked?"""
    calls = []

    def gone():
        calls.append(1)
        raise NoRedis

    monkeypatch.setattr(task_queue, "redis_client", gone)
    return calls


def test_a_dead_broker_is_asked_once_and_then_left_in_peace(asked):
    queueing.wake_lanes([1, 2, 3])
    queueing.wake_lanes([4])
    assert len(asked) == 1


def test_it_is_asked_again_after_a_moment(asked, monkeypatch):
    queueing.wake_lanes([1])
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + task_queue.broker.seconds + 1)
    queueing.wake_lanes([1])
    assert len(asked) == 2


def test_a_lane_that_was_just_woken_is_woken_once_more_when_the_pause_is_over(queued, monkeypatch):
    ends = []

    class Later:
        def __init__(self, seconds, act):
            self.start = lambda: ends.append(act)

    monkeypatch.setattr(queueing, "Timer", Later)
    monkeypatch.setattr(queueing, "pauses", queueing._Pauses())

    def come(account_id):
        queueing.answer_wake_up(account_id)  # a worker has begun meanwhile
        queueing.wake_soon([account_id])

    come(77), come(77), come(77), come(78)
    assert queued == [(drain.name, [77]), (drain.name, [78])]
    queueing.answer_wake_up(77)
    ends.pop()()
    assert queued[2:] == [(drain.name, [77])]
    come(77)
    assert len(queued) == 3  # it was woken again just now
    queueing.answer_wake_up(77)
    ends.pop()(), ends.pop()()
    assert queued[3:] == [(drain.name, [77])]
    assert not ends
    come(77)
    assert len(queued) == 5
    queueing.answer_wake_up(77), queueing.answer_wake_up(78)


def test_a_lane_is_asked_for_once_however_many_answers_came(queued):
    for _ in range(5):
        queueing.wake_lanes([77])
    queueing.answer_wake_up(77)
    queueing.wake_lanes([77])
    assert queued == [(drain.name, [77])] * 2
    queueing.answer_wake_up(77)
