"""What became of the quiz's answers, counted over REST: by everything they have in common, and as a file."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from rules import figures, people, retention
from rules.models import Answer, AnswerTraits, DayConversion, DayFigures, Delivery
from tests.stories.conftest import QUIZ
from tests.stories.followed import crm, delivered, lead_of, look, standing  # noqa: F401

ADS = {"utm_source": "yandex", "utm_medium": "cpc", "utm_campaign": "spring"}
ROOMS = {
    "questionID": "rooms", "question": "Which rooms?", "type": "multiselect", "answer": ["Kitchen", "Bath"],
}  # fmt: skip
STORY = {"questionID": "story", "question": "Anything else?", "type": "text", "answer": "Ask for Anna"}


def count() -> None:
    DayFigures.objects.update(counted_at=datetime(2000, 1, 1, tzinfo=UTC))
    figures.count_due()


def asked(api: Any, by: str, **chosen: Any) -> dict[str, Any]:
    answer = api.get("/conversion", {"by": by, **chosen})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def lines(api: Any, by: str, **chosen: Any) -> dict[str, tuple[int, int]]:
    """``{name, or what it stands for: (answers, leads)}``."""
    found = asked(api, by, **chosen)["items"]
    return {one["name"] or one["kind"]: (one["answers"], one["leads"]) for one in found}


def test_answers_are_counted_by_route_option_mark_page_and_person(quiz, caller):
    routes = [{"Name": "Ads", "If": {"value": "utm.source", "equals": "yandex"}, "Then": {"PerformerID": 0}}]
    quiz.change_rule(Extra={"Routes": routes, "SendIf": {"value": "utm.source", "empty": False}})
    quiz.post(utm=ADS, page="https://shop.example/quiz/?phone=79990001122#end", answers=[ROOMS, STORY])
    quiz.post(utm={"utm_source": "vk"}, answers=[{**ROOMS, "answer": "Bath"}])
    quiz.post()
    quiz.work()
    quiz.post(utm=ADS)
    count()
    api = quiz.api
    assert lines(api, "route") == {"Ads": (1, 1), "none": (1, 1), "leftOut": (1, 0), "notSent": (1, 0)}
    assert lines(api, "source") == {"yandex": (2, 1), "vk": (1, 1), "none": (1, 0)}
    assert lines(api, "medium")["cpc"] == lines(api, "campaign")["spring"] == (2, 1)
    assert lines(api, "page") == {"none": (3, 1), "shop.example/quiz": (1, 1)}
    assert lines(api, "option", quizID=QUIZ) == {"Bath": (2, 2), "Kitchen": (1, 1)}
    assert {one["question"] for one in asked(api, "option", quizID=QUIZ)["items"]} == {"Which rooms?"}
    came = Answer.objects.earliest("created_at").created_at
    assert lines(api, "day") == {timezone.localdate(came).isoformat(): (4, 2)}
    [line] = asked(api, "quiz")["items"]
    assert (line["quizID"], line["crm"], line["answers"], line["open"]) == (QUIZ, "amocrm", 4, 2)
    kept = " ".join(repr(row) for row in (*AnswerTraits.objects.values(), *DayConversion.objects.values()))
    assert "Anna" not in kept
    assert "7999" not in kept
    for by in ("quiz", "source", "route"):
        assert asked(caller("stranger"), by, quizID=QUIZ)["total"]["answers"] == 0
    assert asked(caller("stranger"), "quiz", crmAccountID=quiz.account.pk)["items"] == []


def test_sums_are_kept_apart_by_currency_and_a_sale_is_timed(delivered, crm, later):  # noqa: F811
    shop, first = delivered, lead_of(delivered)
    shop.post()
    shop.work()
    second = lead_of(shop)
    crm.says = {lead: standing(lead, pipeline="1", step="10", performer="5") for lead in (first, second)}
    later(hours=2)
    look(shop)
    later(hours=2)
    now = timezone.now()
    crm.says = {
        first: standing(first, step="11", status="won", amount=Decimal(54), currency="RUB", changed_at=now),
        second: standing(second, step="11", status="won", amount=Decimal(10), currency="EUR"),
    }
    look(shop)
    count()
    whole = asked(shop.api, "person")["total"]
    assert whole["wonSums"] == [
        {"currency": "EUR", "amount": "10.00"}, {"currency": "RUB", "amount": "54.00"},
    ]  # fmt: skip
    assert (whole["won"], whole["conversion"], whole["stepped"]) == (2, 100.0, 2)
    assert whole["medianToStep"] == pytest.approx(4 * 3600, rel=0.06)
    assert shop.api.get("/outcomes").json()["items"][0]["steppedAt"]


def test_what_erased_and_purged_answers_left_behind_stays_counted(quiz, later):
    contact = {"name": "Anna", "phone": "+79991234567"}
    quiz.post("a", utm=ADS, answers=[ROOMS, STORY], contact=contact)
    quiz.post("b", utm=ADS, answers=[ROOMS])
    quiz.work()
    people.erase(people.who(phone=contact["phone"]), by="a test")  # before anything was counted
    assert Answer.objects.get(answer_id="a").payload == {}
    count()
    assert lines(quiz.api, "source") == {"yandex": (2, 2)}
    later(days=91)
    retention.purge()
    day = timezone.localdate(Answer.objects.earliest("created_at").created_at)
    figures.count(day)
    span = {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}
    assert lines(quiz.api, "option", quizID=QUIZ, **span) == {"Bath": (2, 2), "Kitchen": (2, 2)}


def test_a_later_body_is_counted_instead_of_the_former(quiz):
    quiz.post("a", utm=ADS, complete=False)
    count()
    quiz.post("a", utm={"utm_source": "vk"})
    quiz.work()
    count()
    assert lines(quiz.api, "source") == {"vk": (1, 1)}


def test_as_a_file_it_opens_in_a_spreadsheet_and_calculates_nothing(quiz):
    quiz.post(utm={"utm_source": '=HYPERLINK("x")'})
    quiz.post(utm={"utm_source": "Ads; spring"})
    quiz.work()
    count()
    asked = quiz.api.get("/conversion?by=source&format=csv")
    assert asked.headers["Content-Type"] == "text/csv; charset=utf-8"
    named = r'attachment; filename="conversion-source(_\d{4}-\d\d-\d\d){1,2}\.csv"'
    assert re.fullmatch(named, asked.headers["Content-Disposition"])
    accepted = quiz.api.get("/conversion?by=source", headers={"Accept": "text/csv, application/json;q=0.5"})
    assert accepted.content == asked.content
    assert "Accept" in accepted.headers["Vary"]
    assert quiz.api.get("/conversion?format=json", headers={"Accept": "text/csv"}).json()["by"] == "quiz"
    text = asked.content.decode()
    assert text.startswith("\ufeffUTM source;Answers;Leads;")
    rows = list(csv.reader(text[1:].splitlines(), delimiter=";"))
    assert {row[0] for row in rows} == {"UTM source", '\'=HYPERLINK("x")', "Ads; spring", "All together"}
    assert rows[-1][1:4] == ["2", "2", "2"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=colour", "by"), ("by=option", "quizID"), ("from=soon", "from"), ("to=2026-02-31", "to"),
        ("from=2026-03-02&to=2026-03-01", "from"), ("from=2020-01-01&to=2026-03-01", "from"),
        ("to=0001-01-01", "to"), ("crm=none", "crm"), ("crmAccountID=x", "crmAccountID"),
        ("quizID=-1", "quizID"), ("format=xls", "format"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_by_name(quiz, query, field):
    answer = quiz.api.get(f"/conversion?{query}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_nothing_counted_yet_is_told(quiz):
    quiz.post()
    shown = asked(quiz.api, "quiz")
    assert (shown["countedAt"], shown["items"]) == (None, [])
    count()
    assert asked(quiz.api, "quiz")["countedAt"]
    Delivery.objects.update(test=True)
    Answer.objects.update(test=True)
    count()
    assert asked(quiz.api, "quiz")["total"]["answers"] == 0
