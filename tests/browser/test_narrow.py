"""The desk on a phone, by keyboard alone, and with its buttons that copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from rules import incidents
from rules.models import BulkRun, Delivery, Outcome, Rule
from tests.admin.conftest import deliver
from tests.admin.test_pages import list_of, page_of
from tests.browser.conftest import picture

__all__ = ["deliver"]
pytestmark = pytest.mark.django_db(transaction=True)
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_no_page_is_wider_than_a_phone(
    superuser: Client, rule: Rule, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    rows: list[Any] = [deliver(state) for state in ("waiting", "held", "delivered")]
    incidents.look()
    run = BulkRun.objects.create(action="retry", who="root", query="state__exact=held", newest=1)
    rows += [rows[0].answer, rule, rule.account, Outcome.objects.get(), run]
    pages = [
        reverse("admin:index"),
        reverse("admin:rules_outcome_conversion"),
        reverse("admin:rules_outcome_reports"),
        reverse("admin:rules_rule_add"),
        *map(list_of, admin.site._registry),
        *map(page_of, rows),
        page_of(rows[0], "try_again"),
        page_of(rows[0], "replay"),
        page_of(rows[0].answer, "mend"),
    ]
    page = sit_down(superuser, width=390, height=844)
    wider = {}
    for address in pages:
        page.goto(address)
        if beyond := page.evaluate(WIDER):
            wider[address] = beyond
            picture(page, f"wide-{len(wider)}")
    assert wider == {}


def test_filters_open_without_a_warning(
    operator: Client, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    deliver("held")
    page = sit_down(operator)
    for model in (Delivery, Account, Outcome, Rule, BulkRun):
        page.goto(list_of(model))
        page.locator("text=Фильтры").first.click()
        page.locator("#changelist-filter").wait_for(state="visible")
        signs = page.locator("#changelist-filter .material-symbols-outlined").all_inner_texts()
        assert not {"warning", "error"} & set(signs)
        assert "⚠" not in page.locator("#changelist-filter").inner_text()
        picture(page, f"filters-{model._meta.model_name}")


def test_the_first_tab_leads_to_the_content_and_focus_is_seen(
    operator: Client, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(reverse("admin:index"))
    page.keyboard.press("Tab")
    skip = page.locator(".desk-skip")
    assert skip.evaluate("(one) => one === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = "() => document.activeElement"
    assert page.evaluate("() => document.querySelector('#content').contains(document.activeElement)")
    assert page.evaluate(f"() => getComputedStyle(({focused})()).outlineStyle") == "solid"


def test_ids_are_copied_by_a_button(operator: Client, shop: Account, sit_down: Callable[..., Any]) -> None:
    page = sit_down(operator)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(page_of(shop))
    page.get_by_role("button", name="Копировать: 30shop").click()
    page.get_by_text("check", exact=True).wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == "30shop"
