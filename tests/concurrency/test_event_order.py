"""A reader of the feed misses no event, however late its transaction is committed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.events import feed
from accounts.events.models import Event, NewEvent
from rules.delivery import outbox
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def write(name):
    return NewEvent.objects.create(owner="shop", type=name, at=timezone.now(), data={})


def elsewhere(act):
    """In another connection."""

    def done():
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result(timeout=20)


def read(after=None):
    part = feed.read(after, 100, "shop")
    return [one.type for one in part.events], part.next


def test_what_is_committed_late_comes_late_and_is_not_skipped():
    with transaction.atomic():
        write("early, committed late")
        elsewhere(lambda: write("late, committed early"))
        seen, place = elsewhere(read)
        assert seen == ["late, committed early"]
    assert read(place)[0] == ["early, committed late"]
    assert read()[0] == ["late, committed early", "early, committed late"]


def test_places_are_given_by_one_at_a_time():
    write("first")
    with transaction.atomic():
        assert feed.number() == 1
        elsewhere(lambda: write("second"))
        assert elsewhere(feed.number) == 0  # nobody overtakes whoever is at it
        assert elsewhere(read)[0] == []
    assert read()[0] == ["first", "second"]


def test_many_writers_and_readers_at_once_lose_and_double_nothing(monkeypatch):
    monkeypatch.setattr(feed, "AT_ONCE", 7)
    writers, each = 4, 25
    done = threading.Event()

    def writer(number):
        try:
            for count in range(0, each, 5):
                with transaction.atomic():
                    for one in range(count, count + 5):
                        write(f"{number}-{one:02}")
        finally:
            connections.close_all()

    def reader():
        try:
            seen, place = [], None
            while True:
                last = done.is_set() and not NewEvent.objects.exists()
                part, place = read(place)
                seen += part
                if last and not part:
                    return seen
        finally:
            connections.close_all()

    with ThreadPoolExecutor(writers + 2) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        for one in [pool.submit(writer, number) for number in range(writers)]:
            one.result(timeout=60)
        done.set()
        one, other = (reader.result(timeout=60) for reader in readers)
    assert one == other == list(Event.objects.order_by("id").values_list("type", flat=True))
    assert len(one) == len(set(one)) == writers * each
    for number in range(writers):
        mine = [name for name in one if name.startswith(f"{number}-")]
        assert mine == sorted(mine)


def test_what_happens_to_one_delivery_is_in_its_order(deliveries):
    """Two workers move it, and the one that began first comes last."""
    [row, other] = deliveries(2)
    rows = Delivery.objects.filter(pk=row.pk)
    with transaction.atomic():
        outbox.cancel(Delivery.objects.filter(pk=other.pk))  # this transaction has begun
        elsewhere(lambda: outbox.cancel(rows))
        outbox.retry(rows)
    told = Event.objects.filter(data__deliveryID=row.pk)
    feed.number()
    assert list(told.values_list("type", flat=True)) == ["delivery.held", "delivery.released"]


def test_many_rows_of_one_move_are_told_by_one_statement(deliveries, account, django_assert_max_num_queries):
    deliveries(300)
    hold = outbox.CANCELLED
    with django_assert_max_num_queries(12):  # a few for each portion, which begin narrow
        assert outbox.park_rule(Delivery.objects.all(), hold) == 300
    assert NewEvent.objects.filter(type="delivery.held").count() == 300
    outbox.claim(account.pk, 10)
    Delivery.objects.update(state="waiting", held_because="")
    assert len(outbox.claim(account.pk, 10)) == 10
    assert NewEvent.objects.filter(type__startswith="delivery").count() == 600  # a claim is nothing to tell
