"""An answer becomes a deal or a lead in Bitrix24, seen from both ends."""

from __future__ import annotations

from accounts.access import learn
from accounts.models import Account
from rules.delivery import outbox
from rules.models import Delivery, Rule


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
    """A batch sends one request after the other: by itself it would make use of half the limit."""
    taken, real = [], outbox.claim

    def claim(*given):
        found = real(*given)
        taken.append(len(found))
        return found

    monkeypatch.setattr(outbox, "claim", claim)
    for number in range(500):
        clinic.post(f"k-{number}", contact={"name": "Анна", "phone": f"+7999{number:07d}"})
    clinic.work()
    assert [size for size in taken if size] == [225, 225, 50]
    assert len(clinic.leads) == 500
