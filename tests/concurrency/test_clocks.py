"""Machines' clocks differ; leases and due times go by the database's. Another machine's is 31 s off here."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from accounts import db_clock, hooks, maintenance, tokens
from accounts.models import Account, Hook, Lane, Token, live_accounts
from connectors.auth import Tokens
from connectors.errors import TryLater
from crm_cache import leases, runs
from crm_cache import refresh as crm_refresh
from crm_cache.models import SyncRun
from rules import provisioning
from rules.delivery import drift, outbox, sweep, worker
from rules.delivery import lane as lanes
from rules.delivery.lane import take_lane
from rules.delivery.settlement import settlement_of
from rules.intake import accept_answers
from rules.models import Answer, Delivery, Rule
from rules.outcomes import following

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
def test_an_answer_came_when_the_database_says(account, machine, off):
    """From that moment on its lead is looked for in the CRM; a later one would make a second lead."""
    with machine(off):
        [taken] = accept_answers(account.account_id, [{"quizID": 42, "answerID": "a-1"}])
        assert Answer.objects.get().created_at == taken.created_at
        assert abs(taken.created_at - db_clock.now()) < timedelta(seconds=15)


@pytest.mark.parametrize("off", OFF)
def test_a_try_lasts_as_long_as_it_does(machine, off):
    batch = worker.Batch([], [], None)
    with machine(off):
        assert 0 <= batch.begun.seconds < 20


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


def refresh(account, at):
    Token.objects.create(account=account, access="a", refresh_at=at)


def sync(account, at):
    Account.objects.filter(pk=account.pk).update(next_sync_at=at)


def subscribe(account, at):
    Hook.objects.create(account=account, secret="s", ask_at=at)


def prepare(account, at):
    Rule.objects.create(account=account, quiz_id=42, prepare_at=at)


def look(account, at):
    Lane.objects.filter(pk=account.pk).update(look_at=at)


def check(account, at):
    Lane.objects.filter(pk=account.pk).update(check_at=at)


def lose_a_run(account, at):
    SyncRun.objects.create(
        account=account, what="users", state="running", started_at=at, alive_at=at - runs.DEAD_AFTER
    )


DUE = {  # how it becomes due at a moment, and who is due by now
    refresh: lambda: maintenance._due("amocrm"),
    sync: lambda: list(crm_refresh._ask_due(live_accounts(), db_clock.now())),
    subscribe: hooks.subscribe_due,
    prepare: provisioning.prepare_due,
    look: following._due,
    check: drift.check_due,
    lose_a_run: lambda: list(runs.free_stale(db_clock.now())),
}


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize("become_due", DUE, ids=lambda one: one.__name__)
def test_beat_is_early_and_late_nowhere(account, machine, monkeypatch, become_due, off):
    met = []
    monkeypatch.setattr(hooks, "_subscribe_alone", lambda account: bool(met.append(account.pk)))
    monkeypatch.setattr(provisioning, "_prepare_waiting", lambda account: met.append(account.pk))
    monkeypatch.setattr(drift, "_check", lambda lane: met.append(lane.pk))
    become_due(account, db_clock.now() + timedelta(seconds=20))
    with machine(off):
        assert (DUE[become_due]() or met) == []
        Token.objects.update(refresh_at=F("refresh_at") - timedelta(seconds=21))
        Account.objects.update(next_sync_at=F("next_sync_at") - timedelta(seconds=21))
        Hook.objects.update(ask_at=F("ask_at") - timedelta(seconds=21))
        Rule.objects.update(prepare_at=F("prepare_at") - timedelta(seconds=21))
        Lane.objects.update(
            look_at=F("look_at") - timedelta(seconds=21), check_at=F("check_at") - timedelta(seconds=21)
        )
        SyncRun.objects.update(alive_at=F("alive_at") - timedelta(seconds=21))
        assert (DUE[become_due]() or met) == [account.pk]


@pytest.mark.parametrize("off", OFF)
def test_a_pair_is_renewed_after_two_thirds_of_its_life_wherever_it_was_kept(account, machine, off):
    with machine(off):
        tokens.put(account, Tokens("a", "r", time.time() + 3000))
    row = Token.objects.get()
    assert abs((row.refresh_at - db_clock.now()).total_seconds() - 2000) < 10
    assert abs((row.refreshed_at - db_clock.now()).total_seconds()) < 10


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
