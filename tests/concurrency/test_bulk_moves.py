"""A person moves very many deliveries: in portions, each gone on with where the last one ended."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

from rules.delivery import outbox
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = {"retry": (outbox.retry_portion, "waiting"), "cancel": (outbox.cancel_portion, "held")}


@pytest.fixture(params=list(STEPS))
def step(request):
    """(one step of the move, the state that it leads to)."""
    return STEPS[request.param]


def moved_rows():
    moved = Delivery.objects.filter(state="waiting") | Delivery.objects.filter(held_because="cancelled")
    return sorted(moved.values_list("pk", flat=True))


def test_each_step_goes_on_behind_the_last_one_and_the_end_is_told(account, deliveries, step):
    move, state = step
    rows = deliveries(5, state="held", held_because="gave_up")
    keys, after, ends = sorted(row.pk for row in rows), 0, []
    while after is not None:
        portion = move(Delivery.objects.filter(account=account), after, most=2)
        assert set(portion.moved.values()) <= {account.pk}
        ends.append((list(portion.moved), after := portion.after))
    assert ends == [(keys[:2], keys[1]), (keys[2:4], keys[3]), (keys[4:], None)]
    assert moved_rows() == keys
    assert set(Delivery.objects.values_list("state", flat=True)) == {state}


def test_a_step_that_is_undone_has_moved_nothing_and_is_done_again(deliveries, step):
    """Whoever keeps the place in the same transaction as the move loses neither without the other."""
    move, _ = step
    rows = deliveries(3, state="held", held_because="refused")
    with transaction.atomic():
        assert len(move(Delivery.objects.all(), most=2).moved) == 2
        transaction.set_rollback(True)
    assert moved_rows() == []
    assert len(move(Delivery.objects.all(), most=9).moved) == len(rows)


def test_what_somebody_else_moves_right_now_keeps_no_portion_waiting(deliveries, step):
    move, _ = step
    rows = deliveries(3, state="held", held_because="refused")
    with transaction.atomic(using="default"):
        Delivery.objects.select_for_update().get(pk=rows[1].pk)
        other = connections.create_connection("default")
        try:
            mine, connections["default"] = connections["default"], other
            portion = move(Delivery.objects.all())
        finally:
            connections["default"] = mine
            other.close()
    assert sorted(portion.moved) == [rows[0].pk, rows[2].pk]
    assert portion.after is None


def test_a_portion_takes_only_what_may_be_moved(deliveries, step):
    move, _ = step
    deliveries(1, state="delivered")
    deliveries(1, state="sending")
    deliveries(1, state="held", held_because="erased")
    assert move(Delivery.objects.all()) == outbox.Portion({}, None)
