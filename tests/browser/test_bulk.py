"""A person moves all held deliveries at once, watches how far it is, and stops the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rules import bulk
from rules.models import BulkRun, Delivery
from tests.admin.conftest import deliver
from tests.browser.conftest import picture

__all__ = ["deliver"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_all_of_a_filter_go_while_the_page_counts(
    operator: Client,
    deliver: Callable[..., Delivery],
    sit_down: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(4):
        deliver("held")
    monkeypatch.setattr("rules.bulk.ask_to_go_on", lambda run_id: None)
    monkeypatch.setattr("rules.bulk.WINDOW", 2)
    monkeypatch.setattr("rules.admin.deliveries.DeliveryAdmin.list_per_page", 3)
    page = sit_down(operator)
    page.goto(reverse("admin:rules_delivery_changelist") + "?state__exact=held")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("cancel_chosen")
    page.locator(".question a").click()
    page.locator("button[name=index]").click()
    page.locator("text=Отменить 4 отправки?").wait_for()
    picture(page, "bulk-question")
    page.locator(".desk-buttons button[type=submit]").click()
    page.wait_for_url("**/bulkrun/*/change/")
    run = BulkRun.objects.get()
    bulk.portion(run.pk)
    page.locator("progress[value='50']").wait_for()  # the page has asked again by itself
    picture(page, "bulk-under-way")
    page.locator("a[href$='/stop/']").click()
    page.locator(".desk-buttons button[type=submit]").click()
    page.wait_for_url("**/bulkrun/*/change/")
    bulk.portion(run.pk)
    page.locator(".desk-heading", has_text="остановлено").wait_for()
    states = Delivery.objects.order_by("pk").values_list("held_because", flat=True)
    assert list(states) == ["cancelled", "cancelled", "refused", "refused"]


def test_a_list_is_taken_as_a_file_and_the_next_deed_waits_for_nothing(
    operator: Client, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    held = deliver("held")
    page = sit_down(operator)
    page.goto(reverse("admin:rules_delivery_changelist") + "?state__exact=held")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("download_chosen")
    with page.expect_download() as taken:
        page.locator("button[name=index]").click()
    text = Path(taken.value.path()).read_text("utf-8-sig")
    assert text.startswith("Отправка;Квиз;")
    assert f"\n{held.pk};" in text
    page.locator("select[name=action]").select_option("cancel_chosen")
    page.locator("button[name=index]").click()
    page.locator("text=Отменить 1 отправку?").wait_for()
