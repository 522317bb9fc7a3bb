"""Refreshes are asked for once, claimed by one process each, and say how they ended."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from connectors.errors import NeedsReconnect, Refused, Stopped, TryLater
from connectors.rows import TagRow
from crm_cache import runs
from crm_cache.models import SyncRun
from crm_cache.refresh import pause_after, run_waiting, sync_due
from crm_cache.runs import ask_for

pytestmark = pytest.mark.django_db
LISTS = ("users", "pipelines", "steps", "fields", "tags")
QUIZ, HOT = TagRow("leads", "1", "quiz"), TagRow("leads", "2", "hot")


def states(account: Account) -> dict[str, str]:
    return dict(SyncRun.objects.filter(account=account).order_by("id").values_list("what", "state"))


def errors(account: Account) -> dict[str, str]:
    return dict(SyncRun.objects.filter(account=account).order_by("id").values_list("what", "error"))


# -- asking ----------------------------------------------------------------------------------------------


def test_without_lists_all_of_them_are_asked_for(shop: Account) -> None:
    ask_for(shop)
    assert states(shop) == dict.fromkeys(LISTS, "waiting")


def test_asking_twice_joins_what_waits(shop: Account, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        ask_for(shop, ["tags"])
    ask_for(shop, ["tags", "users"])
    assert states(shop) == {"tags": "waiting", "users": "waiting"}


def test_asking_while_the_list_is_walked_makes_one_more_run(shop: Account) -> None:
    ask_for(shop, ["tags"])
    runs.claim(shop.pk, LISTS)
    ask_for(shop, ["tags"])
    ask_for(shop, ["tags"])
    assert Counter(SyncRun.objects.values_list("state", flat=True)) == {"running": 1, "waiting": 1}
    assert runs.claim(shop.pk, LISTS) is None


def test_a_list_that_the_crm_lacks_is_refused(shop: Account) -> None:
    with pytest.raises(ValueError, match="has no list called moods"):
        ask_for(shop, ["moods"])


def test_work_starts_on_commit(
    shop: Account, woken: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ask_for(shop)
        assert woken == []
    assert woken == [shop.pk]


def test_a_dead_broker_is_no_failure(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("nobody listens")

    monkeypatch.undo()  # the real start
    monkeypatch.setattr(current_app, "send_task", refuse)
    runs.start([1, 2])
    assert caplog.text.count("the task waits for beat") == 1


# -- walking ---------------------------------------------------------------------------------------------


def test_a_full_sync_learns_the_account_once(shop: Account, crm: Any) -> None:
    ask_for(shop)
    run_waiting(shop.pk)
    assert (crm.learned, crm.walked) == (1, list(LISTS))
    assert states(shop) == dict.fromkeys(LISTS, "done")
    shop.refresh_from_db()
    assert shop.synced_at is not None

    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    assert crm.learned == 1


def test_an_account_that_may_not_be_learned_has_its_lists_all_the_same(shop: Account, crm: Any) -> None:
    crm.refuses_to_be_learned = Refused("Fields can be made by administrators only")
    ask_for(shop)
    run_waiting(shop.pk)
    assert set(states(shop).values()) == {"done"}


def test_one_refused_list_does_not_hold_the_others_back(shop: Account, crm: Any) -> None:
    crm.pages["users"] = [
        Refused("Only an administrator may list users", remedy="Connect as an administrator.")
    ]
    ask_for(shop)
    run_waiting(shop.pk)
    assert states(shop) == {**dict.fromkeys(LISTS, "done"), "users": "failed"}
    assert errors(shop)["users"] == "Only an administrator may list users. Connect as an administrator."


def test_a_revoked_token_parks_the_account_and_the_rest_waits(shop: Account, crm: Any) -> None:
    crm.pages["pipelines"] = [NeedsReconnect("The token was revoked", account_wide=True)]
    ask_for(shop)
    run_waiting(shop.pk)
    shop.refresh_from_db()
    assert (shop.state, shop.state_reason) == ("needs_reconnect", "The token was revoked.")
    assert states(shop) == {
        "users": "done",
        "pipelines": "failed",
        **dict.fromkeys(["steps", "fields", "tags"], "waiting"),
    }
    assert errors(shop)["tags"] == "Waits: The token was revoked."


def test_what_waited_for_the_owner_goes_on_after_reconnecting(
    shop: Account, crm: Any, woken: list[int]
) -> None:
    Account.objects.update(state=Account.State.NEEDS_RECONNECT)
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    assert (states(shop), errors(shop)) == (
        {"tags": "waiting"},
        {"tags": "Waits until the account can be used again (needs reconnecting)."},
    )
    SyncRun.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    sync_due()
    assert woken == []

    Account.objects.update(state=Account.State.ACTIVE)
    sync_due()
    assert woken == [shop.pk]
    run_waiting(shop.pk)
    assert (states(shop), errors(shop)) == ({"tags": "done"}, {"tags": ""})


def test_a_stop_sign_pauses_the_account(shop: Account, crm: Any) -> None:
    crm.pages["users"] = [Stopped("The CRM blocked us", account_wide=True)]
    ask_for(shop, ["users"])
    run_waiting(shop.pk)
    shop.refresh_from_db()
    assert shop.state == "paused"


def test_a_crm_out_of_reach_is_asked_once_and_again_soon(shop: Account, crm: Any) -> None:
    Account.objects.update(next_sync_at=timezone.now() + timedelta(hours=6))
    crm.pages["users"] = [TryLater("The CRM did not answer", after=300, account_wide=True)]
    ask_for(shop)
    run_waiting(shop.pk)
    assert set(states(shop).values()) == {"failed"}
    assert crm.walked == ["users"]
    shop.refresh_from_db()
    assert shop.next_sync_at is not None
    pause = shop.next_sync_at - timezone.now()
    assert timedelta(seconds=290) < pause < timedelta(seconds=430)


def test_a_gone_account_fails_what_it_waited_for(shop: Account, crm: Any) -> None:
    ask_for(shop, ["tags"])
    Account.objects.update(deleted=True, state=Account.State.DISCONNECTED)
    run_waiting(shop.pk)
    assert (states(shop), errors(shop)) == ({"tags": "failed"}, {"tags": "The account was disconnected."})


def test_no_secret_gets_into_an_error(shop: Account, crm: Any) -> None:
    crm.pages["tags"] = [Refused("It said access_token=abcdef1234567890 is bad")]
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    assert errors(shop) == {"tags": "It said access_token=*** is bad."}


@pytest.mark.parametrize("failures", range(1, 40))
def test_pauses_grow_up_to_the_ordinary_pace(failures: int) -> None:
    least = min(timedelta(minutes=1) * 2 ** (failures - 1), settings.SYNC_EVERY)
    assert least <= pause_after(failures) <= least * 1.41
    assert pause_after(failures, timedelta(days=2)) >= timedelta(days=2)


def test_failures_are_counted_since_the_last_success(shop: Account) -> None:
    made = [
        SyncRun.objects.create(account=shop, what="tags", state=state)
        for state in ("failed", "failed", "done", "failed", "failed")
    ]
    assert runs.failures_in_a_row(made[-1]) == 2


# -- how fresh the lists are -------------------------------------------------------------------------------


def test_a_list_is_complete_once_a_walk_reached_its_end(
    shop: Account, crm: Any, django_assert_num_queries: Any
) -> None:
    assert set(runs.lists_state(shop).values()) == {runs.ListState()}
    ask_for(shop)
    assert runs.lists_state(shop)["tags"] == runs.ListState(running=True)
    crm.pages["tags"] = [[QUIZ], TryLater("The CRM did not answer")]
    crm.pages["users"] = [Refused("Only an administrator may list users")]
    run_waiting(shop.pk)
    with django_assert_num_queries(1):
        found = runs.lists_state(shop)
    done = SyncRun.objects.get(account=shop, what="steps")
    assert found["steps"] == runs.ListState(done.finished_at, complete=True)
    assert found["tags"] == runs.ListState(error="The CRM did not answer.")
    assert found["users"] == runs.ListState(error="Only an administrator may list users.")


def test_connecting_again_makes_lists_old_but_not_unknown(shop: Account, crm: Any) -> None:
    ask_for(shop)
    run_waiting(shop.pk)
    shop.connected_at = timezone.now()
    found = runs.lists_state(shop)["fields"]
    assert (found.complete, found.running, found.synced_at is None) == (False, False, False)


def test_lists_read_since_a_moment_began_and_ended_after_it(shop: Account, crm: Any) -> None:
    ask_for(shop, ["steps"])
    run_waiting(shop.pk)
    moment = timezone.now()
    crm.pages["users"] = [Refused("Only an administrator may list users")]
    crm.pages["tags"] = [TryLater("The CRM did not answer")]
    ask_for(shop, ["users", "tags", "fields"])
    assert runs.read_since(shop, moment) == set()
    run_waiting(shop.pk)
    assert runs.read_since(shop, moment) == {"users", "fields"}


def test_the_last_complete_walk_is_remembered_however_often_later_ones_fail(shop: Account, crm: Any) -> None:
    ask_for(shop, ["tags"])
    run_waiting(shop.pk)
    crm.pages["tags"] = [Refused("Not today")]
    for _ in range(runs.KEEP + 3):
        ask_for(shop, ["tags"])
        run_waiting(shop.pk)
    assert SyncRun.objects.filter(account=shop).count() == runs.KEEP + 1
    assert runs.lists_state(shop)["tags"].synced_at is not None


def test_what_somebody_waits_for_is_asked_for_again_however_often_it_failed(shop: Account) -> None:
    began = timezone.now() - timedelta(hours=9)
    for minutes in (500, 300, 14):
        at = timezone.now() - timedelta(minutes=minutes)
        SyncRun.objects.create(account=shop, what="steps", state="failed", asked_at=at, started_at=at)
    runs.ask_once(shop, ["steps"], began)
    assert not SyncRun.objects.filter(state="waiting").exists()
    SyncRun.objects.update(asked_at=timezone.now() - timedelta(minutes=16))
    SyncRun.objects.create(account=shop, what="users", state="running", asked_at=began, started_at=at)
    runs.ask_once(shop, ["steps", "users"], began)
    assert [run.what for run in SyncRun.objects.filter(state="waiting")] == ["steps"]


def test_an_answer_that_breaks_our_code_is_asked_for_again_soon(shop: Account, crm: Any) -> None:
    Account.objects.update(next_sync_at=timezone.now() + timedelta(hours=6))
    crm.pages["users"] = [AttributeError("'str' object has no attribute 'get'")]
    ask_for(shop)
    run_waiting(shop.pk)
    assert states(shop) == {**dict.fromkeys(LISTS, "done"), "users": "failed"}
    assert errors(shop)["users"].startswith("The refresh broke on our side")
    shop.refresh_from_db()
    assert shop.next_sync_at
    assert shop.next_sync_at < timezone.now() + timedelta(minutes=2)


def test_what_can_not_be_cleared_away_keeps_no_list_from_being_read(
    shop: Account, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> int:
        raise RuntimeError("too many rows")

    Account.objects.update(next_sync_at=timezone.now())
    monkeypatch.setattr("crm_cache.contacts.forget_disconnected", breaks)
    with pytest.raises(RuntimeError):
        sync_due()
    assert woken == [shop.pk]
