"""Options of a quiz on a rule's page: offered, checked, told in its versions, copied by name, previewed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from crm_cache.models import Field
from rules.admin.copying import twin_of
from rules.admin.rule_life import told_against_today
from rules.admin.timeline import places_of
from rules.models import Answer, Rule
from tests.admin.conftest import open_shop
from tests.admin.test_pages import page_of
from tests.admin.test_rule_form import form_of, save

OPTIONS = [{"id": "901", "text": "Красные розы"}, {"id": "902", "text": "Белые пионы"}]
WHERE = {"record": "lead", "question": "1", "field": "5000"}
SENT = {
    "Options": [{"Record": "lead", "Question": "1", "Field": 5000, "Map": {"Розы": 901, "Не знаю": None}}]
}
STORED = {"options": [{**WHERE, "map": {"Розы": "901", "Не знаю": None}}]}


def make_list(account: Account, options: Any = OPTIONS) -> None:
    Field.objects.filter(account=account, remote_id="5000").update(type="select", options=options)


@pytest.fixture
def choosing(rule: Rule) -> Rule:
    make_list(rule.account)
    return rule


def answered(rule: Rule, *texts: str) -> Answer:
    item = {"questionID": "1", "question": "Какой букет?", "answer": list(texts)}
    return Answer.objects.create(
        account_id="shop", quiz_id=rule.quiz_id, answer_id=f"a{Answer.objects.count()}", digest="x",
        payload={"quizID": rule.quiz_id, "answers": [item]},
    )  # fmt: skip


def test_what_was_answered_is_offered_beside_the_options_of_the_field(
    operator: Client, choosing: Rule
) -> None:
    answered(choosing, "красные розы", "Пионы белые", "Тюльпаны", "+7 916 123-45-67")
    [asked] = operator.get(page_of(choosing)).context["editor"]["options"]["questions"]
    assert (asked["title"], asked["field"], asked["name"]) == ("Какой букет?", 5000, "Which bouquet")
    assert [(one["text"], one["meaning"], one["likely"]) for one in asked["texts"]] == [
        ("красные розы", "same", None),
        ("Пионы белые", "unknown", 902),
        ("Тюльпаны", "unknown", None),
    ]


def test_a_rule_without_such_a_field_has_none(operator: Client, rule: Rule) -> None:
    assert operator.get(page_of(rule)).context["editor"]["options"]["questions"] == []


def test_what_the_page_sends_is_stored_and_shown_again(operator: Client, choosing: Rule) -> None:
    assert save(operator, choosing, extra=SENT) == ""
    choosing.refresh_from_db()
    assert choosing.extra == STORED
    assert json.loads(str(form_of(operator, choosing)["extra"].value())) == SENT
    wrong = {"Options": [{**SENT["Options"][0], "Map": {"Розы": 77}}]}
    place = "Options of the quiz and of the CRM (Options[0].Map.Розы)"
    assert f"{place}: field «Which bouquet» has no option 77" in save(operator, choosing, extra=wrong)
    choosing.refresh_from_db()
    assert choosing.extra == STORED


def test_a_version_tells_them_by_name_and_may_be_brought_back(operator: Client, choosing: Rule) -> None:
    save(operator, choosing, placement="70|142")
    save(operator, choosing, new_performer="902")
    save(operator, choosing, extra=SENT)
    before, after = choosing.versions.order_by("number")
    choosing.refresh_from_db()
    [told] = [one for one in told_against_today(choosing, before) if "Options" in one]
    assert told == (
        "Options of question 1 in «Which bouquet»: «Розы» → Красные розы; «Не знаю» → only in the note → —"
    )
    save(operator, choosing, extra={})
    make_list(choosing.account, OPTIONS[1:])
    operator.post(reverse("admin:rules_rule_restore", args=[choosing.pk, after.number]), {"confirmed": "yes"})
    choosing.refresh_from_db()
    assert choosing.extra == STORED
    assert [one["code"] for one in choosing.problems] == ["option_gone"]
    assert places_of(choosing)[0][1] == "picker-routes"


def test_a_copy_has_the_options_that_are_called_alike(choosing: Rule) -> None:
    Rule.objects.update(extra={"options": [{**WHERE, "map": {"Розы": "901", "Пион": "902", "?": None}}]})
    choosing.refresh_from_db()
    there = open_shop("other", "Another shop")
    make_list(there, [{"id": "31", "text": "красные розы"}])
    twin = twin_of(choosing, there)
    assert twin.changes["extra"] == {"options": [{**WHERE, "map": {"Розы": "31", "?": None}}]}
    assert twin.missing == ["Option of the field Which bouquet: Белые пионы"]


def test_a_copy_reads_each_list_once_however_much_the_rule_says(choosing: Rule) -> None:
    there = open_shop("other", "Another shop")
    make_list(there)

    def asked(times: int) -> int:
        people = [{"performer": "901", "weight": 1}, {"performer": "902", "weight": 1}]
        choosing.extra = {
            "values": [{"record": "lead", "field": "5000", "value": "x"}] * times,
            "options": [{**WHERE, "question": str(one), "map": {"Розы": "901"}} for one in range(times)],
            "responsible": {"people": people[:times]},
        }
        with CaptureQueriesContext(connection) as seen:
            twin = twin_of(choosing, there)
        assert len(twin.changes["extra"]["options"]) == times
        return len(seen)

    assert asked(1) == asked(20)


def test_the_preview_tells_which_option_is_meant(operator: Client, choosing: Rule) -> None:
    answer = answered(choosing, "розы")
    form = form_of(operator, choosing)
    sent = {name: form[name].value() for name in form.fields} | {"extra": json.dumps(SENT)}
    page = reverse("admin:rules_rule_preview", args=[choosing.pk])
    shown = operator.post(page, {**sent, "answer": answer.pk}).content.decode()
    assert "розы → Красные розы" in shown
