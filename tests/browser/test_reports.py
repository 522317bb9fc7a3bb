"""Charts are drawn with numbers on hover, in light and dark; an account's page says how it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Checkup
from rules import figures
from rules.models import Delivery
from tests.admin.conftest import deliver
from tests.browser.conftest import picture
from tests.rules.test_figures import made

__all__ = ["deliver"]
pytestmark = pytest.mark.django_db(transaction=True)
STATUSES = ("won", "lost", "open", "won", "open")


@pytest.fixture
def month(shop: Account, deliver: Callable[..., Delivery]) -> Account:
    """Leads of thirty days, some of them sold; two are held."""
    now = timezone.now()
    for number in range(45):
        lead = made(
            deliver, now - timedelta(hours=16 * number), 1 + number % 7, status=STATUSES[number % 5],
            utm={"utm_source": ("yandex", "vk", "google")[number % 3]} if number % 4 else {},
            performer_name=("Маша", "Олег")[number % 2],
        )  # fmt: skip
        lead.delivery.answer.payload["answers"] = [
            {
                "questionID": "r",
                "question": "Какой ремонт?",
                "type": "select",
                "answer": ("Полный", "Косметика")[number % 2],
            }
        ]
        lead.delivery.answer.save()
    deliver("held")
    deliver("held", held_because="fix_rule")
    figures.count_due()
    Checkup.objects.create(
        account=shop, asked_at=now,
        problems=[{"code": "not_admin", "message": "The connection isn't an administrator's."}],
    )  # fmt: skip
    return shop


def test_a_chart_tells_its_numbers_where_somebody_points(
    operator: Client, month: Account, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(reverse("admin:rules_outcome_reports") + "?quiz=101")
    assert page.locator("canvas").count() == 7
    drawn = "() => Object.values(Chart.instances).length"
    assert page.evaluate(drawn) == 7
    source = page.locator("canvas[data-desk-chart='chart-source']")
    source.scroll_into_view_if_needed()
    box = source.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    tip = "() => Chart.getChart(document.querySelector('[data-desk-chart=chart-source]')).tooltip"
    page.wait_for_function(f"({tip})().opacity > 0")
    assert "конверсия" in page.evaluate(f"({tip})().footer[0]")
    picture(page, "reports-light")
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.locator("summary", has_text="Числа").first.click()
    assert page.locator("details[open] td").count() > 0
    picture(page, "reports-dark")
    page.set_viewport_size({"width": 390, "height": 900})
    page.reload()
    picture(page, "reports-narrow")


def test_an_accounts_page_begins_with_how_it_does(
    operator: Client, month: Account, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(reverse("admin:accounts_account_change", args=[month.pk]))
    page.locator(".desk-tiles", has_text="Доставлено за 7 дн.").wait_for()
    assert page.locator(".desk-small .desk-hour[title]").count() == 28
    picture(page, "account-light")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 900})
    page.reload()
    picture(page, "account-dark-narrow")
