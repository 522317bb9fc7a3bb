"""Periodic work is done once at a time, and each step of it fails alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connection, connections

from accounts.models import Account, Lane
from accounts.singletons import alone, each_alone, one_at_a_time
from rules.delivery import holds, sweep
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def closing(act):
    try:
        return act()
    finally:
        connections.close_all()


def test_of_many_at_once_one_does_the_work():
    begun, may_end, done, meet = Event(), Event(), [], Barrier(5)

    @one_at_a_time
    def work():
        done.append(1)
        begun.set()
        assert may_end.wait(20)

    def later():
        meet.wait(20)
        assert begun.wait(20)
        work()

    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(closing, work)
        rest = [pool.submit(closing, later) for _ in range(5)]
        for one in rest:
            one.result(20)
        may_end.set()
        first.result(20)
    assert done == [1]
    work()
    assert done == [1, 1]


def test_work_that_gives_its_connection_back_stays_alone_and_leaves_nothing_behind():
    with alone("sync") as mine, ThreadPoolExecutor(1) as pool:
        assert mine
        connection.close()

        def try_it():
            with alone("sync") as ours:
                return ours

        assert pool.submit(closing, try_it).result(20) is False
    connection.close()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(closing, try_it).result(20) is True


def test_each_step_fails_alone():
    done = []

    def broken():
        raise RuntimeError("This is a test.")

    each_alone(broken, lambda: done.append("the next one"))
    assert done == ["the next one"]


def test_a_broken_account_stops_no_other(account, deliveries, monkeypatch):
    other = Account.objects.create(account_id="bakery", crm="amocrm", remote_id="2")
    deliveries(1)
    deliveries(1, of=other)
    Account.objects.update(state="paused")
    hold_of = holds.hold_of

    def broken_for_one(one):
        if one.pk == account.pk:
            raise RuntimeError("This is a test.")
        return hold_of(one)

    with monkeypatch.context() as broken:
        broken.setattr(holds, "hold_of", broken_for_one)
        sweep.review()
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["waiting", "held"]
    assert Lane.objects.get(pk=account.pk).review_at  # it comes again
