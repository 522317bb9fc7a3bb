"""A lane's row says from when on anything waits: never too late, whoever changes deliveries and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts import db_clock
from accounts.models import Account, Lane, first_in_turn
from rules.delivery import outbox, sweep
from rules.delivery.lane import reckon, take_lane
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


def elsewhere(act):
    """In another connection."""

    def done():
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result(timeout=20)


def next_due():
    return Lane.objects.get().next_due


def test_every_account_has_its_lane_and_an_idle_one_is_nobodys_business(account):
    Account.objects.bulk_create(Account(account_id=f"q{n}", crm="amocrm") for n in range(3))
    assert Lane.objects.count() == 4
    assert sweep.lanes_with_work() == []


def test_what_is_due_first_counts(deliveries):
    now = timezone.now()
    deliveries(2, due_at=now + HOUR)
    assert next_due() == now + HOUR
    deliveries(1, due_at=now + 2 * HOUR)
    assert next_due() == now + HOUR
    deliveries(1, due_at=now)
    assert next_due() == now


def test_a_lane_that_is_due_is_not_written_by_new_answers(deliveries):
    """Many answers of one account would wait for each other."""
    deliveries(1)
    with transaction.atomic():
        Lane.objects.select_for_update().get()
        elsewhere(lambda: deliveries(50))
    assert Delivery.objects.count() == 51


def test_a_drained_lane_is_quiet_until_its_next_delivery_is_due(account, deliveries):
    now = timezone.now()
    deliveries(1, due_at=now - HOUR)
    deliveries(1, due_at=now + HOUR)
    lane = take_lane(account.pk)
    outbox.claim(account.pk, 50)
    reckon(account.pk)
    assert next_due() <= db_clock.now()  # what is being sent would be forgotten if its worker died
    Delivery.objects.filter(state="sending").update(state="delivered")
    lane.leave()
    assert next_due() == now + HOUR
    assert sweep.lanes_with_work() == []


@pytest.mark.parametrize("move", ["retry", "release", "settle", "by hand"])
def test_whatever_lets_a_delivery_wait_again_makes_its_lane_due(account, deliveries, move):
    deliveries(1, state="held", held_because="gave_up")
    assert next_due() is None
    rows = Delivery.objects.all()
    if move == "retry":
        outbox.retry(rows)
    elif move == "release":
        outbox.release(rows, "gave_up")
    elif move == "settle":
        rows.update(state="sending", held_because="", claimed_at=timezone.now())
        outbox.free_stale(account.pk, can_look=True, send_again=False)
    else:
        rows.update(state="waiting", held_because="")
    assert next_due() == Delivery.objects.get().due_at


def test_an_answer_that_is_being_stored_while_its_lane_is_left_is_not_forgotten(account, deliveries):
    """The worker can't see it yet, and nobody's wake-up arrives."""
    deliveries(1)
    lane = take_lane(account.pk)
    Delivery.objects.update(state="delivered")
    with transaction.atomic():
        deliveries(1)
        elsewhere(lane.leave)
    assert sweep.lanes_with_work() == [account.pk]


def test_a_lane_that_was_missed_heals(account, deliveries):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rules_delivery DISABLE TRIGGER USER")
        deliveries(1)
        cursor.execute("ALTER TABLE rules_delivery ENABLE TRIGGER USER")
    assert sweep.lanes_with_work() == []
    assert sweep.check_lanes(account.pk) == 1
    assert sweep.lanes_with_work() == [account.pk]
    assert sweep.check_lanes(account.pk) == 0


@pytest.mark.parametrize(
    ("state", "row"),
    [("active", {"state": "held", "held_because": "paused"}), ("paused", {"due_at": timezone.now() + HOUR})],
)
def test_an_account_that_was_not_reviewed_is_found(account, deliveries, state, row):
    Account.objects.update(state=state)
    deliveries(1, **row)
    assert sweep.check_lanes(account.pk) == 1
    sweep.review()
    assert Delivery.objects.get().state == ("waiting" if state == "active" else "held")


def test_checks_come_round_to_every_account(account, monkeypatch):
    monkeypatch.setattr(sweep, "CHECKED", max(1, account.pk // 3))
    real, seen = db_clock.now(), set()
    for minute in range(account.pk + 1):
        monkeypatch.setattr(db_clock, "now", lambda minute=minute: real + timedelta(minutes=minute))
        first = first_in_turn(sweep.CHECKED)
        seen.update(range(first, first + sweep.CHECKED))
    assert set(range(account.pk + 1)) <= seen
