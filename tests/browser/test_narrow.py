"""The desk on a phone, by keyboard alone, and with its buttons that copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.events.models import WebhookEndpoint
from accounts.models import Account
from crm_cache.models import CrmUser, Field, Step
from rules import incidents
from rules.models import Answer, BulkRun, Delivery, Outcome, Rule
from tests.admin.conftest import deliver
from tests.admin.test_lists import one_of_each
from tests.admin.test_pages import list_of, page_of
from tests.browser.conftest import picture

__all__ = ["deliver", "one_of_each"]
pytestmark = pytest.mark.django_db(transaction=True)
SIDEWAYS = """() => [...document.querySelectorAll("html, body *")].filter((one) =>
    one.scrollWidth > one.clientWidth + 1
    && (one.tagName === "HTML" || ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
).map((one) => [one.id || one.className, one.scrollWidth - one.clientWidth])"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_no_page_is_wider_than_a_phone(
    superuser: Client, rule: Rule, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    rows: list[Any] = [deliver(state) for state in ("waiting", "held", "delivered")]
    for model in (Account, Step):
        model.objects.update(name="Длинноеназваниебезпробелов" * 9)
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


LONG = {
    Account: {"name": "Ремонт квартир под ключ, Санкт-Петербург и область"},
    Answer: {"answer_id": Concat(Value("7f0c2d1e-55aa-4c1e-9d5e-0b7a3d1c9e42"), "answer_id")},
    CrmUser: {"email": "konstantin.konstantinopolskiy@remont-kvartir.example", "role": "Админ"},
    Field: {"name": "Какая площадь помещения, которое нужно отремонтировать", "code": "UF_CRM_1712345678901"},
    Delivery: {"error": "CRM: значение «999999999999» не подходит полю «Бюджет»; " * 3, "attempts_made": 12},
    Outcome: {"step_name": "Согласование договора с заказчиком", "performer_name": "Константин Константинов",
              "amount": 123456789, "paid": 12345678, "changed_at": timezone.now()},
    WebhookEndpoint: {"url": "https://quiz-platform.example/integrations/crm/events",
                      "error": "answered 500 " * 9},
}  # fmt: skip


@pytest.mark.usefixtures("one_of_each")
def test_no_list_scrolls_sideways_at_a_desk(superuser: Client, sit_down: Callable[..., Any]) -> None:
    """With the menu open, and with values as long as real ones."""
    for model, values in LONG.items():
        model._default_manager.update(**values)
    page = sit_down(superuser, width=1280, height=900)
    wider = {}
    person = page_of(User.objects.get(username="root"))
    for address in (*map(list_of, admin.site._registry), person):
        page.goto(address)
        page.locator("#content").wait_for()
        if beyond := page.evaluate(SIDEWAYS):
            wider[address] = beyond
            picture(page, f"sideways-{len(wider)}")
    assert wider == {}


def test_paper_has_what_is_read_alone(operator: Client, shop: Account, sit_down: Callable[..., Any]) -> None:
    page = sit_down(operator, width=1280)
    page.goto(page_of(shop))
    page.emulate_media(media="print")
    assert not page.locator("#nav-sidebar").is_visible()
    assert not page.locator(".desk-copier").first.is_visible()
    assert page.locator("#history").is_visible()
    left = page.locator("#history").bounding_box()["x"]
    assert left < 50


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
