"""An answer becomes a deal or a lead in Bitrix24, seen from both ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from accounts.access import learn
from accounts.models import Account
from connectors.bitrix24.connector import BitrixConnector
from rules.delivery import concurrency, outbox, worker
from rules.models import Delivery, Rule
from tests.crowd import crowded


def test_an_answer_arrives_as_a_deal_in_the_right_place(clinic):
    igor = clinic.user_id("Кузнецов")
    clinic.change_rule(PerformerID=igor)
    reply = clinic.post(
        "k-1",
        contact={
            "name": "Анна",
            "phone": "8 (999) 000-11-22",
            "email": "Anna@Example.ru",
            "company": "Ромашка",
        },
        utm={"source": "ads"},
    )
    assert reply.status_code == 202

    clinic.work()

    [deal] = clinic.leads
    assert (deal["kind"], deal["pipeline"], deal["step"]) == ("deal", "Квизы", "Дозвон")
    assert (deal["type"], deal["source"], str(deal["responsible_id"])) == ("SALE", "WEB", igor)
    assert deal["contact"]["PHONE"] == "+79990001122"
    assert deal["contact"]["EMAIL"] == "anna@example.ru"
    assert deal["company"]["name"] == "Ромашка"
    assert deal["utm"] == {"UTM_SOURCE": "ads"}
    shown = clinic.api.get(f"/answers/{reply.json()['id']}").json()["deliveries"][0]
    assert (shown["state"], shown["leadID"], shown["crm"]) == ("delivered", str(deal["id"]), "bitrix24")
    assert shown["link"] == f"https://dentist.bitrix24.ru/crm/deal/details/{deal['id']}/"


def test_the_general_pipeline_is_number_0(clinic):
    clinic.change_rule(**clinic.place("Общая", "В работе"))
    clinic.post()
    clinic.work()
    [deal] = clinic.leads
    assert (deal["pipeline"], deal["step"]) == ("Общая", "В работе")
    assert clinic.shown_rule()["PipelineID"] == 0
    assert clinic.shown_rule()["Problems"] == []


def test_fields_are_named_by_id_or_by_code_and_the_note_has_every_answer(clinic):
    rooms = clinic.portal.field("Комнаты").name
    clinic.change_rule(
        FieldsRule={
            "deal": {"QuestionID": {"1": clinic.field_id("Тип ремонта"), "2": rooms}},
            "contact": {"QuestionID": {"3": clinic.field_id("Город", "CRM_CONTACT")}},
        }
    )
    clinic.post(
        answers=[
            {"questionID": "1", "question": "Какой ремонт?", "answer": "капитальный "},
            {"questionID": "2", "question": "Какие комнаты?", "answer": ["Кухня", "Спальня"]},
            {"questionID": "3", "question": "Откуда вы?", "answer": "Казань"},
            {"questionID": "4", "question": "Нужна доставка?", "answer": True},
        ]
    )
    clinic.work()

    [deal] = clinic.leads
    assert deal["fields"]["Тип ремонта"] == "Капитальный"
    assert deal["fields"]["Комнаты"] == ["Кухня", "Спальня"]
    assert deal["contact"]["Город"] == "Казань"
    assert any("Нужна доставка?: да" in note for note in deal["notes"])
    assert clinic.shown_rule()["Problems"] == []


def test_tags_are_texts_in_a_field_of_ours(clinic):
    clinic.change_rule(TagsToAdd={"Deal": ["квиз", "горячий"], "somewhere": ["x"]})
    clinic.post()
    clinic.work()
    assert clinic.leads[0]["tags"] == ["квиз", "горячий"]
    assert clinic.shown_rule()["TagsToAdd"] == {"Deal": ["квиз", "горячий"], "somewhere": ["x"]}


def test_a_field_asked_for_with_nothing_is_made_once_and_filled(clinic):
    asked = {"deal": {"QuestionID": {"7": ""}}}
    question = {"id": "7", "title": "Любимый врач", "type": "select", "options": ["Анна", "Игорь"]}
    assert clinic.change_rule(FieldsRule=asked, Quiz={"questions": [question]}).status_code == 200
    clinic.post(answers=[{"questionID": "7", "question": "Любимый врач", "answer": "Игорь"}])
    clinic.work()
    clinic.change_rule(FieldsRule=asked)
    clinic.work()

    made = [row for row in clinic.portal.fields["CRM_DEAL"].values() if row.label == "Любимый врач"]
    assert [row.type for row in made] == ["enumeration"]
    assert clinic.shown_rule()["FieldsRule"]["deal"] == {"QuestionID": {"7": str(made[0].id)}}
    assert clinic.leads[0]["fields"]["Любимый врач"] == "Игорь"
    assert clinic.shown_rule()["Problems"] == []


def test_with_lead_flag_it_is_a_lead_in_its_status(clinic):
    city = {"lead": {"QuestionID": {"1": clinic.field_id("Город", "CRM_LEAD")}}}
    assert clinic.change_rule(LeadFlag=True, FieldsRule=city).status_code == 200
    clinic.post(answers=[{"questionID": "1", "question": "Откуда вы?", "answer": "Казань"}])
    clinic.work()

    [lead] = clinic.leads
    assert (lead["kind"], lead["step"], lead["source"]) == ("lead", "В работе", "WEB")
    assert lead["fields"]["Город"] == "Казань"
    link = clinic.api.get("/deliveries").json()["items"][0]["link"]
    assert link == f"https://dentist.bitrix24.ru/crm/lead/details/{lead['id']}/"


def test_a_portal_without_leads_gets_a_deal_and_the_rule_says_so(clinic):
    clinic.portal.mode = 2
    clinic.change_rule(LeadFlag=True)
    learn(clinic.account)
    clinic.post()
    clinic.work()

    [deal] = clinic.leads
    assert (deal["kind"], deal["pipeline"], deal["step"]) == ("deal", "Квизы", "Дозвон")
    assert [problem["code"] for problem in clinic.shown_rule()["Problems"]] == ["simple_mode"]


def test_twenty_answers_of_one_phone_at_once_make_one_contact(clinic):
    for _ in range(20):
        clinic.post(contact={"name": "Анна", "phone": "+79990001122"})
    clinic.work()
    assert len(clinic.leads) == 20
    assert len({deal["contact"]["id"] for deal in clinic.leads}) == 1
    assert len(clinic.portal.contacts.rows) == 1


def test_a_preview_shows_the_requests_and_sends_none(clinic):
    answer = {"contact": {"name": "Анна", "phone": "+79990001122"}}
    plan = clinic.api.post(
        "/bitrix/rules/42/preview", {"answer": answer}, content_type="application/json"
    ).json()
    assert any("crm.deal.add" in f"{request['url']} {request['body']}" for request in plan["requests"])
    assert clinic.leads == []
    assert list(clinic.box.journal) == []


def test_one_answer_goes_to_every_crm_that_has_a_rule_for_its_quiz(clinic):
    other = Account.objects.create(account_id="shop", crm="amocrm", state="active")
    Rule.objects.create(account=other, quiz_id=42)
    clinic.post()
    assert {row.account.crm for row in Delivery.objects.all()} == {"amocrm", "bitrix24"}


def test_fewer_leads_than_batches_would_take_are_spread_over_them(clinic, monkeypatch):
    """A batch sends one request after the other: by itself it would make use of a part of the limit."""
    taken, real = [], outbox.claim

    def claim(*given):
        found = real(*given)
        taken.append(len(found))
        return found

    monkeypatch.setattr(outbox, "claim", claim)
    for number in range(300):
        clinic.post(f"k-{number}", contact={"name": "Анна", "phone": f"+7999{number:07d}"})
    clinic.work()
    assert taken[:6] == [50, 41, 41, 42, 42, 42]
    assert sum(taken) == len(clinic.leads) == 300


def test_a_stay_goes_on_after_its_time_with_what_changed_meanwhile(clinic, monkeypatch, settings):
    """While nobody waits for its place: to empty the pipe costs seconds of the limit. Each is sent once."""
    settings.LANE_SLICE = timedelta(0)
    monkeypatch.setattr(BitrixConnector, "can", replace(BitrixConnector.can, batch=2, parallel=1, spread=0))
    stays, real = [], BitrixConnector.deliver

    def deliver(self, drafts, journal):
        stays.append(self)
        outcomes = real(self, drafts, journal)
        if len(stays) == 1:
            clinic.change_rule(**clinic.place("Общая", "В работе"))
        return outcomes

    monkeypatch.setattr(BitrixConnector, "deliver", deliver)
    for number in range(6):
        clinic.post(f"k-{number}", contact={"name": "Анна", "phone": f"+7999{number:07d}"})
    assert worker.drain(clinic.account.pk) == 6
    assert len({id(one.pool) for one in stays}) == 1
    assert len(stays) == 3
    assert [deal["pipeline"] for deal in clinic.leads] == ["Квизы"] * 2 + ["Общая"] * 4
    assert set(Delivery.objects.values_list("attempts_made", flat=True)) == {1}


def test_a_stay_ends_in_time_where_others_are_turned_away(clinic, monkeypatch, settings):
    settings.LANE_SLICE = timedelta(0)
    for number in range(3):
        clinic.post(f"k-{number}")
    with crowded("bitrix24"):
        concurrency.lanes.admits(0, "bitrix24", probing=True)
    try:
        assert worker.drain(clinic.account.pk) == 0
    finally:
        concurrency.lanes._turned_away.clear()
    assert worker.drain(clinic.account.pk) == 3
