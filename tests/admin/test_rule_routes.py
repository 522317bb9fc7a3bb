"""Conditions and routes on a rule's page: offered by name, checked, told in its versions, copied with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from crm_cache.models import CrmUser
from rules.admin.copying import twin_of
from rules.admin.rule_life import told_against_today
from rules.admin.rule_routes import told_extra, without_places
from rules.models import Answer, Rule
from tests.admin.conftest import open_shop
from tests.admin.test_pages import page_of
from tests.admin.test_rule_form import form_of, save

ADS = {"value": "utm.source", "equals": "yandex"}
EXTRA = {
    "SendIf": {"not": {"value": "contact.city", "oneOf": ["Мадрид", "Рим"]}},
    "Routes": [
        {"Name": "Опт", "If": ADS, "Then": {"PipelineID": "71", "StepID": "142", "PerformerID": "902"}},
    ],
}
STORED = {
    "send_if": EXTRA["SendIf"],
    "routes": [{"name": "Опт", "if": ADS, "then": {"performer": "902", "pipeline": "71", "step": "142"}}],
}


@pytest.fixture
def routed(rule: Rule) -> Rule:
    Rule.objects.update(extra=STORED)
    rule.refresh_from_db()
    return rule


def test_what_the_page_sends_is_stored_and_shown_again(operator: Client, rule: Rule) -> None:
    assert save(operator, rule, extra=EXTRA) == ""
    rule.refresh_from_db()
    assert rule.extra == STORED
    shown = json.loads(str(form_of(operator, rule)["extra"].value()))
    assert shown["Routes"][0]["Then"] == {"PerformerID": 902, "PipelineID": 71, "StepID": 142}
    assert save(operator, rule) == ""
    rule.refresh_from_db()
    assert rule.extra == STORED


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (
            {"SendIf": {"value": "sum", "between": [2, 1]}},
            "Send only if (SendIf.between): the first number is the smaller one",
        ),
        ({"Routes": [{"If": ADS, "Then": {"PipelineID": "x"}}]}, "Route 1 (Routes[0].Then.PipelineID): "),
        (
            {"Routes": [{"If": ADS, "Then": {"TagsToAdd": {"Lead": [9876]}}}]},
            "9876 is no tag of this account",
        ),
        ({"Routes": [{"If": ADS, "Then": {}}]}, "Route 1 (Routes[0].Then): it says nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused(operator: Client, rule: Rule, extra: Any, words: str) -> None:
    assert words in save(operator, rule, extra=extra)
    rule.refresh_from_db()
    assert rule.extra == {}


def test_everything_is_offered_by_name(operator: Client, routed: Rule) -> None:
    Answer.objects.create(
        account_id="shop", quiz_id=routed.quiz_id, answer_id="a", digest="x",
        payload={"answers": [{"questionID": "q9", "question": "Площадь?", "answer": "5"}]},
    )  # fmt: skip
    routing = operator.get(page_of(routed)).context["editor"]["routing"]
    assert routing["keys"] == {"performer": "PerformerID", "pipeline": "PipelineID", "step": "StepID"}
    assert ["answer.q9", "Площадь?", []] in routing["values"][0]["items"]
    assert ["71|142", "Wholesale / Big order"] in [
        one for group in routing["placements"] for one in group["items"]
    ]
    assert {"title": "", "items": [["902", "Олег"]]} in routing["performers"]


def test_a_version_tells_them_in_words(operator: Client, rule: Rule) -> None:
    save(operator, rule, placement="70|142")
    save(operator, rule, new_performer="902")
    save(operator, rule, extra=EXTRA)
    before, after = rule.versions.order_by("number")
    rule.refresh_from_db()
    told = told_against_today(rule, before)
    assert "Send only if: not (contact.city is one of: Мадрид, Рим) → —" in told
    assert "Route 1: Опт: utm.source is «yandex» → Wholesale / Big order, Олег → —" in told
    assert told_against_today(rule, after) == []


def test_a_copy_leads_where_it_is_called_alike(routed: Rule) -> None:
    there = open_shop("other", "Another shop")
    twin = twin_of(routed, there)
    assert (twin.changes["extra"], twin.missing) == (STORED, [])
    assert twin_of(routed, routed.account).changes["extra"] == STORED


def test_who_takes_turns_is_told_and_copied_by_name(rule: Rule) -> None:
    people = [{"performer": "901", "weight": 2}, {"performer": "902", "weight": 1}]
    said = {"responsible": {"people": people, "by": "answer.q", "map": {"да": "902"}}}
    Rule.objects.update(extra=said)
    rule.refresh_from_db()
    there = open_shop("other", "Another shop")
    CrmUser.objects.filter(account=there, remote_id="901").update(deleted=True)
    twin = twin_of(rule, there)
    assert twin.changes["extra"]["responsible"] == {
        "by": "answer.q", "map": {"да": "902"}, "people": [{"performer": "902", "weight": 1}],
    }  # fmt: skip
    assert "Responsible: Маша" in twin.missing
    assert told_extra(rule, said) == {"Who takes turns": "answer.q «да»: Олег; Маша × 2; Олег × 1"}


def test_a_route_that_leads_nowhere_there_is_told(routed: Rule) -> None:
    empty = Account.objects.create(
        account_id="new", crm="amocrm", remote_id="31", host="n.amocrm.ru", state="active"
    )
    twin = twin_of(routed, empty)
    assert twin.changes["extra"] == {"send_if": STORED["send_if"]}
    assert "Route Опт: Pipeline and step: Wholesale / Big order" in twin.missing


def test_the_preview_tells_the_way(operator: Client, rule: Rule) -> None:
    def shown(**body: Any) -> str:
        answer = Answer.objects.create(
            account_id="shop", quiz_id=rule.quiz_id, answer_id=f"a{Answer.objects.count()}", digest="x",
            payload={"quizID": rule.quiz_id, **body},
        )  # fmt: skip
        form = form_of(operator, rule)
        sent = {name: form[name].value() for name in form.fields} | {"extra": json.dumps(EXTRA)}
        page = reverse("admin:rules_rule_preview", args=[rule.pk])
        return operator.post(page, {**sent, "answer": answer.pk}).content.decode()

    assert "This answer is not sent." in shown(contact={"city": "Рим"})
    page = shown(utm={"source": "yandex"})
    assert "Опт" in page
    assert "Wholesale / Big order" in page
    assert "Route:" not in shown()


TASK = {
    "Text": "Перезвонить {{ contact.name }}",
    "Minutes": 15,
    "PerformerID": "902",
    "Type": "2",
    "Hours": [{"Days": [1, 2], "From": "09:00", "To": "18:00"}],
}
STORED_TASK = {
    "text": TASK["Text"], "minutes": 15, "performer": "902", "type": "2", "hours": TASK["Hours"],
}  # fmt: skip


def test_a_task_is_asked_for_on_the_page_told_and_copied(operator: Client, rule: Rule) -> None:
    routes = [
        {"Name": "Без", "If": ADS, "Then": {"Task": None}},
        {"Name": "Своя", "If": ADS, "Then": {"Task": {"Text": "Другое", "Minutes": 5}}},
    ]
    assert save(operator, rule, extra={"Task": TASK, "Routes": routes}) == ""
    rule.refresh_from_db()
    stored = [
        {"name": "Без", "if": ADS, "then": {}, "task": {}},
        {"name": "Своя", "if": ADS, "then": {}, "task": {"text": "Другое", "minutes": 5}},
    ]
    assert rule.extra == {"task": STORED_TASK, "routes": stored}
    shown = json.loads(str(form_of(operator, rule)["extra"].value()))
    assert shown["Task"] == TASK | {"PerformerID": 902, "Type": 2}
    assert [route["Then"] for route in shown["Routes"]] == [
        {"Task": None}, {"Task": {"Text": "Другое", "Minutes": 5}},
    ]  # fmt: skip
    told = told_extra(rule, rule.extra)
    assert told["Task"] == "Перезвонить {{ contact.name }} / in 15 minutes / Олег / 2 / 09:00-18:00"
    assert told["Route 1: Без"].endswith("→ task: none")
    assert told["Route 2: Своя"].endswith("→ task: Другое / in 5 minutes")
    there = open_shop("other", "Another shop")
    CrmUser.objects.filter(account=there, remote_id="902").update(deleted=True)
    twin = twin_of(rule, there)
    assert twin.changes["extra"] == {
        "task": {key: said for key, said in STORED_TASK.items() if key != "performer"},
        "routes": stored,
    }
    assert "Task: Олег" in twin.missing


def test_a_task_on_leads_that_can_have_none_is_refused_and_the_form_keeps_it(operator: Client) -> None:
    account = Account.objects.create(
        account_id="f", crm="envybox", remote_id="f", host="f.envycrm.com", state="active"
    )
    rule = Rule.objects.create(account=account, quiz_id=7, choices={"LeadFlag": False})
    said = {"Text": "Перезвонить", "Minutes": 15}
    assert save(operator, rule, extra={"Task": said}) == ""
    form = form_of(operator, rule)
    sent = {name: form[name].value() for name in form.fields} | {"choice_LeadFlag": "yes"}
    page = operator.post(page_of(rule), sent)
    assert "(Task): Envybox has tasks on deals alone" in str(page.context["errors"])
    assert page.context["editor"]["refused"] is True
    shown = page.context["adminform"].form
    assert (shown["choice_LeadFlag"].value(), json.loads(shown["extra"].value())) == ("yes", {"Task": said})
    rule.refresh_from_db()
    assert rule.choices == {"LeadFlag": False}


def test_a_task_without_words_is_refused_by_its_place(operator: Client, rule: Rule) -> None:
    said = save(operator, rule, extra={"Task": {"Text": "", "Minutes": 15}})
    assert "(Task.Text): a text is needed: what is to be done" in said


def test_each_part_says_what_is_wrong_with_it(operator: Client, rule: Rule) -> None:
    """Whoever mends a rule hears of everything at once."""
    sent = {"SendIf": {"value": "sum", "between": [2, 1]}, "Title": "{{ nothing }}", "Repeated": {"Do": "?"}}
    said = save(operator, rule, extra=sent)
    assert all(f"({part}" in said for part in ("SendIf.between", "Title", "Repeated.Do"))
    assert without_places("Title (Title): wrong (1)") == "Title: wrong (1)"
