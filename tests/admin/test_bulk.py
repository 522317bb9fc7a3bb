"""Many deliveries at once: the numbers first, then a run that is kept, survives a kill, and can be ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors.messages import from_column
from rules import bulk
from rules.delivery import outbox
from rules.models import BulkRun, Delivery
from rules.tasks import run_bulk
from tests.admin.test_pages import list_of, page_of

Deliver = Callable[..., Delivery]
HELD = f"{list_of(Delivery)}?state__exact=held"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs that would have gone to a worker."""
    runs: list[int] = []
    monkeypatch.setattr("rules.bulk.ask_to_go_on", runs.append)
    return runs


def choose_all(client: Client, name: str, url: str = HELD, **more: str) -> Any:
    """All rows of the filter, of which the page shows some."""
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[0]
    chosen = {"action": name, "_selected_action": [first], "select_across": "1"}
    return client.post(url, {**chosen, **more})


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_all_rows_of_a_filter_are_moved_in_the_background(
    operator: Client,
    deliver: Deliver,
    asked: list[int],
    woken: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    rows = [deliver("held") for _ in range(3)] + [deliver("waiting", error="busy"), deliver("delivered")]
    html = choose_all(operator, "try_chosen_again").content.decode()
    assert "3 deliveries of 1 account" in html
    assert "state: held" in html
    assert not BulkRun.objects.exists()
    answer = choose_all(operator, "try_chosen_again", confirmed="yes")
    run = BulkRun.objects.get()
    assert answer["Location"] == page_of(run)
    assert (run.state, run.planned, run.who, asked) == ("waiting", 3, "operator", [run.pk])
    assert states() == ["held"] * 3 + ["waiting", "delivered"]
    late = deliver("held")
    with django_capture_on_commit_callbacks(execute=True):
        run_bulk(run.pk)
    run.refresh_from_db()
    assert (run.state, run.moved, run.left_alone, run.failed) == ("done", 3, 0, 0)
    assert states() == ["waiting"] * 4 + ["delivered", "held"]
    assert set(woken) == {rows[0].account_id}
    said = {entry.object_id: from_column(entry.change_message) for entry in LogEntry.objects.all()}
    assert said == {str(row.pk): f"Tried again by a person, bulk run {run.pk}." for row in rows[:3]}
    html = operator.get(page_of(run)).content.decode()
    assert "part=progress" not in html
    assert "state: held" in html
    late.refresh_from_db()
    assert late.state == "held"


def test_a_killed_run_goes_on_where_its_last_portion_ended(
    operator: Client, deliver: Deliver, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        deliver("held")
    monkeypatch.setattr("rules.bulk.WINDOW", 2)
    choose_all(operator, "cancel_chosen", confirmed="yes")
    run = BulkRun.objects.get()
    assert bulk.portion(run.pk)
    half = BulkRun.objects.get()
    assert (half.state, half.moved, 0 < half.percent < 100) == ("running", 2, True)
    html = operator.get(page_of(run), {"part": "progress"}).content.decode()
    assert "every 2s" in html
    assert "<html" not in html
    asked.clear()
    bulk.go_on_due()  # as beat does, after its process died
    assert asked == [run.pk]
    bulk.go_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.moved, run.percent) == ("done", 5, 100)
    assert set(Delivery.objects.values_list("held_because", flat=True)) == {"cancelled"}


def test_a_run_is_cancelled_between_two_portions(
    operator: Client, viewer: Client, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        deliver("held")
    monkeypatch.setattr("rules.bulk.WINDOW", 2)
    choose_all(operator, "try_chosen_again", confirmed="yes")
    run = BulkRun.objects.get()
    bulk.portion(run.pk)
    assert page_of(run, "stop") in operator.get(page_of(run)).content.decode()
    assert page_of(run, "stop") not in viewer.get(page_of(run)).content.decode()
    assert viewer.post(page_of(run, "stop"), {"confirmed": "yes"}).status_code == 403
    assert "2 deliveries were moved already" in operator.get(page_of(run, "stop")).content.decode()
    operator.post(page_of(run, "stop"), {"confirmed": "yes"})
    bulk.go_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.moved, run.cancelled_by) == ("cancelled", 2, "operator")
    assert states() == ["waiting"] * 2 + ["held"] * 2
    assert (
        "it had ended"
        in operator.post(page_of(run, "stop"), {"confirmed": "yes"}, follow=True).content.decode()
    )


def test_what_can_not_be_moved_is_counted_and_keeps_nobody(
    operator: Client, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        deliver("held")
    monkeypatch.setattr("rules.bulk.WINDOW", 2)
    original = outbox.retry

    def fail_on_the_first(rows: Any) -> int:
        if rows.count() == 2:
            raise RuntimeError
        return original(rows)

    monkeypatch.setattr("rules.bulk.outbox.retry", fail_on_the_first)
    choose_all(operator, "try_chosen_again", confirmed="yes")
    run = BulkRun.objects.get()
    bulk.go_on(run.pk)
    run.refresh_from_db()
    assert (run.state, run.moved, run.failed) == ("failed", 1, 2)
    assert "RuntimeError" in run.error
    assert states() == ["held", "held", "waiting"]


def test_whoever_may_no_longer_act_moves_nothing_more(operator: Client, deliver: Deliver) -> None:
    deliver("held")
    choose_all(operator, "try_chosen_again", confirmed="yes")
    User.objects.get(username="operator").groups.clear()
    run = BulkRun.objects.get()
    bulk.go_on(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "operator may not do this any more" in run.error
    assert states() == ["held"]


def test_release_never_sends_what_nobody_can_look_for(operator: Client, deliver: Deliver) -> None:
    rows = [
        deliver("held", held_because="stale"),
        deliver("held", held_because="look_first", look_first=True, error_code="look_incomplete"),
        deliver("held", held_because="cancelled"),
        deliver("waiting"),
    ]
    chosen = {"action": "release_chosen", "_selected_action": [row.pk for row in rows]}
    html = operator.post(list_of(Delivery), chosen).content.decode()
    assert "1 held delivery of 1 account goes on." in html
    operator.post(list_of(Delivery), {**chosen, "confirmed": "yes"})
    assert states() == ["waiting", "held", "held", "waiting"]
    run = BulkRun.objects.get()  # picked by hand: done at once
    assert (run.state, run.moved, run.left_alone) == ("done", 1, 3)


@pytest.mark.parametrize(
    "query",
    [
        "account__crm__exact=amocrm", "quiz=101", "quiz_account=shop", "held_because__exact=refused", "q=a-1",
        "held_because__exact=open",
        "created_at_from=01.01.2020&created_at_to=01.01.2090", "p=1&o=1", "account__id__exact={account}",
    ],
)  # fmt: skip
def test_every_filter_of_the_list_is_kept_in_words_and_acts_alike(
    operator: Client, deliver: Deliver, query: str
) -> None:
    row = deliver("held")
    query = query.format(account=row.account_id)
    url = f"{list_of(Delivery)}?{query}"
    assert operator.get(url).context["cl"].result_count == 1
    assert choose_all(operator, "cancel_chosen", url, confirmed="yes").status_code == 302
    run = BulkRun.objects.get()
    bulk.go_on(run.pk)
    assert states() == ["held"]
    row.refresh_from_db()
    assert row.held_because == "cancelled"
    assert operator.get(page_of(run)).status_code == 200
    assert "p=" not in run.query


def test_the_days_of_a_russian_calendar_are_kept_to_by_a_worker_who_speaks_no_russian(
    operator: Client, deliver: Deliver
) -> None:
    deliver("held", created_at=datetime(2026, 3, 7, tzinfo=UTC))
    meant = deliver("held", created_at=datetime(2026, 3, 28, tzinfo=UTC))
    operator.cookies[settings.LANGUAGE_COOKIE_NAME] = "ru"
    url = f"{list_of(Delivery)}?state__exact=held&created_at_from=20.03.2026"
    assert [row.pk for row in operator.get(url).context["cl"].result_list] == [meant.pk]
    choose_all(operator, "cancel_chosen", url, confirmed="yes")
    bulk.go_on(BulkRun.objects.get().pk)
    cancelled = Delivery.objects.filter(held_because="cancelled")
    assert [row.pk for row in cancelled] == [meant.pk]


def test_a_portion_reads_so_many_keys_and_no_more(operator: Client, deliver: Deliver) -> None:
    for _ in range(3):
        deliver("held")
    choose_all(operator, "try_chosen_again", confirmed="yes")
    run = BulkRun.objects.get()
    with CaptureQueriesContext(connection) as seen:
        bulk.portion(run.pk)
    reads = [
        query["sql"] for query in seen if "FOR UPDATE" in query["sql"] and "rules_delivery" in query["sql"]
    ]
    assert f"<= {run.newest}" in reads[0].replace('"rules_delivery"."id" ', "")
    assert f"LIMIT {outbox.AT_ONCE}" in reads[0]


def test_what_has_left_the_list_between_question_and_yes_is_nobody_elses_turn(
    operator: Client, deliver: Deliver
) -> None:
    picked = deliver("held")
    deliver("held")
    Delivery.objects.filter(pk=picked.pk).update(state="waiting", held_because="")
    chosen = {"action": "try_chosen_again", "_selected_action": [picked.pk], "confirmed": "yes"}
    html = operator.post(HELD, chosen, follow=True).content.decode()
    assert "Nothing was changed" in html
    assert states() == ["waiting", "held"]
    assert not BulkRun.objects.exists()
