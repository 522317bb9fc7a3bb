"""Who may use a worker's threads: jobs and lanes share them, a CRM that is out is noticed."""

from __future__ import annotations

import threading

import pytest

from accounts.worker_threads import JobShare, worker
from rules.delivery import concurrency
from rules.delivery.concurrency import LONG_BATCH, LaneRoom, Silences, Turns
from tests.crowd import STRANGERS, crowded


def test_only_so_many_at_a_time_and_the_others_are_told():
    some = Turns(lambda: 2)
    with some.take() as first, some.take() as second, some.take() as third:
        assert (first, second, third) == (True, True, False)
    with some.take() as again:
        assert again


def test_a_turn_ends_with_an_error_too():
    some = Turns(lambda: 1)
    with pytest.raises(RuntimeError), some.take():
        raise RuntimeError("This is a test.")
    with some.take() as again:
        assert again


# -- jobs of a kind ------------------------------------------------------------------------------------------


def test_a_job_that_finds_no_thread_waits_in_line_once_and_costs_none():
    done: list[str] = []
    share = JobShare(lambda: 1)

    def first():
        assert share.do("b", lambda: done.append("b")) is False
        assert share.do("b", lambda: done.append("b again")) is False
        assert share.do("c", lambda: 1 / 0) is False
        assert share.do("d", lambda: done.append("d")) is False
        done.append("a")

    assert share.do("a", first)
    assert done == ["a", "b again", "d"]
    assert share.do("e", lambda: done.append("e"))
    assert done[-1] == "e"


def test_a_process_that_ends_begins_nothing_more(monkeypatch):
    monkeypatch.setattr(worker, "ends", threading.Event())
    done: list[str] = []
    share = JobShare(lambda: 1)

    def first():
        share.do("b", lambda: done.append("b"))
        worker.ends.set()

    share.do("a", first)
    assert done == []


def test_each_kind_of_work_has_its_part_and_at_least_one_thread(monkeypatch):
    monkeypatch.setattr(worker, "threads", 2 * worker.queues)
    assert worker.part() == 2
    monkeypatch.setattr(worker, "threads", 2)
    assert worker.part() == 1


# -- lanes ---------------------------------------------------------------------------------------------------


def drained(room: LaneRoom, account: int, kind: str = "amocrm") -> bool:
    """Was it let in? It has something to send and is done at once."""
    let_in: list[bool] = []

    def drain(account_id: int) -> None:
        let_in.append(room.admits(account_id, kind, probing=False))
        if let_in[0]:
            room.measured(account_id, kind, 0.1)

    room.run(account, drain)
    return let_in == [True]


def test_lanes_that_last_leave_the_threads_to_those_that_do_not(monkeypatch):
    monkeypatch.setattr(worker, "threads", 2)
    room = concurrency.lanes
    assert drained(room, 1)
    with crowded("amocrm", 2):
        assert drained(room, 1)  # known to be done in a moment
        assert drained(room, 2)  # unknown
        assert not room.admits(3, "amocrm", probing=True)
        assert room.admits(3, "bitrix24", probing=True)
    with crowded("amocrm", 8):
        assert drained(room, 1)
        assert not drained(room, 4)
        assert drained(room, 4, "bitrix24")


def test_an_account_that_lasted_is_expected_to_last_until_it_does_not(monkeypatch):
    monkeypatch.setattr(worker, "threads", 2)
    room = concurrency.lanes
    monkeypatch.setattr(concurrency, "LONG", -1.0)
    room._live(concurrency.Stay(1), lambda account: drain_one(room, account))
    monkeypatch.setattr(concurrency, "LONG", 60.0)
    with crowded("amocrm", 2):
        assert not drained(room, 1)
    assert drained(room, 1)
    with crowded("amocrm", 2):
        assert drained(room, 1)


def test_who_lasted_is_like_an_unknown_one_after_a_while(monkeypatch, clock):
    """It may have been our own machine that was slow: among slow ones it would hardly get a turn."""
    monkeypatch.setattr(worker, "threads", 2)
    room = concurrency.lanes
    monkeypatch.setattr(concurrency, "LONG", -1.0)
    room._live(concurrency.Stay(1), lambda account: drain_one(room, account))
    with crowded("amocrm", 2):
        assert not drained(room, 1)
        clock[0] += concurrency.REMEMBERED + 1
        assert drained(room, 1)


