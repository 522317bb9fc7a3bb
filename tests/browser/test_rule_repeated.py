"""What happens to people with an open lead is chosen on a rule's page, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from rules.models import Rule
from tests.browser.conftest import picture

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_note_on_the_open_lead_is_chosen(
    operator: Client, shop: Account, sit_down: Callable[..., Any]
) -> None:
    rule = Rule.objects.create(account=shop, quiz_id=101, pipeline="70", step="142")
    address = reverse("admin:rules_rule_change", args=[rule.pk])
    page = sit_down(operator)
    page.goto(address)
    part = page.locator("[data-part=repeated]")
    assert part.locator("input").count() == 0
    part.locator("select").select_option("note")
    part.locator("input[type=number]").fill("14")
    part.locator("input[type=checkbox]").check()
    part.scroll_into_view_if_needed()
    picture(page, "rule-repeated")
    page.locator("button[name=_continue]").click()
    page.wait_for_load_state()
    rule.refresh_from_db()
    assert rule.extra == {"repeated": {"do": "note", "days": 14, "task": True}}
    narrow = sit_down(operator, width=390, height=844)
    narrow.goto(address)
    part = narrow.locator("[data-part=repeated]")
    assert part.locator("input[type=number]").input_value() == "14"
    part.scroll_into_view_if_needed()
    picture(narrow, "rule-repeated-narrow")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    part.locator("select").select_option("new")
    narrow.locator("button[name=_continue]").click()
    narrow.wait_for_load_state()
    rule.refresh_from_db()
    assert rule.extra == {}
