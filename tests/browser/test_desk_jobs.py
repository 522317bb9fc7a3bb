"""Mending what is held, trying a rule, going back, and forgetting a person: by buttons, in Russian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.history import Actor
from accounts.models import Account, AccountEvent
from rules.models import Answer, Attempt, Delivery, Rule
from rules.rule_save import change_rule, create_rule
from tests.admin.conftest import PERSONAL, administrator, deliver, exchange
from tests.browser.conftest import picture

__all__ = ["administrator", "deliver"]
pytestmark = pytest.mark.django_db(transaction=True)
ANNA = Actor(AccountEvent.By.STAFF, "anna")


@pytest.fixture
def made(shop: Account) -> Rule:
    """Made over REST, mended by Anna; since then a tag is gone."""
    rule = create_rule(shop, 102, {"performer": "901", "pipeline": "70", "step": "142"})
    change_rule(rule.pk, {"fields_rule": {"lead": [{"QuestionID": {"1": 5000}}]}, "step": ""}, actor=ANNA)
    gone = {"code": "tag_gone", "message": "Tag 7 is not in the CRM any more.", "field": "TagsToAdd"}
    Rule.objects.filter(pk=rule.pk).update(problems=[gone])
    rule.refresh_from_db()
    return rule


def asked(made: str) -> dict[str, Any]:
    return {**exchange(), "status": 200, "made": made}


def test_a_held_delivery_leads_to_the_field_that_holds_it(
    administrator: Client, made: Rule, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    steps = {"contact": "25", "found": "25", "found_by": "phone"}
    held = deliver(
        "held", rule=made, held_because="fix_rule", error_code="tag_gone", steps=steps, version=made.current,
        attempts_made=1,
    )  # fmt: skip
    Attempt.objects.update(outcome="edit_rule", exchanges=[asked("contact found found_by"), asked("")])
    page = sit_down(administrator)
    page.goto(reverse("admin:rules_delivery_change", args=[held.pk]))
    page.get_by_text("Контакт найден по телефону").click()
    picture(page, "delivery-held")
    page.get_by_role("link", name="Поправить правило").click()
    page.locator("#picker-tags").wait_for()
    assert page.url.endswith("#picker-tags")
    picture(page, "rule-to-the-field")


def test_a_version_is_brought_back(administrator: Client, made: Rule, sit_down: Callable[..., Any]) -> None:
    page = sit_down(administrator)
    page.goto(reverse("admin:rules_rule_change", args=[made.pk]))
    page.get_by_role("link", name="Версии").click()
    page.get_by_text("Which bouquet").wait_for()
    picture(page, "versions")
    page.get_by_role("link", name="Вернуть версию 1").click()
    page.get_by_text("Воронка и этап: Sales / первый этап → Sales / New order").wait_for()
    picture(page, "version-back")
    page.get_by_role("button", name="Вернуть").click()
    page.get_by_text("Версия 1 возвращена.").wait_for()
    made.refresh_from_db()
    assert (made.current.number, made.step) == (3, "142")


def test_a_test_lead_is_sent_and_told_apart(
    administrator: Client, made: Rule, sit_down: Callable[..., Any]
) -> None:
    page = sit_down(administrator)
    page.goto(reverse("admin:rules_rule_change", args=[made.pk]))
    page.get_by_role("link", name="Тестовая заявка").click()
    picture(page, "test-lead-question")
    page.get_by_role("button", name="Отправить").click()
    page.get_by_text("Тестовая заявка отправляется.").wait_for()
    page.locator(".desk-mark-test", has_text="тест").wait_for()
    picture(page, "test-lead")
    page.goto(reverse("admin:rules_delivery_changelist"))
    assert page.locator("tbody .desk-mark-test").count() == 1
    assert Answer.objects.get().test


def test_a_value_to_be_set_right_is_in_the_box_already(
    administrator: Client, made: Rule, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    answer = deliver("waiting", rule=made).answer
    page = sit_down(administrator)
    page.goto(reverse("admin:rules_answer_mend", args=[answer.pk]))
    box = page.get_by_label("Как правильно")
    assert box.input_value() == answer.payload["contact"]["name"]
    page.get_by_label("Какое значение").select_option("contact.phone")
    assert box.input_value() == answer.payload["contact"]["phone"]
    picture(page, "set-right")
    twice = "() => [1, 2].map(() => %s.dispatchEvent(new Event('submit', {bubbles: true, cancelable: true})))"
    form = "document.getElementById('id_what').form"
    assert page.evaluate(twice % form) == [True, False]  # by a second click while the first one is under way


def test_a_person_is_forgotten_and_the_list_tells_who_did_it(
    administrator: Client, made: Rule, deliver: Callable[..., Delivery], sit_down: Callable[..., Any]
) -> None:
    deliver("delivered", rule=made)
    Answer.objects.update(contact_keys=[f"phone:{PERSONAL[0]}"])
    page = sit_down(administrator)
    page.goto(reverse("admin:rules_erasure_changelist"))
    page.get_by_role("link", name="Удалить данные человека").click()
    page.get_by_label("Телефон").fill("8 916 000-11-22")
    page.get_by_role("button", name="Показать, что будет стёрто").click()
    page.get_by_text("Будет стёрт 1 ответ.").wait_for()
    picture(page, "erase-preview")
    page.get_by_role("button", name="Стереть навсегда").click()
    page.get_by_text("Стёрт 1 ответ.").wait_for()
    page.goto(reverse("admin:admin_logentry_changelist"))
    page.get_by_text("Удалены данные человека.").wait_for()
    picture(page, "audit")
    assert LogEntry.objects.count() == 1
