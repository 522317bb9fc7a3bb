"""What people send is in a field or in the note: after public reports of services like ours."""

from __future__ import annotations

import json

import pytest

from rules.models import Delivery


def answer(value, question="1", text="Вопрос?"):
    return {"questionID": question, "question": text, "answer": value}


def map_to(quiz, name, *questions):
    """A rule that puts what the questions are answered into a field of the lead."""
    field = quiz.field_id(name)
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": dict.fromkeys(questions or ("1",), field)}]})


def told():
    return [(loss["value"], loss["reason"]) for loss in Delivery.objects.get().losses]


# verbb/formie issues 308 and 535: names and phones with parts arrive as objects
@pytest.mark.parametrize(
    ("contact", "word"),
    [
        ({"name": {"firstName": "Анна", "lastName": "Белова"}, "phone": "+79161234501"}, "Белова"),
        ({"name": "Анна", "phone": {"code": "+7", "number": "9161234501"}}, "9161234501"),
        (
            {"name": "Анна", "phone": "+79161234501", "address": {"city": "Тула", "street": "Мира 1"}},
            "Мира 1",
        ),
    ],
)
def test_parts_of_a_contact_are_there(quiz, contact, word):
    quiz.post(contact=contact)
    quiz.work()
    [lead] = quiz.leads
    assert word in str(lead["contact"]) or any(word in note for note in lead["notes"])


# Draggable/formeo issue 128: the choices of one question arrive as items of their own
def test_a_question_that_comes_twice_adds_up(quiz):
    map_to(quiz, "Комнаты")
    quiz.post(answers=[answer("Кухня"), answer("Спальня")])
    quiz.work()
    assert set(quiz.leads[0]["fields"]["Комнаты"]) == {"Кухня", "Спальня"}


def test_two_questions_share_a_text(quiz):
    map_to(quiz, "Город", "1", "2")
    quiz.post(answers=[answer("Тула"), answer("Казань", "2")])
    quiz.work()
    assert quiz.leads[0]["fields"]["Город"] == "Тула, Казань"


def test_of_two_questions_for_one_number_the_second_is_told(quiz):
    map_to(quiz, "Площадь, м²", "1", "2")
    quiz.post(answers=[answer("54"), answer("60", "2")])
    quiz.work()
    [lead] = quiz.leads
    assert lead["fields"]["Площадь, м²"] == "54"
    assert told() == [("60", "another answer already fills the field")]
    assert any("- Вопрос?: 60" in note for note in lead["notes"])


# gravityplus/Gravity-Forms-Salesforce issue 209: a file is an object with an address
def test_a_file_is_read_by_its_name_and_address(quiz):
    quiz.post(answers=[answer([{"url": "https://cdn.example/1.pdf", "name": "план.pdf"}])])
    quiz.work()
    assert "Вопрос?: план.pdf https://cdn.example/1.pdf" in quiz.leads[0]["notes"][0]


# krayin/laravel-crm issue 2046: marks that the CRM has fields for
@pytest.mark.parametrize("mark", ["utm_referrer", "openstat_service", "UTM_SOURCE"])
def test_every_mark_with_a_field_is_there(quiz, mark):
    quiz.post(utm={mark: "x1"})
    quiz.work()
    assert quiz.leads[0]["fields"].get(mark.lower()) == "x1"


# kyranb/Footprints issue 71: a mark that stands twice in the address arrives as a list
def test_of_a_mark_that_comes_twice_the_first_counts(quiz):
    quiz.post(utm={"utm_source": ["ads", "mail"]})
    quiz.work()
    [lead] = quiz.leads
    assert lead["fields"]["utm_source"] == "ads"
    assert "utm_source: ads, mail" in lead["notes"][0]


@pytest.mark.parametrize(
    "number",
    [
        *("12345678901234567890.123456789", "0.1000000000000000055511151231257827", "9007199254740993.0"),
        *("1e400", "-1e-400", "123456789012345678901234567890", "9" * 5000),
    ],
)
def test_a_number_that_no_float_holds_is_told_as_it_was_sent(quiz, number):
    """And never rounded into a field or the lead's price."""
    map_to(quiz, "Площадь, м²")
    body = quiz.answer(price="<n>", discount="<n>", answers=[answer("<n>")])
    sent = json.dumps(body, ensure_ascii=False)
    for text in (
        sent.replace('"<n>"', number),
        sent.replace("<n>", number),
    ):  # a repeat as a text is the same
        reply = quiz.api.generic("POST", "/answers", text, "application/json")
        assert reply.status_code in (202, 200), reply.content
    assert reply.status_code == 200
    quiz.work()
    [lead] = quiz.leads
    note = "".join(lead["notes"])
    assert all(f"{name}: {number}" in note.replace("\n", "") for name in ("Вопрос?", "discount")), note[:500]
    assert (lead["price"] or 0, "Площадь, м²" in lead["fields"]) == (0, False)
    assert len(told()) == 2


# What PHP writes with serialize_precision = 17
def test_a_float_with_all_its_digits_is_read_as_it_was_meant(quiz):
    map_to(quiz, "Площадь, м²")
    body = json.dumps(quiz.answer(answers=[answer("<n>")]), ensure_ascii=False)
    quiz.api.generic("POST", "/answers", body.replace('"<n>"', "54.100000000000001"), "application/json")
    quiz.work()
    [lead] = quiz.leads
    assert lead["fields"]["Площадь, м²"] == "54.1"
    assert "54.100000000000001" in lead["notes"][0]


def test_the_clinics_client_ids_are_there(clinic):
    clinic.post(clientIDs={"yclid": "17", "_ym_uid": "9"}, utm={"utm_source": "ads"})
    clinic.work()
    [deal] = clinic.leads
    assert deal["fields"]["Аналитика квиза"] == ["yclid: 17", "_ym_uid: 9"]
    assert deal["utm"] == {"UTM_SOURCE": "ads"}


def test_the_florists_price_and_company_are_there(florist):
    contact = {"name": "Анна", "phone": "+79161234501", "company": "Ромашка", "inn": "7707083893"}
    florist.post(contact=contact, price="1500.00", clientIDs={"gclientid": "g1", "_ym_uid": "9"})
    florist.work()
    [lead] = florist.leads
    assert lead["fields"] == {"Бюджет": 1500}
    held = florist.envy.leads[lead["id"]].service
    assert (held["google_client_id"], held["yandex_client_id"]) == ("g1", "9")
    (client,) = florist.envy.clients.values()
    assert [(one["short_name"], one["inn"]) for one in client.companies] == [("Ромашка", "7707083893")]
