"""Every action by the keyboard alone: all is reached by Tab, what opens takes the focus and gives it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from rules.models import Delivery, Rule
from tests.admin.conftest import deliver
from tests.admin.test_lists import one_of_each
from tests.admin.test_pages import list_of, page_of

__all__ = ["deliver", "one_of_each"]
pytestmark = pytest.mark.django_db(transaction=True)
MOST_TABS = 80
# What has the hand of a mouse and neither takes the focus nor stands in or around something that does.
OUT_OF_REACH = """() => {
    const reached = "a[href], button, input, select, textarea, summary, label, [tabindex='0']";
    const shown = (one) => one.getClientRects().length && getComputedStyle(one).cursor === "pointer";
    return [...document.querySelectorAll("body *")]
        .filter((one) => shown(one) && !one.closest(reached) && !one.querySelector(reached))
        .map((one) => one.outerHTML.slice(0, 120));
}"""
NAMELESS = """() => [...document.querySelectorAll("a[href], button, [role=button]")].filter((one) =>
    one.getClientRects().length && !one.title && !one.ariaLabel && !(() => {
        const copy = one.cloneNode(true);
        copy.querySelectorAll("[aria-hidden=true]").forEach((icon) => icon.remove());
        return copy.textContent.trim();
    })()).map((one) => one.outerHTML.slice(0, 200))"""
FOCUS_IN = (
    "(one) => one.contains(document.activeElement) && getComputedStyle(document.activeElement).outlineStyle"
)


def tab_to(page: Any, words: str) -> Any:
    """Press Tab until something that says so has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if words in page.evaluate("() => document.activeElement.textContent"):
            return page.evaluate_handle("() => document.activeElement")
    raise AssertionError(f"no Tab leads to {words}")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.usefixtures("one_of_each")
def test_whatever_can_be_clicked_is_reached_and_named(
    superuser: Client, sit_down: Callable[..., Any], width: int
) -> None:
    page, faults = sit_down(superuser, width=width), {}
    rows = [Delivery.objects.first(), Rule.objects.get()]
    pages = [reverse("admin:index"), *map(list_of, admin.site._registry), *map(page_of, rows)]
    for address in pages:
        page.goto(address)
        page.locator("[data-desk-keys]").first.wait_for(state="attached")
        if found := page.evaluate(OUT_OF_REACH) + page.evaluate(NAMELESS):
            faults[address] = found
    assert faults == {}


def test_filters_take_the_focus_and_give_it_back(
    operator: Client, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    deliver("held")
    page = sit_down(operator, width=1280)
    page.goto(list_of(Delivery))
    opener = tab_to(page, "Фильтры")
    page.keyboard.press("Enter")
    drawer = page.locator("#changelist-filter")
    page.wait_for_function(
        "() => document.querySelector('#changelist-filter').contains(document.activeElement)"
    )
    page.keyboard.press("Shift+Tab")  # from the first to the last, not to what lies behind
    assert drawer.evaluate(FOCUS_IN) == "solid"
    page.keyboard.press("Escape")
    page.wait_for_function("(one) => one === document.activeElement", arg=opener)
    assert not drawer.is_visible()


def test_the_menu_of_a_person_and_the_other_actions_of_a_rule_open_by_keys(
    operator: Client, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator, width=1280)
    page.goto(page_of(rule))
    tab_to(page, "operator")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Выйти").wait_for()
    tab_to(page, "Выйти")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Выйти").wait_for(state="hidden")
    page.wait_for_function("() => document.activeElement.textContent.includes('operator')")
    tab_to(page, "Ещё")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.closest('nav')")
    if "Приостановить" not in page.evaluate("() => document.activeElement.textContent"):
        tab_to(page, "Приостановить")
    page.keyboard.press("Enter")
    page.get_by_text("Поставить правило на паузу?").wait_for()


def test_what_parts_of_the_theme_say_in_english_is_said_in_russian(
    operator: Client, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(f"{list_of(Delivery)}?account__id__exact={rule.account_id}")
    page.locator("[aria-label='Прокручиваемая область']").first.wait_for(state="attached")
    page.locator("[title='Очистить']").first.wait_for(state="attached")
    assert page.locator("[aria-label='scrollable content'], [title='Remove all items']").count() == 0
