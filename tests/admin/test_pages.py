"""Every page opens for those who may see it, shows no secret, and costs a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, ConnectAttempt, Token
from crm_cache.models import CrmUser, Field, KnownContact, Pipeline, Step, SyncRun, Tag
from rules.models import Answer, Attempt, Delivery, Outcome, Rule
from tests.admin.conftest import PERSONAL, SECRETS, open_shop, rule_of, staff

MODELS = [Account, CrmUser, Pipeline, Step, Field, Tag, SyncRun, Rule, Answer, Delivery, Outcome]
STATES = ("waiting", "held", "sending", "delivered")


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Any, suffix: str = "change") -> str:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return url.removesuffix("change/") + f"{suffix}/"


@pytest.fixture
def everything(deliver: Callable[..., Delivery]) -> list[str]:
    """The address of every page there is."""
    deliveries = [deliver(state) for state in STATES]
    pages = [reverse("admin:index"), *map(list_of, MODELS)]
    pages += [page_of(model.objects.first()) for model in MODELS] + [page_of(row) for row in deliveries]
    shop = Account.objects.get()
    searches = [f"{list_of(Delivery)}?q=a-1", f"{list_of(Outcome)}?q=151", f"{list_of(Outcome)}conversion/"]
    return [*pages, *(page_of(row, "history") for row in (shop, deliveries[0])), *searches]


def test_every_page_opens_for_a_viewer(viewer: Client, everything: list[str]) -> None:
    assert {url: viewer.get(url).status_code for url in everything} == dict.fromkeys(everything, 200)


def test_every_page_opens_for_an_operator(operator: Client, everything: list[str]) -> None:
    assert {url: operator.get(url).status_code for url in everything} == dict.fromkeys(everything, 200)


@pytest.mark.parametrize("who", ["viewer", "operator", "superuser"])
def test_no_page_shows_a_secret(who: str, everything: list[str], request: Any) -> None:
    client = request.getfixturevalue(who)
    shown = {url: client.get(url).content.decode() for url in everything}
    assert [(url, secret) for url, html in shown.items() for secret in SECRETS if secret in html] == []


def test_a_viewer_reads_nothing_that_people_answered(viewer: Client, everything: list[str]) -> None:
    shown = {url: viewer.get(url).content.decode() for url in everything}
    assert [(url, text) for url, html in shown.items() for text in PERSONAL if text in html] == []


def test_an_administrator_reads_the_payload_and_both_sides_of_a_try(
    deliver: Callable[..., Delivery],
) -> None:
    delivery, administrator = deliver("held"), staff("administrator")
    html = administrator.get(page_of(delivery)).content.decode()
    assert all(text in html for text in ("amoCRM refuses it", "Ask them.", "Sent", PERSONAL[0], PERSONAL[2]))
    assert PERSONAL[1] in administrator.get(page_of(delivery.answer)).content.decode()


def test_whoever_is_in_no_group_sees_nothing(viewer: Client, everything: list[str]) -> None:
    response_user = viewer.get(everything[0]).context["user"]
    response_user.groups.clear()
    assert "Nothing is shown to you yet" in viewer.get(everything[0]).content.decode()
    assert {viewer.get(url).status_code for url in map(list_of, MODELS)} == {403}


def test_secrets_have_no_page() -> None:
    registered = set(admin.site._registry)
    assert not registered & {Token, ConnectAttempt, KnownContact, Attempt}


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_or_deletes_a_row(
    superuser: Client, model: Any, deliver: Callable[..., Delivery]
) -> None:
    deliver("delivered")
    row = model.objects.first()
    assert superuser.get(page_of(row, "delete")).status_code == 403
    if model is not Rule:
        assert superuser.get(f"{list_of(model)}add/").status_code == 403
    assert "delete_selected" not in superuser.get(list_of(model)).content.decode()


@pytest.mark.parametrize("model", [*MODELS, "dashboard"])
def test_thirty_rows_cost_hardly_more_queries_than_three(
    operator: Client, model: Any, deliver: Callable[..., Delivery]
) -> None:
    url = reverse("admin:index") if model == "dashboard" else list_of(model)
    fill(range(3), deliver)
    three = queries(operator, url)
    fill(range(3, 30), deliver)
    # A list that may have several pages asks for its page's keys first.
    assert queries(operator, url) <= three + 1


def fill(numbers: range, deliver: Callable[..., Delivery]) -> None:
    for number in numbers:
        account = open_shop(f"shop-{number}", f"Shop {number}")
        Account.objects.filter(pk=account.pk).update(state="paused" if number % 2 else "active")
        deliver(STATES[number % 4] if number > 2 else STATES[number], rule=rule_of(account, 200 + number))


def queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return len(captured)


def test_a_list_counts_no_further_than_anybody_pages(
    operator: Client, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.admin_base.COUNT_TO", 2)
    for _ in range(3):
        deliver()
    html = operator.get(list_of(Delivery)).content.decode()
    assert "or more; filters and search see all of them" in html


@pytest.mark.parametrize("word", ["a-2", "qzmark2", "1500002"])
def test_a_delivery_is_found_by_number_answer_mark_or_lead(
    operator: Client, deliver: Callable[..., Delivery], word: str
) -> None:
    deliver()
    wanted = deliver(remote_id="1500002")
    for words in (word, str(wanted.pk)):
        found = operator.get(list_of(Delivery), {"q": words}).context["cl"].result_list
        assert [row.pk for row in found] == [wanted.pk]


def test_a_day_of_deliveries_is_our_own_whole_day(
    operator: Client, deliver: Callable[..., Delivery], settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Moscow"
    for moment in ("2026-03-07T20:59:59+00:00", "2026-03-07T21:00:00+00:00", "2026-03-08T20:59:59+00:00"):
        deliver(created_at=datetime.fromisoformat(moment))
    for written in ("2026-03-08", "08.03.2026", "03/08/2026"):
        day = {"created_at_from": written, "created_at_to": written}
        assert operator.get(list_of(Delivery), day).context["cl"].result_count == 2
    assert operator.get(list_of(Delivery), {"created_at_from": "nonsense"}).context["cl"].result_count == 0


def test_the_numbers_of_the_dashboard_open_the_rows_they_count(
    operator: Client, deliver: Callable[..., Delivery]
) -> None:
    for state in (*STATES, "held", "held"):
        deliver(state)
    for over in ("cancelled", "erased", "left_out"):  # nobody need do anything about these
        deliver("held", held_because=over)
    context = operator.get(reverse("admin:index")).context
    counted = {card["url"]: card["count"] for card in context["cards"] if card["state"] != "delivered"}
    counted |= {row["url"]: row["count"] for row in context["held"]}
    assert sum(counted.values()) == 1 + 1 + 3 + 3
    assert {url: operator.get(url).context["cl"].result_count for url in counted} == counted


def test_a_rule_is_shown_by_names(operator: Client, rule: Rule) -> None:
    html = operator.get(list_of(Rule)).content.decode()
    assert "Маша" in html
    assert "Sales / New order" in html
    assert "Tag 7 is not in the CRM any more." in operator.get(page_of(rule)).content.decode()


def test_a_link_from_a_crm_is_no_script(operator: Client, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver("delivered", remote_id="9", remote_link="javascript:alert(1)")
    assert "javascript:alert" not in operator.get(list_of(Delivery)).content.decode()
    assert "javascript:alert" not in operator.get(page_of(delivery)).content.decode()
