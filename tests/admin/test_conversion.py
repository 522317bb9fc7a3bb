"""Conversion: per quiz and CRM, of a chosen time, in money and in percent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rules.admin.conversion import lines, total
from rules.models import Answer, Delivery, Outcome
from tests.admin.conftest import open_shop, rule_of

Deliver = Callable[..., Delivery]
PAGE = "/admin/rules/outcome/conversion/"


@pytest.fixture
def month(deliver: Deliver) -> None:
    """Quiz 101: five answers, four delivered, one of each fate, one without a rule. Quiz 7: one, in euros."""
    for fate in ({"status": "won", "paid": "400"}, {"status": "lost"}, {}, {"gone": "deleted"}):
        deliver_as(deliver, **fate)
    deliver("held")
    shop = Answer.objects.first()
    Answer.objects.create(account_id="shop", quiz_id=101, answer_id="no-rule", payload={}, digest="x")
    other = deliver("delivered", rule=rule_of(open_shop("other", "Other"), 7))
    Outcome.objects.filter(delivery=other).update(status="won", amount="10", currency="EUR")
    assert shop is not None


def deliver_as(deliver: Deliver, **fate: Any) -> None:
    delivery = deliver("delivered")
    Outcome.objects.filter(delivery=delivery).update(**fate)


def shown(client: Client, **chosen: str) -> list[tuple[Any, ...]]:
    found = client.get(PAGE, chosen).context["lines"]
    return [(one.line.quiz_id, one.crm, one.line.answers, one.percent) for one in found]


def test_every_fate_is_counted_once(month: None) -> None:
    line = lines(None)[0]
    assert (line.owner, line.quiz_id, line.crm) == ("shop", 101, "amocrm")
    counted = (line.answers, line.delivered, line.open, line.won, line.lost, line.gone)
    assert counted == (5, 4, 1, 1, 1, 1)
    assert (line.percent, line.won_sum, line.paid_sum) == (
        25, {"RUB": Decimal("54000")}, {"RUB": Decimal("400")},
    )  # fmt: skip


def test_the_page_tells_quizzes_crms_and_those_without_a_rule(operator: Client, month: None) -> None:
    assert shown(operator) == [
        (101, "amoCRM", 5, "25.0 %"), (7, "amoCRM", 1, "100.0 %"), (101, "", 1, ""),
    ]  # fmt: skip
    html = operator.get(PAGE).content.decode()
    assert "54\u00a0000\u00a0RUB" in html
    assert "10\u00a0EUR, 54\u00a0000\u00a0RUB" in html


def test_a_number_leads_to_its_rows(operator: Client, month: None) -> None:
    urls = [one.url for one in operator.get(PAGE).context["lines"] if one.url]
    assert [operator.get(url).context["cl"].result_count for url in urls] == [4, 1]


def test_only_the_chosen_time_and_quiz_count(operator: Client, month: None) -> None:
    Answer.objects.filter(quiz_id=7).update(created_at=timezone.now() - timedelta(days=40))
    quizzes = {period: [line[0] for line in shown(operator, period=period)] for period in ("7", "30", "90")}
    assert quizzes == {"7": [101, 101], "30": [101, 101], "90": [101, 7, 101]}
    assert len(shown(operator, period="all")) == 3
    assert len(shown(operator, period="nonsense")) == 2
    assert [line[0] for line in shown(operator, period="all", quiz="7")] == [7]
    assert [line[0] for line in shown(operator, period="all", owner="shop")] == [101, 101]
    assert shown(operator, quiz="x") == shown(operator, owner="nobody") == []


def test_no_answers_are_said_so(operator: Client) -> None:
    assert "No answer came in this time." in operator.get(PAGE).content.decode()
    assert "No answer came in 30 days." in operator.get(PAGE, {"part": "top"}).content.decode()


def test_it_is_one_statement(month: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        total(lines(timezone.now() - timedelta(days=30)))
    assert len(captured) == 1


def test_the_first_page_fetches_the_busiest_afterwards(operator: Client, month: None) -> None:
    assert f'hx-get="{PAGE}?part=top"' in operator.get(reverse("admin:index")).content.decode()
    html = operator.get(PAGE, {"part": "top"}).content.decode()
    assert "<html" not in html
    assert "25.0 %" in html


def test_whoever_may_not_see_outcomes_sees_no_conversion(viewer: Client, month: None) -> None:
    assert viewer.get(PAGE).status_code == 200
    viewer.get(PAGE).context["user"].groups.clear()
    assert viewer.get(PAGE).status_code == 403
    assert PAGE not in viewer.get(reverse("admin:index")).content.decode()
