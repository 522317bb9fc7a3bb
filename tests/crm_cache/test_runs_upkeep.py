"""Runs over time and among several workers: due, lost, stale, at once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from connectors.rows import TagRow
from crm_cache import refresh, runs
from crm_cache.models import SyncRun, Tag
from crm_cache.refresh import run_waiting, sync_due
from crm_cache.runs import ask_for

pytestmark = pytest.mark.django_db
LISTS = ("users", "pipelines", "steps", "fields", "tags")
QUIZ, HOT = TagRow("leads", "1", "quiz"), TagRow("leads", "2", "hot")


def test_only_the_last_twenty_runs_of_a_list_are_kept(connected: Any, crm: Any) -> None:
    shop, branch = connected("shop"), connected("branch")
    for account, what in ((shop, "tags"), (shop, "users"), (branch, "tags")):
        SyncRun.objects.bulk_create([SyncRun(account=account, what=what, state="done") for _ in range(25)])
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    kept = Counter(SyncRun.objects.values_list("account_id", "what"))
    assert kept == {(shop.pk, "tags"): 20, (shop.pk, "users"): 25, (branch.pk, "tags"): 25}
    assert SyncRun.objects.filter(account=shop, what="tags").latest("id").pages == 0


# -- beat ------------------------------------------------------------------------------------------------


def test_due_accounts_are_asked_and_spread(connected: Any, woken: list[int]) -> None:
    now = timezone.now()
    due = [connected(f"shop {number}", next_sync_at=now - timedelta(seconds=1)) for number in range(60)]
    later = connected("later", next_sync_at=now + timedelta(hours=1))
    parked = connected("parked", next_sync_at=now, state=Account.State.NEEDS_RECONNECT)
    sync_due()
    assert sorted(woken) == [account.pk for account in due]
    assert SyncRun.objects.filter(state="waiting").count() == 60 * len(LISTS)
    assert not SyncRun.objects.filter(account__in=[later, parked]).exists()

    times = list(Account.objects.filter(pk__in=[a.pk for a in due]).values_list("next_sync_at", flat=True))
    pauses = [(time - now) / settings.SYNC_EVERY for time in times if time]
    assert len(set(times)) == 60
    assert 0.79 < min(pauses) < 0.9
    assert 1.1 < max(pauses) < 1.21

    woken.clear()
    sync_due()
    assert woken == []


def test_due_accounts_cost_a_constant_number_of_queries(
    connected: Any, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    for number in range(30):
        connected(f"shop {number}", next_sync_at=now)
    with django_assert_max_num_queries(12):
        sync_due()


def test_the_run_of_a_dead_worker_is_asked_for_again(shop: Account, crm: Any, woken: list[int]) -> None:
    ask_for(shop, ["tags"])
    claimed = runs.claim(shop.pk, LISTS)
    assert claimed
    sync_due()
    assert woken == []

    SyncRun.objects.update(alive_at=timezone.now() - timedelta(minutes=11))
    sync_due()
    assert woken == [shop.pk]
    assert [(run.state, bool(run.error)) for run in SyncRun.objects.order_by("id")] == [
        ("failed", True),
        ("waiting", False),
    ]


def test_a_worker_taken_for_dead_writes_nothing_more(shop: Account, crm: Any) -> None:
    def pages(what: str) -> Any:
        yield [QUIZ]
        SyncRun.objects.update(alive_at=timezone.now() - timedelta(minutes=11))
        runs.free_stale(timezone.now())
        crm.fetch = lambda what: iter([[QUIZ]])
        yield [HOT]

    crm.fetch = pages
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    assert list(Tag.objects.values_list("name", flat=True)) == ["quiz"]
    assert [run.state for run in SyncRun.objects.order_by("id")] == ["failed", "done"]


def test_a_lost_message_is_sent_again(shop: Account, woken: list[int]) -> None:
    ask_for(shop, ["tags"])
    sync_due()
    assert woken == []
    SyncRun.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    sync_due()
    assert woken == [shop.pk]


# -- many processes --------------------------------------------------------------------------------------


def at_once(*calls: Any) -> None:
    """All calls start together, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(calls))

    def call(one: Any) -> None:
        gate.wait()
        try:
            one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        for outcome in [threads.submit(call, one) for one in calls]:
            outcome.result()


@pytest.mark.django_db(transaction=True)
def test_five_workers_walk_each_list_once(connected: Any, crm: Any) -> None:
    shop, branch = connected("shop"), connected("branch")
    crm.pages["tags"] = [[QUIZ], [HOT]]
    for account in (shop, branch):
        ask_for(account)
    at_once(*[lambda pk=pk: run_waiting(pk) for pk in [shop.pk, branch.pk] * 5])
    assert Counter(crm.walked) == dict.fromkeys(LISTS, 2)
    assert crm.learned == 2
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}
    assert Tag.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_five_callers_ask_for_one_refresh(connected: Any) -> None:
    shop = connected("shop")
    at_once(*[lambda: ask_for(shop)] * 5)
    assert Counter(SyncRun.objects.values_list("what", flat=True)) == dict.fromkeys(LISTS, 1)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_the_crm_thinks(connected: Any, crm: Any) -> None:
    shop, held = connected("shop"), []

    def pages(what: str) -> Any:
        for page in ([QUIZ], [HOT]):
            held.append(connection.connection is not None)
            yield page

    crm.fetch = pages
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    assert held == [False, False]


@pytest.mark.django_db(transaction=True)
def test_no_request_is_sent_inside_a_transaction(connected: Any, crm: Any) -> None:
    shop, inside = connected("shop"), []

    def look(*_: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return iter([[QUIZ]])

    crm.fetch = look
    refresh.learn = look  # the fixture puts the real one back
    ask_for(shop)
    run_waiting(shop.pk)
    assert inside == [False] * 6
