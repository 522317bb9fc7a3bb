"""The page of charts, and the strip that says how an account does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AccountEvent, Checkup, Token
from crm_cache.models import SyncRun
from rules import figures
from rules.models import Delivery, Outcome, Rule
from tests.admin.test_pages import page_of
from tests.rules.test_figures import made

Deliver = Callable[..., Delivery]
PAGE = reverse("admin:rules_outcome_reports")


def charts(client: Client, **query: Any) -> dict[str, Any]:
    """By its key, what is drawn; of an empty one, what it says."""
    context = client.get(PAGE, query).context
    shown = [*context["charts"], *context["options"].get("charts", [])]
    return {one.key: one.empty if one.is_empty else one for one in shown}


def test_without_leads_every_chart_says_what_to_do(viewer: Client) -> None:
    shown = charts(viewer)
    assert set(shown) == {"arrivals", "seconds", "held", "quiz", "source", "person"}
    assert all(isinstance(told, str) and told for told in shown.values())
    html = viewer.get(PAGE).content.decode()
    assert "Nothing was counted yet" in html
    assert "Choose a quiz above" in html


def test_charts_add_up_the_days_of_the_period(operator: Client, deliver: Deliver) -> None:
    now = timezone.now()
    for days, status in ((0, "won"), (0, "open"), (5, "lost"), (40, "won")):
        made(deliver, now - timedelta(days=days), status=status, utm={"utm_source": "yandex"})
    deliver("held")
    for days in (0, 5, 40):
        figures.count(timezone.localdate(now - timedelta(days=days)))
    month = charts(operator)
    assert next((one.label, sum(one.values)) for one in month["arrivals"].series) == ("amoCRM", 3)
    assert len(month["arrivals"].labels) == 30
    assert [list(one.values) for one in month["source"].series] == [[1], [1], [1]]  # won, lost, open
    assert month["source"].notes == ["conversion 33.3 %"]
    assert month["held"].labels == ["refused by the CRM"]
    assert "held_because__exact=refused" in month["held"].urls[0]
    assert [list(one.values)[-1] for one in month["seconds"].series] == [2.0, 2.0]
    week = charts(operator, period="7")
    assert len(week["arrivals"].labels) > 6 * 24  # hour by hour
    assert sum(week["arrivals"].series[0].values) == 3
    assert sum(charts(operator, period="90")["arrivals"].series[0].values) == 4
    nobody = Account.objects.create(account_id="nobody", crm="amocrm", remote_id="1")
    assert all(isinstance(one, str) for one in charts(operator, account=nobody.pk).values())
    html = operator.get(PAGE).content.decode()
    assert 'id="chart-source"' in html
    assert "desk/charts" in html


@pytest.mark.parametrize("query", [{"period": "x"}, {"account": "9" * 30}, {"quiz": "²"}, {"account": "-1"}])
def test_whatever_is_asked_for_the_page_opens(viewer: Client, query: dict[str, str]) -> None:
    assert viewer.get(PAGE, query).status_code == 200


def test_what_was_chosen_is_compared(operator: Client, viewer: Client, deliver: Deliver) -> None:
    for number, (repair, status) in enumerate(
        [("Full", "won"), ("Full", "open"), ("Paint", "lost"), ("Paint", "lost")]
    ):
        lead = made(deliver, timezone.now(), status=status)
        answer = lead.delivery.answer
        answer.payload["answers"] = [
            {"questionID": "r", "question": "Which repair?", "type": "select", "answer": [repair]},
            {"questionID": "t", "question": "Anything else?", "answer": f"my secret {number}"},
        ]
        answer.save()
    figures.count(timezone.localdate())
    shown = charts(operator, quiz=101)
    assert shown["option0"].title == "Which repair?"
    assert shown["option0"].labels == ["Full", "Paint"]
    assert [list(one.values) for one in shown["option0"].series] == [[1, 0], [0, 2], [1, 0]]
    assert "option1" not in shown
    html = viewer.get(PAGE, {"quiz": 101}).content.decode()
    assert "shown to operators" in html
    assert "Paint" not in html


def test_the_page_costs_the_same_however_much_is_stored(operator: Client, deliver: Deliver) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            operator.get(PAGE)
        return len(seen)

    made(deliver, timezone.now())
    figures.count_due()
    before = queries()
    for days in range(5):
        made(deliver, timezone.now() - timedelta(days=days))
        deliver("held")
    for days in range(5):
        figures.count(timezone.localdate() - timedelta(days=days))
    assert queries() == before


# -- the strip -----------------------------------------------------------------------------------------------


def strip(client: Client, account: Account) -> dict[str, tuple[str, str, str]]:
    tiles = client.get(page_of(account)).context["health"]["tiles"]
    return {tile.label: (tile.value, tile.note, tile.colour) for tile in tiles}


def test_a_new_account_says_what_is_not_known_yet(viewer: Client, shop: Account) -> None:
    Token.objects.update(expires_at=timezone.now() + timedelta(days=1))
    shown = strip(viewer, shop)
    assert shown["delivered in 24 hours"][0] == "0"
    assert shown["last lead made"][0] == "never"
    assert shown["oldest waiting"][0] == "nothing waits"
    assert shown["rules with problems"][0] == "0"
    assert shown["rights in the CRM"][0] == "not asked yet"
    assert shown["requests in the last minute"][0] == "0"
    assert {colour for *_, colour in shown.values()} <= {"none", "delivered"}


def test_the_strip_tells_success_waiting_drift_and_missing_rights(
    operator: Client, shop: Account, rule: Rule, deliver: Deliver
) -> None:
    now = timezone.now()
    for days in (0, 3):
        made(deliver, now - timedelta(days=days))
    late = deliver("waiting", created_at=now - timedelta(hours=3))
    late.attempts.update(outcome="wait", started_at=now)
    figures.count_due()
    Rule.objects.update(problems=[{"code": "placed_elsewhere", "message": "Elsewhere."}])
    Checkup.objects.create(
        account=shop, asked_at=now, problems=[{"code": "x", "message": "Not an administrator's."}]
    )
    AccountEvent.objects.create(account=shop, before="connecting", after="active", by="staff", who="boss")
    shown = strip(operator, shop)
    assert shown["delivered in 24 hours"][:2] == ("1", "50 % of tries, 1 failed")
    assert shown["delivered in 7 days"][0] == "2"
    assert shown["oldest waiting"][::2] == ("3\xa0hours", "held")
    assert shown["rules with problems"][:2] == ("1", "of 1 the leads land elsewhere")
    assert shown["rights in the CRM"][::2] == ("something is missing", "held")
    assert shown["signed in until"][1] == "expired"
    html = operator.get(page_of(shop)).content.decode()
    assert "Not an administrator&#x27;s." in html
    assert "by boss" in html
    assert Outcome.objects.count() == 2


def test_a_crm_that_tells_no_rights_says_so(viewer: Client, db: None) -> None:
    account = Account.objects.create(
        account_id="w", crm="envybox", remote_id="1", host="x.envycrm.com", state="active"
    )
    assert strip(viewer, account)["rights in the CRM"][:2] == (
        "unknown",
        "this CRM does not say which rights a key has",
    )


def test_a_sync_is_watched_while_it_goes_on(viewer: Client, shop: Account) -> None:
    html = viewer.get(page_of(shop)).content.decode()
    assert "part=sync" not in html
    SyncRun.objects.create(account=shop, what="users", state="running", pages=3, added=120)
    part = viewer.get(page_of(shop), {"part": "sync"}).content.decode()
    assert "every 2s" in part
    assert "120" in part
    assert "<html" not in part
