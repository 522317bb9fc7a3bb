"""What is asked of the largest table reads what is due or open, however much is stored beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import Account
from accounts.rest.paging import listed
from config import metrics
from rules.admin import dashboard
from rules.delivery import outbox
from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def asked(act: Callable[[], Any]) -> list[tuple[str, Any]]:
    """The statements of ``act`` with their values."""
    found: list[tuple[str, Any]] = []

    def keep(execute: Any, statement: Any, values: Any, many: Any, context: Any) -> Any:
        found.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(keep):
        act()
    return found


def scans(statement: str, values: Any, *settings: str) -> list[dict[str, Any]]:
    """How deliveries are read by a statement: the nodes of its plan."""
    with transaction.atomic(), connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(f"SET LOCAL {setting} = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        plan = cursor.fetchone()[0]
    whole = json.loads(plan) if isinstance(plan, str) else plan
    return [node for node in nodes(whole[0]["Plan"]) if node.get("Relation Name") == "rules_delivery"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_the_oldest_that_waits_is_not_looked_for_among_all_that_was_delivered(deliveries):
    """Where nothing has to be sorted PostgreSQL would read all that is older."""
    deliveries(20, state="delivered", created_at=timezone.now() - timedelta(days=9))
    oldest, _ = deliveries(2)
    found: list[Any] = []
    chosen, *_ = asked(lambda: found.append(dashboard._oldest()))
    assert found[0]["row"].pk == oldest.pk
    [scan] = scans(*chosen, "enable_sort", "enable_seqscan", "enable_bitmapscan")
    assert scan["Index Name"] in ("delivery_due", "delivery_undelivered")
    assert scan["Actual Rows"] == 2


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_what_has_changed_is_not_looked_for_among_all_that_has_not(deliveries, order):
    """Where nothing has to be sorted PostgreSQL would walk through the list."""
    now = timezone.now()
    changed = deliveries(2)
    deliveries(500, updated_at=now - timedelta(days=9))
    changed += deliveries(2)
    with connection.cursor() as cursor:  # what earlier tests left is known of the table else
        cursor.execute("ANALYZE rules_delivery")
    since = now - timedelta(minutes=5)
    rows = Delivery.objects.filter(test=False, owner="shop", updated_at__gte=since)
    request = Request(RequestFactory().get("/", {"order": order, "changedFrom": since.isoformat()}))
    found: list[Any] = []
    _, chosen, _ = asked(lambda: found.append(listed(request, rows, late=True)))
    assert {row.pk for row in found[0].rows} == {row.pk for row in changed}
    [scan] = scans(*chosen, "enable_sort", "enable_seqscan", "enable_bitmapscan")
    assert (scan["Node Type"], scan["Index Name"]) == ("Index Only Scan", "delivery_updated")
    assert scan["Actual Rows"] == 4


def test_of_a_lane_with_many_due_only_the_first_is_read_for_the_metrics(account, deliveries):
    now = timezone.now()
    deliveries(30, due_at=now - timedelta(minutes=9))
    other = Account.objects.create(account_id="other", crm="solos", state="active")
    deliveries(30, of=other, due_at=now - timedelta(minutes=5))
    deliveries(30, of=other, due_at=now - timedelta(minutes=3))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE rules_delivery")
        cursor.execute(metrics.OLDEST_DUE)
        ages = {crm: round(float(seconds) / 60) for crm, seconds in cursor.fetchall()}
    assert ages == {"amocrm": 9, "solos": 5}
    [scan] = scans(metrics.OLDEST_DUE, None, "enable_seqscan", "enable_bitmapscan", "enable_sort")
    assert (scan["Index Name"], scan["Actual Rows"]) == ("delivery_due", 1)


def test_no_index_of_a_large_table_is_the_beginning_of_another_one():
    """Whoever writes pays for each."""
    doubled = """
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_index other USING (indrelid)
    WHERE i.indexrelid <> other.indexrelid AND NOT i.indisunique
    AND i.indpred IS NULL AND other.indpred IS NULL AND i.indexprs IS NULL AND other.indexprs IS NULL
    AND i.indnkeyatts = 1 AND i.indkey[0] = other.indkey[0]
    AND i.indclass[0] = other.indclass[0] AND i.indrelid = ANY (ARRAY[
        'rules_answer', 'rules_delivery', 'rules_outcome', 'rules_attempt', 'rules_formerbody',
        'accounts_event'
    ]::regclass[])
    """
    with connection.cursor() as cursor:
        cursor.execute(doubled)
        assert cursor.fetchall() == []


def test_what_waits_is_not_looked_through_again_for_each_lead_that_is_due(account, deliveries):
    """Thousands came since PostgreSQL last counted them: it took the table for empty, and each of six claims
    of 2,400 leads seconds."""
    deliveries(300, state="waiting", due_at=timezone.now(), contact_keys=["phone:1"])
    later = timezone.now() + timedelta(minutes=1)
    deliveries(1, state="waiting", due_at=later, look_first=True, contact_keys=["phone:2"])
    first, *_ = asked(lambda: outbox._postpone_behind_unclear(account.pk, timezone.now()))
    assert max(scan["Actual Loops"] for scan in scans(*first, "enable_hashjoin", "enable_mergejoin")) == 1


def test_who_is_under_way_is_not_compared_with_all_that_is_due(account, deliveries):
    """With 60,000 due and a thousand people under way it took PostgreSQL six seconds for each claim."""
    waiting = [deliveries(1, contact_keys=[f"phone:{number}"])[0] for number in range(4)]
    found: list[Any] = []
    statements = asked(lambda: found.extend(outbox.claim(account.pk, 2, busy=["phone:0", "phone:9"])))
    assert found == [row.pk for row in waiting[1:3]]
    assert not any("&&" in statement for statement, _ in statements)


def test_somebody_who_is_under_way_keeps_nobody_waiting(account, deliveries):
    """However many leads of theirs are the oldest."""
    deliveries(30, contact_keys=["phone:1"])
    [other] = deliveries(1, contact_keys=["phone:2"])
    assert outbox.claim(account.pk, 2, busy=["phone:1"]) == [other.pk]
