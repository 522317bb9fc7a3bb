"""A person moves very many deliveries: in portions, each of them once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rules.delivery import outbox
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("count", [0, 3, 4, 5])
@pytest.mark.parametrize("move", [outbox.retry, outbox.cancel], ids=["retry", "cancel"])
def test_each_is_moved_once_and_no_statement_moves_more_than_a_portion(deliveries, monkeypatch, move, count):
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    deliveries(count, state="held", held_because="refused", strikes=7)
    left = {row.pk for row in deliveries(1, state="delivered") + deliveries(1, state="sending")}
    left |= {row.pk for row in deliveries(1, state="held", held_because="erased")}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert move(Delivery.objects.all()) == count
    locked = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    assert len(locked) == count // 2 + 1
    moved = Delivery.objects.exclude(pk__in=left)
    assert {(row.state, row.held_because) for row in moved} <= {("waiting", ""), ("held", "cancelled")}
    assert not moved.filter(held_because="refused").exists()
