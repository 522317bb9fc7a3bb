"""Who may use a worker's threads: probes and looks take turns, a CRM that is out is noticed."""

from __future__ import annotations

import pytest

from rules.delivery import concurrency
from rules.delivery.concurrency import Silences, Turns


def test_only_so_many_at_a_time_and_the_others_are_told():
    some = Turns(2)
    with some.take() as first, some.take() as second, some.take() as third:
        assert (first, second, third) == (True, True, False)
        with some.take(needed=False) as not_needed:
            assert not_needed
    with some.take() as again:
        assert again


def test_a_turn_ends_with_an_error_too():
    some = Turns(1)
    with pytest.raises(RuntimeError), some.take():
        raise RuntimeError("This is a test.")
    with some.take() as again:
        assert again


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
