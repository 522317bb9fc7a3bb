"""Conversion: what became of the answers of a chosen time, by what they have in common."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rules import figures
from rules.conversion.reading import Chosen, report
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
    Answer.objects.create(account_id="shop", quiz_id=101, answer_id="no-rule", payload={}, digest="x")
    other = deliver("delivered", rule=rule_of(open_shop("other", "Other"), 7))
    Outcome.objects.filter(delivery=other).update(status="won", amount="10", currency="EUR")
    count()


def count() -> None:
    for day in figures.due_days(timezone.localdate()):
        figures.count(day)


def deliver_as(deliver: Deliver, **fate: Any) -> None:
    delivery = deliver("delivered", route=fate.pop("route", ""))
    Outcome.objects.filter(delivery=delivery).update(**fate)


def shown(client: Client, **chosen: str) -> list[tuple[Any, ...]]:
    found = client.get(PAGE, chosen).context.get("lines", [])
    return [(one.line.quiz, one.crm, one.numbers.answers, one.percent) for one in found]


def names(client: Client, by: str, **chosen: Any) -> list[tuple[str, int]]:
    found = client.get(PAGE, {"by": by, **chosen}).context["lines"]
    return [(one.name, one.numbers.answers) for one in found]


def file_of(client: Client, **chosen: Any) -> list[list[str]]:
    reply = client.get(PAGE, {**chosen, "format": "csv"})
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = reply.content.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(text[1:].splitlines(), delimiter=";"))


def test_every_fate_is_counted_once(month: None) -> None:
    today = timezone.localdate()
    line = report(Chosen(today, today), "quiz").lines[0]
    assert (line.owner, line.quiz, line.crm) == ("shop", 101, "amocrm")
    assert line.numbers.counts == [5, 4, 1, 1, 1, 1]
    assert (line.numbers.percent, line.numbers.won_sum, line.numbers.paid_sum) == (
        25, {"RUB": Decimal("54000")}, {"RUB": Decimal("400")},
    )  # fmt: skip


def test_the_page_tells_quizzes_crms_and_those_without_a_rule(operator: Client, month: None) -> None:
    assert shown(operator) == [
        (101, "amoCRM", 5, "25.0 %"), (7, "amoCRM", 1, "100.0 %"), (101, "", 1, ""),
    ]  # fmt: skip
    html = operator.get(PAGE).content.decode()
    assert "54\u00a0000\u00a0₽" in html
    assert "10\u00a0€, 54\u00a0000\u00a0₽" in html


def test_a_number_leads_to_its_rows(operator: Client, month: None) -> None:
    urls = [one.url for one in operator.get(PAGE).context["lines"] if one.url]
    assert [operator.get(url).context["cl"].result_count for url in urls] == [4, 1]


def test_only_the_chosen_time_and_quiz_count(operator: Client, month: None) -> None:
    Answer.objects.filter(quiz_id=7).update(created_at=timezone.now() - timedelta(days=40))
    figures.count(timezone.localdate())
    count()
    quizzes = {period: [line[0] for line in shown(operator, period=period)] for period in ("7", "30", "90")}
    assert quizzes == {"7": [101, 101], "30": [101, 101], "90": [101, 7, 101]}
    assert len(shown(operator, period="all")) == 3
    assert len(shown(operator, period="nonsense")) == 2
    assert [line[0] for line in shown(operator, period="all", quiz="7")] == [7]
    assert [line[0] for line in shown(operator, period="all", owner="shop")] == [101, 101]
    assert [line[0] for line in shown(operator, period="all", crm="amocrm")] == [101, 7]
    assert shown(operator, period="all", crm="solos") == []
    assert shown(operator, quiz="x") == shown(operator, owner="nobody") == shown(operator, account="x") == []


def test_routes_people_and_marks_have_lines_of_their_own(operator: Client, deliver: Deliver) -> None:
    deliver_as(deliver, route="Москва", status="won", performer="901", performer_name="Маша")
    deliver_as(deliver, route="Москва", performer="902", performer_name="Олег")
    deliver_as(deliver, performer="", performer_name="")
    deliver("held", held_because="left_out")
    deliver("waiting")
    marks = {"utm": {"Source": "yandex", "utm_campaign": "spring"}, "page": "https://a.example/q?x=anna@b.ru"}
    Answer.objects.filter(deliveries__route="Москва").update(payload=marks)
    count()
    account = str(Delivery.objects.latest("pk").account_id)
    assert names(operator, "route", account=account) == [
        ("Москва", 2), ("the rule itself", 1), ("left out by the rule's condition", 1), ("not sent yet", 1),
    ]  # fmt: skip
    assert names(operator, "person") == [("nobody that we know of", 3), ("Маша", 1), ("Олег", 1)]
    assert names(operator, "source") == [("without a UTM source", 3), ("yandex", 2)]
    assert names(operator, "campaign", quiz=101) == [("without a UTM campaign", 3), ("spring", 2)]
    assert names(operator, "page") == [("no page was told", 3), ("a.example/q", 2)]
    assert "Choose an account" in operator.get(PAGE, {"by": "route"}).content.decode()


def test_the_file_says_what_the_page_says_and_calculates_nothing(operator: Client, deliver: Deliver) -> None:
    deliver_as(deliver, status="won", amount="1500.50")
    deliver_as(deliver, status="lost")
    Answer.objects.update(payload={"utm": {"utm_source": "=1+1;x"}})
    count()
    head, row, whole = file_of(operator, by="source")
    told = dict(zip(head, row, strict=True))
    assert told["UTM source"] == "'=1+1;x"
    assert (told["Answers"], told["Won"], told["Conversion, %"]) == ("2", "1", "50,0")
    assert told["Sum won RUB"] == "1500,50"
    assert whole[:2] == ["All together", "2"]


def test_people_who_may_not_read_answers_get_no_options(viewer: Client, operator: Client) -> None:
    assert "shown to operators" in viewer.get(PAGE, {"by": "option", "quiz": 101}).content.decode()
    assert viewer.get(PAGE, {"by": "option", "quiz": 101, "format": "csv"}).status_code == 403
    assert "Choose a quiz" in operator.get(PAGE, {"by": "option"}).content.decode()
    assert file_of(operator, by="option", quiz=101)[0][:2] == ["Answer option", "Question"]


def test_no_answers_are_said_so(operator: Client) -> None:
    assert "No answer came in this time." in operator.get(PAGE).content.decode()
    assert "No answer came in 30 days." in operator.get(PAGE, {"part": "top"}).content.decode()


def test_the_page_reads_no_answers_however_many_there_are(operator: Client, deliver: Deliver) -> None:
    def asked() -> list[str]:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            operator.get(PAGE)
        return [one["sql"] for one in captured]

    deliver_as(deliver)
    count()
    before = asked()
    for _ in range(5):
        deliver_as(deliver)
    figures.count(timezone.localdate())
    assert len(asked()) == len(before)
    assert not any("rules_delivery" in sql or "rules_outcome" in sql for sql in before)


def test_quizzes_of_everybody_are_added_up_every_five_minutes(operator: Client, deliver: Deliver) -> None:
    def leads(**chosen: str) -> list[int]:
        return [line.numbers.leads for line in operator.get(PAGE, chosen).context["lines"]]

    deliver_as(deliver)
    count()
    before = leads()
    deliver_as(deliver)
    figures.count(timezone.localdate())
    assert leads() == before == [1]
    assert leads(quiz="101") == [2]
    cache.clear()  # as after five minutes
    assert leads() == [2]


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
