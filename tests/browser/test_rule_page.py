"""A rule is made, filled, looked at and copied by somebody who has never seen an id or JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from crm_cache.models import Field
from rules.models import Answer, Rule
from tests.admin.conftest import open_shop
from tests.browser.conftest import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answered(shop: Account) -> Account:
    """Quiz 101 was answered once, and the CRM has a field for each of its questions but one."""
    Field.objects.create(
        account=shop, entity="leads", remote_id="5001", name="Delivery day", type="date", options=[]
    )
    Field.objects.create(account=shop, entity="companies", remote_id="5002", name="Branch", type="text")
    Answer.objects.create(
        account_id=shop.account_id, quiz_id=101, answer_id="a-1", digest="x",
        payload={
            "quizID": 101, "contact": {"name": "Анна Петрова", "phone": "+79161234567"},
            "answers": [
                {"questionID": "1", "question": "Which bouquet?", "answer": "Peonies"},
                {"questionID": "2", "question": "Delivery day", "answer": "24.12.2026", "type": "date"},
                {"questionID": "3", "question": "For whom?", "answer": "For mother"},
            ],
        },
    )  # fmt: skip
    return shop


def rule_page(rule: Rule) -> str:
    return reverse("admin:rules_rule_change", args=[rule.pk])


def pick(page: Any, select: Any, words: str) -> None:
    """Choose in a list with type-ahead, as a person does: open it, type, take the first."""
    select.locator("xpath=following-sibling::span").first.click()
    page.locator(".select2-search__field").last.fill(words)
    page.locator(".select2-results__option", has_text=words).first.click()


def test_a_refused_rule_says_what_is_wrong_where_it_is_and_without_code_words(
    operator: Client, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(rule_page(rule))
    part = {name: page.locator(f"[data-part={name}]") for name in ("routes", "task", "texts", "repeated")}
    for _ in range(2):
        part["routes"].get_by_text("Добавить маршрут").click()
    part["task"].get_by_text("Добавить задачу").click()
    part["texts"].locator(".desk-text input").first.fill("{{ nothing }}")
    part["repeated"].locator("select").first.select_option("note")
    part["repeated"].locator("input[type=number]").fill("9999")
    page.locator("button[name=_continue]").click()
    page.locator("[data-part=routes] > .desk-route .desk-wrong").first.wait_for()
    told = {name: one.locator(".desk-wrong").all_inner_texts() for name, one in part.items()}
    assert told["task"] == ["Нужен текст: что сделать"]
    assert told["repeated"] == ["Нужно целое число от 1 до 365"]
    assert [len(words) for words in told.values()] == [1, 1, 1, 1]
    assert not any("[0]" in words[0] for words in told.values())
    assert page.locator(".field-line .errorlist li").count() == 0
    assert part["routes"].locator(":scope > .desk-route").count() == 2
    assert part["repeated"].locator("input[type=number]").input_value() == "9999"
    picture(page, "rule-refused")


def test_a_rule_is_made_and_filled_without_an_id(
    operator: Client, answered: Account, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(operator)
    page.goto(reverse("admin:rules_rule_add"))
    pick(page, page.locator("select[name=account]"), "Flower")
    page.fill("input[name=quiz_id]", "101")
    page.locator(".desk-buttons button[type=submit]").click()
    page.wait_for_url("**/change/")
    rule = Rule.objects.get()
    # What is alike is offered: two of the three questions have their field.
    page.locator(".desk-rest .desk-add").click()
    assert page.locator("[data-record=lead] .desk-source").count() == 2
    # The third goes where the person says.
    page.get_by_role("button", name="For whom?").click()
    page.locator(".select2-search__field").last.fill("Branch")
    assert page.locator(".select2-results__option").first.is_visible()
    page.keyboard.press("Escape")
    page.locator("[data-record=lead] .desk-remove").last.click()
    page.locator("[data-record=company] .desk-add").click()
    page.keyboard.press("Escape")
    line = page.locator("[data-record=company] .desk-pair").last
    pick(page, line.locator("select").first, "Branch")
    line.locator(".desk-source").select_option(label="For whom?")
    pick(page, page.locator("select[name=placement]"), "Sales / New order")
    # The preview has seen it all, and nothing was stored for it.
    shown = page.locator("[data-preview-out]")
    shown.locator("dd", has_text="For mother").wait_for()
    assert "Peonies" in shown.inner_text()
    assert "Sales / New order" in shown.inner_text()
    rule.refresh_from_db()
    assert (rule.fields_rule, rule.pipeline) == ({}, "")
    picture(page, "rule-page")
    page.locator("button[name=_save], input[name=_save]").click()
    page.wait_for_url("**/rules/rule/")
    rule.refresh_from_db()
    assert rule.fields_rule == {
        "lead": [{"QuestionID": {"1": 5000, "2": 5001}}],
        "company": [{"QuestionID": {"3": 5002}}],
        "customer": [],
    }
    assert (rule.pipeline, rule.step) == ("70", "142")


def test_what_nobody_touched_is_saved_as_it_was(
    operator: Client, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    before = Rule.objects.values("fields_rule", "tags_to_add", "performer", "pipeline", "step").get()
    page = sit_down(operator)
    page.goto(rule_page(rule))
    page.locator("[data-record=lead] .desk-source").wait_for()
    page.locator("button[name=_save], input[name=_save]").click()
    page.wait_for_url("**/rules/rule/")
    assert Rule.objects.values(*before).get() == before


def test_a_copy_lists_what_has_no_twin_before_it_is_made(
    operator: Client, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    other = open_shop("other", "Other shop")
    Field.objects.filter(account=other).update(name="Something else")
    page = sit_down(operator)
    page.goto(reverse("admin:rules_rule_copy", args=[rule.pk]))
    page.locator("select[name=account]").evaluate("(one) => django.jQuery(one).empty().trigger('change')")
    pick(page, page.locator("select[name=account]"), "Other shop")
    page.fill("input[name=quiz_id]", "202")
    page.locator(".desk-buttons button[type=submit]").click()
    page.locator(".desk-warning").wait_for()
    assert "Which bouquet" in page.locator(".desk-warning").inner_text()
    assert Rule.objects.count() == 1
    page.locator(".desk-buttons button[type=submit]").click()
    page.wait_for_url("**/change/")
    made = Rule.objects.get(account=other)
    assert (made.quiz_id, made.pipeline, made.step, made.performer) == (202, "70", "142", "901")
    assert made.fields_rule == {"lead": [], "company": [], "customer": []}


def test_a_route_and_a_condition_are_made_without_json(
    operator: Client, answered: Account, sit_down: Callable[..., Any]
) -> None:
    rule = Rule.objects.create(account=answered, quiz_id=101, pipeline="70", step="142")
    page = sit_down(operator)
    page.goto(rule_page(rule))
    send = page.locator("[data-part=send-if]")
    send.locator(".desk-add").click()
    test = send.locator(".desk-test")
    test.locator("select").nth(0).select_option("contact.phone")
    send.locator(".desk-test select").nth(1).select_option("filled")
    page.locator("[data-part=routes] > .desk-add").click()
    route = page.locator("[data-part=routes] .desk-route")
    route.locator(".desk-row > input").first.fill("Gifts")
    route.locator(".desk-add").click()
    route.locator(".desk-test select").nth(0).select_option("answer.3")
    route.locator(".desk-test select").nth(1).select_option("oneOf")
    route.locator(".desk-test textarea").fill("For mother\nFor a friend")
    turns = page.locator("[data-part=turns]")
    turns.locator("> .desk-add").click()
    turns.locator(".desk-route select").select_option(label="Олег")
    turns.locator(".desk-route textarea").first.fill("1-5 09:00-18:00")
    texts = page.locator("[data-part=texts]")
    texts.locator(".desk-text input").first.fill("Gift: ")
    texts.locator(".desk-text select").first.select_option("contact.name")
    texts.locator(".desk-add").click()
    texts.locator(".desk-test > select").select_option(label="Branch")
    texts.locator(".desk-test input").fill("web")
    route.locator(".desk-then select").nth(0).select_option(label="Wholesale / Big order")
    shown = page.locator("[data-preview-out]")
    shown.get_by_text("Gifts").wait_for()
    picture(page, "rule-routes")
    page.locator("button[name=_continue]").click()
    page.wait_for_load_state()
    rule.refresh_from_db()
    assert rule.extra == {
        "title": "Gift: {{ contact.name }}",
        "responsible": {
            "people": [
                {
                    "performer": "902",
                    "weight": 1,
                    "hours": [{"Days": [1, 2, 3, 4, 5], "From": "09:00", "To": "18:00"}],
                }
            ]
        },
        "values": [{"record": "company", "field": "5002", "value": "web"}],
        "send_if": {"value": "contact.phone", "empty": False},
        "routes": [
            {
                "name": "Gifts",
                "if": {"value": "answer.3", "oneOf": ["For mother", "For a friend"]},
                "then": {"pipeline": "71", "step": "142"},
            }
        ],
    }
    assert page.locator("[data-part=routes] textarea").input_value() == "For mother\nFor a friend"


def test_what_becomes_of_known_people_is_chosen_without_json(
    operator: Client, shop: Account, rule: Rule, sit_down: Callable[..., Any]
) -> None:
    Field.objects.create(account=shop, entity="contacts", remote_id="5003", name="Street", type="text")
    page = sit_down(operator)
    page.goto(rule_page(rule))
    part = page.locator("[data-part=existing]")
    part.locator("input[type=checkbox]").nth(0).check()
    part.locator("input[type=checkbox]").nth(1).check()
    part.locator("select").nth(0).select_option("fill")
    part.locator(".desk-add").click()
    part.locator(".desk-pair select").nth(0).select_option(label="Street")
    part.locator(".desk-pair select").nth(1).select_option("overwrite")
    picture(page, "rule-existing")
    page.locator("button[name=_continue]").click()
    page.wait_for_load_state()
    rule.refresh_from_db()
    assert rule.extra == {
        "responsible": {"own": True},
        "existing": {"contact": {"mode": "fill", "append": True, "fields": {"5003": "overwrite"}}},
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_a_task_is_asked_for_without_json(
    operator: Client, answered: Account, sit_down: Callable[..., Any], width: int
) -> None:
    """For every lead, and none on those of a route."""
    rule = Rule.objects.create(account=answered, quiz_id=101, pipeline="70", step="142")
    page = sit_down(operator, width)
    page.goto(rule_page(rule))
    page.locator("[data-part=routes] > .desk-add").click()
    route = page.locator("[data-part=routes] .desk-route")
    route.locator(".desk-add").first.click()
    route.locator(".desk-test select").nth(0).select_option("answer.3")
    route.locator(".desk-test select").nth(1).select_option("filled")
    route.locator("select:has(option[value=none])").select_option("none")
    task = page.locator("[data-part=task]")
    task.locator(".desk-add").click()
    task.locator(".desk-text textarea").fill("Перезвонить: ")
    task.locator(".desk-text select").select_option("contact.name")
    task.locator(".desk-pick input").first.fill("30")
    task.locator(".desk-pick select").select_option(label="Олег")
    task.locator(".desk-pick textarea").fill("1-5 09:00-18:00")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"rule-task-{width}")
    page.locator("button[name=_continue]").click()
    page.wait_for_load_state()
    rule.refresh_from_db()
    assert rule.extra["task"] == {
        "text": "Перезвонить: {{ contact.name }}",
        "minutes": 30,
        "performer": "902",
        "hours": [{"Days": [1, 2, 3, 4, 5], "From": "09:00", "To": "18:00"}],
    }
    assert rule.extra["routes"][0]["task"] == {}
