"""Options of a quiz and nested conditions on a rule's page, without an id and without JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from crm_cache.models import Field
from rules.models import Answer, Rule
from tests.browser.conftest import picture
from tests.browser.test_rule_page import rule_page

pytestmark = pytest.mark.django_db(transaction=True)
OPTIONS = ["Красные розы", "Белые пионы", "Полевые цветы"]


@pytest.fixture
def asked(shop: Account) -> Rule:
    """A rule whose question goes into a list that calls some bouquets otherwise than the quiz does."""
    options = [{"id": str(number), "text": text} for number, text in enumerate(OPTIONS, start=901)]
    Field.objects.filter(account=shop, remote_id="5000").update(type="multiselect", options=options)
    Answer.objects.create(
        account_id=shop.account_id, quiz_id=101, answer_id="a-1", digest="x",
        payload={
            "quizID": 101, "contact": {"name": "Анна Петрова", "phone": "+79161234567"},
            "answers": [{
                "questionID": "1", "question": "Какой букет?",
                "answer": ["белые пионы", "Цветы полевые", "Тюльпаны", "Сам не знаю"],
            }],
        },
    )  # fmt: skip
    return Rule.objects.create(
        account=shop, quiz_id=101, pipeline="70", step="142",
        fields_rule={"lead": [{"QuestionID": {"1": 5000}}]},
    )  # fmt: skip


def save(page: Any) -> None:
    page.locator("button[name=_continue]").click()
    page.wait_for_load_state()


def test_what_is_alike_is_chosen_beforehand_and_the_rest_is_asked_for(
    operator: Client, asked: Rule, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(rule_page(asked))
    part = page.locator("[data-part=options]")
    rows = part.locator(".desk-option")
    assert rows.count() == 4
    alike = part.get_by_label("Цветы полевые")
    assert alike.input_value() == "903"
    assert part.get_by_label("Тюльпаны").input_value() == ""
    part.get_by_label("Тюльпаны").select_option("901")
    part.get_by_label("Сам не знаю").select_option("note:")
    shown = page.locator("[data-preview-out]")
    shown.get_by_text("Красные розы").wait_for()
    picture(page, "rule-options")
    asked.refresh_from_db()
    assert asked.extra == {}
    save(page)
    asked.refresh_from_db()
    meant = {"Цветы полевые": "903", "Тюльпаны": "901", "Сам не знаю": None}
    assert asked.extra == {"options": [{"record": "lead", "question": "1", "field": "5000", "map": meant}]}
    assert part.get_by_label("Сам не знаю").input_value() == "note:"
    # What is cleared is offered again only on the next visit, and saved only then.
    part.get_by_label("Цветы полевые").select_option("")
    save(page)
    asked.refresh_from_db()
    assert list(asked.extra["options"][0]["map"]) == ["Тюльпаны", "Сам не знаю"]
    narrow = sit_down(operator, width=390, height=844)
    narrow.goto(rule_page(asked))
    narrow.locator("[data-part=options] .desk-option").first.wait_for()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    picture(narrow, "rule-options-narrow")


@pytest.mark.parametrize("chosen", ["901", "note:", ""])
def test_a_page_that_was_refused_keeps_what_the_person_chose(
    operator: Client, asked: Rule, sit_down: Callable[..., Any], chosen: str
) -> None:
    page = sit_down(operator)
    page.goto(rule_page(asked))
    part, title = (
        page.locator("[data-part=options]"),
        page.locator("[data-part=texts] .desk-text input").first,
    )
    assert part.get_by_label("Цветы полевые").input_value() == "903"
    part.get_by_label("Цветы полевые").select_option(chosen)
    part.get_by_label("Тюльпаны").select_option("901")
    title.fill("{{ nothing }}")
    save(page)
    page.locator("[data-part=texts] > .desk-wrong").wait_for()
    assert part.get_by_label("Цветы полевые").input_value() == chosen
    assert part.get_by_label("Тюльпаны").input_value() == "901"
    title.fill("")
    save(page)
    page.locator("[data-part=texts] > .desk-wrong").wait_for(state="detached")
    asked.refresh_from_db()
    expected = {"901": {"Цветы полевые": "901"}, "note:": {"Цветы полевые": None}, "": {}}[chosen]
    assert asked.extra["options"][0]["map"] == {**expected, "Тюльпаны": "901"}


NESTED = {
    "all": [
        {"value": "contact.phone", "empty": False},
        {
            "not": {
                "any": [{"value": "contact.city", "equals": "Рим"}, {"value": "sum", "between": [None, 5]}]
            }
        },
    ]
}


def test_conditions_within_conditions_are_groups(
    operator: Client, asked: Rule, sit_down: Callable[..., Any]
) -> None:
    Rule.objects.update(extra={"send_if": NESTED})
    page = sit_down(operator)
    page.goto(rule_page(asked))
    part = page.locator("[data-part=send-if]")
    assert part.locator(".desk-test").count() == 3
    inner = part.locator(".desk-group")
    assert inner.locator("> .desk-row select").first.input_value() == "not_any"
    # One more row inside, another group beside it, the first row gone.
    inner.locator(".desk-add").first.click()
    row = part.locator(".desk-group .desk-test").nth(2)
    row.locator("select").nth(0).select_option("utm.source")
    part.locator(".desk-group .desk-test").nth(2).locator("input").fill("vk")
    part.locator(".desk-add").last.click()
    part.locator(".desk-group").nth(1).locator(".desk-test input").fill("Пионы")
    part.locator(".desk-group").nth(1).locator("> .desk-row select").first.select_option("not_all")
    picture(page, "rule-groups")
    part.locator(".desk-remove").first.click()
    save(page)
    asked.refresh_from_db()
    assert asked.extra["send_if"] == {
        "all": [
            {"not": {"any": [*NESTED["all"][1]["not"]["any"], {"value": "utm.source", "equals": "vk"}]}},
            {"not": {"value": "answer.1", "equals": "Пионы"}},
        ]
    }
    narrow = sit_down(operator, width=390, height=844)
    narrow.goto(rule_page(asked))
    narrow.locator("[data-part=send-if] .desk-group").first.wait_for()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    picture(narrow, "rule-groups-narrow")