def drain_one(room: LaneRoom, account: int) -> None:
    room.admits(account, "amocrm", probing=False)
    room.measured(account, "amocrm", 5.0)


def test_what_is_silent_to_others_says_nothing_of_who_was_served_in_a_moment(monkeypatch):
    monkeypatch.setattr(worker, "threads", 2)
    room = concurrency.lanes
    assert drained(room, 1)
    for account in range(Silences.IN_A_ROW):
        concurrency.silences.met("amocrm", account)
    with crowded("bitrix24", 2):
        assert drained(room, 2)
    concurrency.silences.heard("amocrm")
    with crowded("amocrm", 2):
        for account in range(Silences.IN_A_ROW):
            concurrency.silences.met("amocrm", account)
        assert drained(room, 1)
        assert not drained(room, 3)


def test_a_lane_that_breaks_is_no_longer_there():
    room = LaneRoom()
    room.run(STRANGERS, lambda _: 1 / 0)
    assert room.close(0)
    worker.ends.clear()


def test_batches_of_a_slow_account_get_narrower_and_wider_again():
    room = LaneRoom()
    widths = [room.width(1, 50)]
    for seconds in (306.0, 153.0, 77.0, 61.0, 36.0, 2.0, 2.0):
        room.measured(1, "amocrm", seconds)
        widths.append(room.width(1, 50))
    assert LONG_BATCH == 60.0
    assert widths == [50, 25, 12, 6, 6, 12, 25, 50]
    assert room.width(2, 1) == 1


def test_beside_others_an_account_begins_narrow_until_its_crm_answers(clock):
    room = concurrency.lanes
    assert (room.width(1, 50, 3), room.batches(1, 3)) == (50, 3)
    with crowded("amocrm", 3):
        widths = []
        for _ in range(4):
            widths.append((room.width(1, 50, 3), room.batches(1, 3)))
            room.measured(1, "amocrm", 0.5)
        assert widths == [(6, 1), (12, 1), (25, 1), (50, 3)]
        room.measured(1, "amocrm", 0.5, answered=False)
        assert (room.width(1, 50, 3), room.batches(1, 3)) == (6, 1)
        for _ in range(3):
            room.measured(1, "amocrm", 0.5)
        assert room.batches(1, 3) == 3
        clock[0] += concurrency.REMEMBERED
        assert (room.width(1, 50, 3), room.batches(1, 3)) == (6, 1)


def test_a_crowd_shares_what_is_under_way(monkeypatch):
    room = concurrency.lanes
    monkeypatch.setattr(concurrency, "UNDER_WAY", 120)
    room.measured(1, "amocrm", 0.5)
    assert room.width(1, 50, 2) == 50
    with crowded("amocrm", 4):
        assert room.width(1, 50, 2) == 15
        assert room.width(1, 50, 40) == 1


# -- a CRM that is out ---------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    passed = [1000.0]
    monkeypatch.setattr(concurrency.time, "monotonic", lambda: passed[0])
    return passed


def test_one_dead_account_says_nothing_of_its_crm(clock):
    silences = Silences()
    for account in (1, 2, 1, 1):
        silences.met("amocrm", account)
    assert "amocrm" not in silences


def test_a_crm_is_out_when_one_account_after_the_other_meets_silence(clock):
    silences = Silences()
    for account in range(3):
        silences.met("amocrm", account)
    assert "amocrm" in silences
    assert "bitrix24" not in silences


def test_one_answer_ends_it_and_so_does_time(clock):
    silences = Silences()
    for account in range(3):
        silences.met("amocrm", account)
    silences.heard("amocrm")
    assert "amocrm" not in silences

    for account in range(3):
        silences.met("amocrm", account)
    clock[0] += Silences.REMEMBERED
    assert "amocrm" not in silences


def test_silences_that_are_far_apart_are_not_one_outage(clock):
    silences = Silences()
    for account in range(3):
        silences.met("amocrm", account)
        clock[0] += 40
    assert "amocrm" not in silences
