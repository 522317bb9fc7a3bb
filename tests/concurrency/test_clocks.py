"""Machines' clocks differ; leases and due times go by the database's. Another machine's is 31 s off here."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import db_clock
from accounts.models import Account
from connectors.errors import TryLater
from crm_cache import leases
from rules.delivery import lane as lanes
from rules.delivery import outbox, sweep
from rules.delivery.lane import take_lane
from rules.delivery.settlement import settlement_of
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
OFF = [timedelta(seconds=31), timedelta(seconds=-31)]


@pytest.fixture
def machine(monkeypatch):
    """On a machine whose clock is so far off."""

    @contextmanager
    def on(off):
        real_now, real_time = timezone.now, time.time
        with monkeypatch.context() as there:
            there.setattr(timezone, "now", lambda: real_now() + off)
            there.setattr(time, "time", lambda: real_time() + off.total_seconds())
            there.setattr(db_clock, "_last", {})
            yield

    return on


@pytest.mark.parametrize("off", OFF)
def test_two_workers_with_clocks_apart_share_no_lane(account, machine, off):
    lane = take_lane(account.pk)
    with machine(off):
        assert take_lane(account.pk) is None
    assert lane.alive
    lane.leave()
    with machine(off):
        other = take_lane(account.pk)
        assert other.alive
    assert take_lane(account.pk) is None


@pytest.mark.parametrize("off", OFF)
def test_a_pause_is_as_long_as_it_was_meant_to_be(account, deliveries, machine, off):
    [row] = deliveries(1)
    with machine(off):
        assert outbox.claim(account.pk, 1) == [row.pk]
        row.refresh_from_db()
        outbox.settle([settlement_of(row, TryLater("busy", after=100), can_look=True, send_again=False)])
    row.refresh_from_db()
    pause = (row.due_at - timezone.now()).total_seconds()
    assert 90 < pause < 125


@pytest.mark.parametrize("off", OFF)
def test_what_is_due_is_due_on_every_machine_and_nothing_else(account, deliveries, machine, off):
    soon, due = deliveries(1, due_at=timezone.now() + timedelta(seconds=20)), deliveries(1)
    with machine(off):
        assert sweep.lanes_with_work() == [account.pk]
        assert outbox.claim(account.pk, 50) == [due[0].pk]
    assert Delivery.objects.get(state="waiting").pk == soon[0].pk


@pytest.mark.parametrize("off", OFF)
def test_a_person_is_leased_to_one_lane(account, machine, off):
    length = timedelta(seconds=20)
    assert leases.take(account, {"phone:1": "one"}, length) == {"phone:1"}
    with machine(off):
        assert leases.take(account, {"phone:1": "other"}, length) == frozenset()


def test_a_renewal_that_fails_ends_the_lease(account, monkeypatch):
    lane = take_lane(account.pk)

    def broken(*_, **__):
        raise OperationalError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(lanes, "_update", broken)
        with pytest.raises(OperationalError):
            lane.renew()
    assert not lane.alive
    assert lane.renew()
    assert lane.alive
    Account.objects.update(state="paused")
    assert lane.renew() is False
    assert not lane.alive


def test_a_holder_stops_before_another_may_begin(account, monkeypatch, settings):
    lane, frozen = take_lane(account.pk), settings.LANE_LEASE.total_seconds()
    counted = db_clock.elapsed
    monkeypatch.setattr(db_clock, "elapsed", lambda: counted() + frozen * (1 - lanes.MARGIN / 2))
    assert take_lane(account.pk) is None
    assert not lane.alive


def test_the_database_is_asked_for_its_time_once_in_a_while(django_assert_num_queries, db, monkeypatch):
    monkeypatch.setattr(db_clock, "_last", {})
    monkeypatch.setattr(db_clock, "QUICK", 60)
    with django_assert_num_queries(1):
        assert all(abs(db_clock.now() - timezone.now()) < timedelta(seconds=10) for _ in range(5))
    counted = db_clock.elapsed
    monkeypatch.setattr(db_clock, "elapsed", lambda: counted() + db_clock.KEPT)
    with django_assert_num_queries(1):
        db_clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        assert abs(cursor.fetchone()[0] - db_clock.now()) < timedelta(seconds=10)
