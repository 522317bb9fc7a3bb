"""Conditions and routes of a rule in each CRM: what goes where, what is left out, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from crm_cache import models as cache
from rules.models import Delivery, Rule
from tests.stories.conftest import QUIZ
from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

JSON = {"content_type": "application/json"}
BIG = {"value": "sum", "between": [100_000, None]}
FROM_ADS = {"value": "utm.source", "equals": "yandex"}
MADRID = {"value": "contact.city", "equals": "Мадрид"}


def shown(shop: Any) -> dict[str, Any]:
    found: dict[str, Any] = shop.api.get(f"/deliveries/{shop.delivery.pk}").json()
    return found


def test_the_first_route_that_fits_says_where(quiz):
    other = quiz.place("Квизы", "Новая заявка")
    tag = cache.Tag.objects.filter(entity="leads", deleted=False).first()
    routes = [
        {"Name": "Реклама", "If": FROM_ADS, "Then": {**other, "TagsToAdd": {"Lead": [tag.pk]}}},
        {"Name": "Крупные", "If": BIG, "Then": {"PerformerID": 0}},
    ]  # fmt: skip
    assert quiz.change_rule(Extra={"Routes": routes}).json() == "Success"
    quiz.post(utm={"utm_source": "Yandex"}, price="200000")
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.route, shown(quiz)["route"]) == (
        "delivered",
        "Реклама",
        "Реклама",
    )
    [lead] = quiz.leads
    assert (lead["step_id"], tag.name in lead["tags"]) == (other["StepID"], True)


def test_none_that_fits_is_the_rule_itself(quiz):
    routes = [{"Name": "Реклама", "If": FROM_ADS, "Then": {"StepID": 0}}]
    quiz.change_rule(Extra={"Routes": routes})
    quiz.post()
    quiz.work()
    assert quiz.delivery.route == ""
    [lead] = quiz.leads
    assert lead["step_id"] == quiz.place()["StepID"]


def test_extra_comes_back_as_it_was_sent_and_stays_until_it_is_sent_anew(rules):  # noqa: F811
    before = rules.shown()
    assert "Extra" not in before
    step = next(key for key in ("StepID", "StageID") if key in before)
    tags = {} if rules.crm == "amocrm" else {"TagsToAdd": {"contact": ["квиз"]}}
    then = {"PerformerID": before["PerformerID"], step: before[step], **tags}
    if "LeadFlag" in before:
        then["LeadFlag"] = not before["LeadFlag"]
    extra = {"SendIf": {"not": MADRID}, "Routes": [{"Name": "Реклама", "If": FROM_ADS, "Then": then}]}
    assert rules.change(Extra=extra).json() == "Success"
    assert rules.shown() == {**before, "Extra": extra, "Problems": rules.shown()["Problems"]}
    assert rules.change(**rules.shown()).json() == "Success"
    assert rules.change(PerformerID=before["PerformerID"]).json() == "Success"
    assert rules.shown()["Extra"] == extra
    assert rules.change(Extra={}).json() == "Success"
    assert rules.shown() == before


REFUSED = [
        (5, "Extra"),
        ({"SendIff": {}}, "Extra.SendIff"),
        ({"SendIf": {"value": "sum"}}, "Extra.SendIf"),
        ({"Routes": {}}, "Extra.Routes"),
        ({"Routes": [5]}, "Extra.Routes[0]"),
        ({"Routes": [{"If": FROM_ADS}]}, "Extra.Routes[0].Then"),
        ({"Routes": [{"If": FROM_ADS, "Then": {}}]}, "Extra.Routes[0].Then"),
        ({"Routes": [{"If": FROM_ADS, "Then": {"Quiz": {}}}]}, "Extra.Routes[0].Then.Quiz"),
        ({"Routes": [{"If": FROM_ADS, "Then": {"PerformerID": -1}}]}, "Extra.Routes[0].Then.PerformerID"),
        ({"Routes": [{"If": {"all": [MADRID, 5]}, "Then": {"StepID": 1}}]}, "Extra.Routes[0].If.all[1]"),
        ({"Routes": [{"Name": "x" * 101, "If": MADRID, "Then": {"PerformerID": 1}}]}, "Extra.Routes[0].Name"),
        ({"Routes": [{"Name": "a", "If": MADRID, "Then": {"PerformerID": 1}}] * 2}, "Extra.Routes[1].Name"),
        ({"Routes": [{"If": MADRID, "Then": {"PerformerID": 1}}] * 51}, "Extra.Routes"),
    ]  # fmt: skip


def test_what_cannot_be_meant_is_refused_by_its_place(rules):  # noqa: F811
    before = rules.shown()
    for extra, at in REFUSED:
        answer = rules.change(Extra=extra)
        assert (answer.status_code, answer.json().partition(": ")[0]) == (400, at)
    assert rules.shown() == before


def test_texts_of_its_own(transactional_db, rules):  # noqa: F811
    before = rules.shown()
    records = list(before["FieldsRule"])
    extra = {
        "Title": "{{ contact.name }} из {{ contact.city | default('интернета') }}",
        "Note": "Перезвонить: {{ contact.phone }}",
        "Sum": "{{ answer.area | digits }}",
        "Values": [
            {"Record": records[0], "Field": 581 if rules.crm == "amocrm" else "UF_1", "Value": "квиз"}
        ],
    }
    assert rules.change(Extra=extra).json() == "Success"
    assert rules.shown()["Extra"] == extra
    assert "field_gone" in {one["code"] for one in rules.shown()["Problems"]}
    assert rules.change(**rules.shown()).json() == "Success"
    rules.change(Extra={name: said for name, said in extra.items() if name != "Values"})
    rules.side.post(
        contact={"name": "Анна", "phone": "+79990000001"}, answers=[{"questionID": "area", "answer": 54}]
    )
    rules.side.work()
    assert rules.side.delivery.state == "delivered"
    if rules.crm == "amocrm":
        [lead] = rules.side.leads
        assert (lead["name"], lead["price"]) == ("Анна из интернета", 54)
        assert lead["notes"][0].startswith("Перезвонить: +79990000001")


@pytest.mark.parametrize(
    ("extra", "at"),
    [
        ({"Title": 5}, "Extra.Title"),
        ({"Note": "{{ contact.name"}, "Extra.Note"),
        ({"Sum": "{% for x in sum %}{% endfor %}"}, "Extra.Sum"),
        ({"Values": [{"Record": "x", "Field": 1, "Value": "a"}]}, "Extra.Values[0].Record"),
        ({"Values": [{"Record": "lead", "Field": 0, "Value": "a"}]}, "Extra.Values[0].Field"),
        ({"Values": [{"Record": "lead", "Field": [], "Value": "a"}]}, "Extra.Values[0].Field"),
        ({"Values": [{"Record": "lead", "Field": 1, "Value": " "}]}, "Extra.Values[0].Value"),
        ({"Values": [{"Record": "lead", "Field": 1, "Value": "{{ x }}"}]}, "Extra.Values[0].Value"),
    ],
)
def test_a_text_that_is_none_is_refused_by_its_place(quiz, extra, at):
    answer = quiz.change_rule(Extra=extra)
    assert (answer.status_code, answer.json().partition(": ")[0]) == (400, at)


def test_what_a_text_lacks_is_told(quiz):
    quiz.change_rule(Extra={"Title": "{{ answer.nobody }} {{ contact.name }}"})
    quiz.post(contact={"name": "Анна", "phone": "+79990000001"})
    quiz.work()
    [loss] = shown(quiz)["losses"]
    assert (loss["question"], loss["reason"]) == (
        "answer.nobody",
        "the text of the title asks for it, and the answer has none",
    )
    assert quiz.rule.problems == []
    assert quiz.leads[0]["name"] == "Анна"


def test_a_foreign_tag_of_a_route_is_refused(quiz):
    answer = quiz.change_rule(Extra={"Routes": [{"If": MADRID, "Then": {"TagsToAdd": {"Lead": [987654]}}}]})
    assert answer.status_code == 400
    assert answer.json().startswith("Bad Request: Extra.Routes[0].Then.TagsToAdd.Lead: 987654 is no tag")


def test_left_out_says_why_and_is_sent_all_the_same(quiz):
    quiz.change_rule(Extra={"SendIf": {"all": [{"value": "sum", "empty": False}, {"not": MADRID}]}})
    quiz.post(price="100", contact={"name": "Ана", "city": "Мадрид"})
    quiz.work()
    told = shown(quiz)
    assert (told["state"], told["heldBecause"], quiz.leads) == ("held", "left_out", [])
    assert told["error"]["message"] == "The rule's condition leaves it out: not (contact.city is «Мадрид»)"
    assert told["waitsFor"] == "Nothing: its rule leaves it out."
    assert (told["tries"], told["attempts"]) == (0, [])
    assert quiz.api.get("/deliveries?heldBecause=left_out").json()["count"] == 1
    [rule] = quiz.api.get("/rules").json()["items"]
    assert (rule["waiting"], quiz.api.get("/accounts").json()["items"][0]["held"]) == (0, {})

    assert quiz.change_rule(**quiz.place()).status_code == 200  # nothing by itself
    quiz.work()
    assert quiz.leads == []
    assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 202
    quiz.work()
    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)


def test_a_later_body_is_judged_anew(quiz):
    quiz.change_rule(Extra={"SendIf": BIG})
    contact = {"name": "Анна", "phone": "+79990000001"}
    quiz.post("a-1", complete=False, contact=contact)
    quiz.work()
    assert quiz.delivery.held_because == "left_out"
    quiz.post("a-1", contact=contact, price="200000")
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.revision_sent, len(quiz.leads)) == ("delivered", 2, 1)


def test_one_that_came_while_it_was_judged_is_judged_too(quiz, monkeypatch):
    """The worker has drafted the first body when the second one is stored."""
    from rules.delivery import outbox

    quiz.change_rule(Extra={"SendIf": BIG})
    contact = {"name": "Анна", "phone": "+79990000001"}
    quiz.post("a-1", complete=False, contact=contact)
    settle = outbox.settle

    def late(*settled):
        monkeypatch.setattr(outbox, "settle", settle)
        quiz.post("a-1", contact=contact, price="200000")
        settle(*settled)

    monkeypatch.setattr(outbox, "settle", late)
    quiz.work()
    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)


def test_a_lead_that_is_there_is_brought_up_to_date_whatever_the_rule_says_now(quiz):
    contact = {"name": "Анна", "phone": "+79990000001"}
    quiz.post("a-1", complete=False, contact=contact)
    quiz.work()
    quiz.change_rule(Extra={"SendIf": BIG, "Routes": [{"If": FROM_ADS, "Then": {"PipelineID": 0}}]})
    quiz.post("a-1", contact={**contact, "email": "anna@example.com"}, utm={"utm_source": "yandex"})
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.route, len(quiz.leads)) == ("delivered", "", 1)
    assert quiz.delivery.revision_sent == 2


def test_a_step_that_is_gone_stops_only_its_route(quiz):
    gone = {"PipelineID": quiz.place()["PipelineID"], "StepID": 987654}
    quiz.change_rule(Extra={"Routes": [{"Name": "Реклама", "If": FROM_ADS, "Then": gone}]})
    [problem] = quiz.api.get(f"/rules/{QUIZ}").json()["Problems"]
    assert (problem["code"], problem["field"]) == ("step_gone", "Extra.Routes[0].Then.StepID")
    quiz.post("ads", utm={"utm_source": "yandex"})
    quiz.post("else")
    quiz.work()
    by_answer = dict(Delivery.objects.values_list("answer__answer_id", "held_because"))
    assert by_answer == {"ads": "fix_rule", "else": ""}
    quiz.change_rule(Extra={"Routes": [{"Name": "Реклама", "If": FROM_ADS, "Then": quiz.place()}]})
    quiz.work()
    assert not Delivery.objects.exclude(state="delivered").exists()
    assert quiz.rule.problems == []


def test_the_preview_tells_the_way(quiz):
    quiz.change_rule(
        Extra={"SendIf": {"not": MADRID}, "Routes": [{"Name": "Р", "If": FROM_ADS, "Then": {"StepID": 0}}]}
    )

    def preview(**answer: Any) -> dict[str, Any]:
        found: dict[str, Any] = quiz.api.post(f"/rules/{QUIZ}/preview", {"answer": answer}, **JSON).json()
        return found

    assert preview(utm={"source": "yandex"})["route"] == "Р"
    assert (preview()["route"], preview()["leftOut"]) == ("", "")
    told = preview(contact={"city": "Мадрид"})
    assert (told["requests"], "«Мадрид»" in told["leftOut"]) == ([], True)


@pytest.mark.parametrize("crm", ["bitrix24", "envybox"])
def test_a_route_may_ask_for_another_kind_of_record(transactional_db, request, crm):
    shop = request.getfixturevalue({"bitrix24": "clinic", "envybox": "florist"}[crm])
    shop.change_rule(Extra={"Routes": [{"Name": "Лиды", "If": FROM_ADS, "Then": {"LeadFlag": True}}]})
    shop.post("ads", utm={"utm_source": "yandex"})
    shop.work()
    assert shop.delivery.state == "delivered"
    if crm == "bitrix24":
        assert "/crm/lead/" in shop.delivery.remote_link
    else:
        assert "/deal" not in shop.delivery.remote_link
    assert shop.delivery.route == "Лиды"


def test_a_route_says_who_is_responsible_at_solos(windows):
    windows.change_rule(Extra={"Routes": [{"Name": "Р", "If": FROM_ADS, "Then": {"PerformerID": "3"}}]})
    windows.post(utm={"utm_source": "yandex"})
    windows.work()
    assert (windows.delivery.state, windows.delivery.route) == ("delivered", "Р")


def test_a_saved_rule_keeps_what_it_says_in_words_of_columns(quiz):
    quiz.change_rule(Extra={"Routes": [{"If": FROM_ADS, "Then": {"StepID": 5}}]})
    assert Rule.objects.get().extra == {
        "routes": [{"name": "Route 1", "if": FROM_ADS, "then": {"step": "5"}}]
    }
