"""What people write arrives as they meant it, or is told: whole answers, through REST into the sandbox.

Most are after public reports about integrations like ours. ``tests/corpus`` has many more, without a CRM.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from accounts.access import connector_for, learn
from accounts.models import Account
from connectors.sandbox.amocrm.model import Enum, Field
from rules.models import Delivery


def answer(value: Any) -> dict[str, Any]:
    return {"questionID": "1", "question": "Вопрос?", "answer": value}


def rule_to(quiz, name: str) -> None:
    """A rule that puts question 1 into the lead's field of this name."""
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": quiz.field_id(name)}}]})


def fields_after(quiz, value: Any) -> dict[str, Any]:
    """The lead's fields after question 1 was answered so."""
    quiz.post(answers=[answer(value)])
    quiz.work()
    return quiz.leads[0]["fields"]


def contact_after(quiz, **contact: Any) -> dict[str, Any]:
    quiz.post(contact=contact)
    quiz.work()
    return quiz.leads[0]["contact"]


def told() -> str:
    """Everything that the only delivery says did not fit."""
    return " ".join(loss["value"] for loss in Delivery.objects.get().losses)


def known(quiz, phone: str) -> int:
    """A contact that the shop's people have typed in."""
    values = [{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}]
    body = [{"name": "Старый контакт", "custom_fields_values": values}]
    made = connector_for(quiz.account).http_client().call("POST", "/api/v4/contacts", json=body)
    return int(made["_embedded"]["contacts"][0]["id"])


# -- contacts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["375291234567", "380501234567", "998901234567", "996555123456", "374 91 123456"]
)
def test_a_neighbours_number_without_plus(quiz, typed):
    assert contact_after(quiz, name="Анна", phone=typed)["Телефон"] == "+" + typed.replace(" ", "")


def test_a_phone_out_of_a_spreadsheet(quiz):
    assert contact_after(quiz, name="Анна", phone=79161234501.0)["Телефон"] == "+79161234501"


@pytest.mark.parametrize("glue", [",", ", ", "; ", " / ", " или "])
def test_two_phones_in_one_text(quiz, glue):
    phones = str(contact_after(quiz, name="Анна", phone=f"+79261112233{glue}+79221112233")["Телефон"])
    assert "+79261112233" in phones
    assert "+79221112233" in phones


def test_two_emails_in_one_text(quiz):
    emails = str(contact_after(quiz, name="Анна", email="anna@demo.example, b@demo.example")["Email"])
    assert "anna@demo.example" in emails
    assert "b@demo.example" in emails


def test_a_number_that_does_not_exist_makes_nobody_somebody_else(quiz):
    for name in ("Анна", "Борис"):
        quiz.post(
            contact={"name": name, "phone": "+7 (000) 000-00-00", "email": f"x{len(name)}@demo.example"}
        )
        quiz.work()
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 2
    assert all("+7 (000) 000-00-00" in str(lead["notes"]) for lead in quiz.leads)


@pytest.mark.parametrize("typed", ["+7 999 999-99-99", "12345678901"])
def test_a_number_that_nobody_has_makes_nobody_somebody_else(clinic, typed):
    for name in ("Анна", "Борис"):
        clinic.post(contact={"name": name, "phone": typed})
        clinic.work()
    assert len({lead["contact"]["id"] for lead in clinic.leads}) == 2


def test_a_phone_is_of_the_country_that_stands_beside_it(quiz):
    phone = {"country": "US", "number": "9162234567"}
    assert contact_after(quiz, name="Ann", phone=phone)["Телефон"] == "+19162234567"


def test_a_name_and_a_company_in_parts(quiz):
    name, company = {"first": "Анна", "last": "Белова"}, {"inn": "7707083893", "name": "Ромашка"}
    assert contact_after(quiz, name=name, phone="+79161234501", company=company)["name"] == "Белова Анна"
    assert quiz.leads[0]["company"]["name"] == "Ромашка"


@pytest.mark.parametrize("typed", ["+7 (891) 612-34-56", "8 916 123-45-6"])
def test_a_number_that_cannot_exist_is_told(quiz, typed):
    contact_after(quiz, name="Анна", phone=typed)
    assert typed in told()


def test_the_keys_of_another_form_builder(quiz):
    contact = contact_after(quiz, Name="Анна", Phone="8 916 123-45-01", Email="A@demo.example")
    assert (contact["name"], contact["Телефон"], contact["Email"]) == (
        "Анна",
        "+79161234501",
        "a@demo.example",
    )


@pytest.mark.parametrize(
    "stored",
    [
        "+7 999 000-11-22 доб. 5",
        "8 999 000-11-22, 8 999 333-44-55",
        "8 (999) 000-11-22 Анна",
        "+7(999)0001122#12",
    ],
)
def test_a_known_phone_with_something_beside_it(quiz, stored):
    pk = known(quiz, stored)
    assert contact_after(quiz, name="Аня", phone="+79990001122")["id"] == pk


def test_a_known_local_number_of_another_country(quiz):
    Account.objects.update(country="UA")
    pk = known(quiz, "050 123-45-67")
    assert contact_after(quiz, name="Оля", phone="050 123 45 67")["id"] == pk


@pytest.mark.parametrize("stored", ["8 (999) 000-11-22", "9990001122"])
def test_a_portal_that_compares_phones_as_typed(clinic, stored):
    fields = {"NAME": "Старый", "PHONE": [{"VALUE": stored, "VALUE_TYPE": "WORK"}]}
    address = f"https://{clinic.portal.host}/rest/crm.contact.add.json"
    made = requests.post(address, json={"auth": clinic.account.token.access, "fields": fields}, timeout=10)
    assert str(contact_after(clinic, name="Аня", phone="8 999 000 11 22")["id"]) == str(made.json()["result"])


# -- values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"), [("1,5 млн ₽", "1500000"), ("300 тыс.", "300000"), ("50к", "50000")]
)
def test_thousands_and_millions_in_words(quiz, said, kept):
    rule_to(quiz, "Бюджет")
    assert fields_after(quiz, said)["Бюджет"] == kept


def test_dollars_are_no_roubles_in_a_price(clinic):
    clinic.post(price="5000 $")
    clinic.work()
    assert (clinic.leads[0]["price"], told()) == (0, "5000 $")


def test_dollars_are_no_roubles_in_a_deal_of_envybox(florist):
    florist.post(price="5000 $")
    florist.work()
    assert (florist.leads[0]["fields"], told()) == ({}, "5000 $")


@pytest.mark.parametrize("said", ["до 3 млн", "10, 20", "100, 200", "10-20", "99 $"])
def test_what_is_not_one_number_of_the_account_is_told(quiz, said):
    rule_to(quiz, "Бюджет")
    assert "Бюджет" not in fields_after(quiz, said)
    assert said in told()


def test_two_numbers_of_one_question_are_told(quiz):
    rule_to(quiz, "Площадь, м²")
    assert "Площадь, м²" not in fields_after(quiz, [10, 20])
    assert told() == "10, 20"


def test_a_day_stays_that_day_west_of_greenwich(quiz):
    quiz.crm.timezone = "America/Sao_Paulo"
    learn(quiz.account)
    quiz.sync()
    rule_to(quiz, "Дата замера")
    kept = fields_after(quiz, "2026-11-28T00:00:00.000Z")["Дата замера"]
    assert datetime.fromtimestamp(kept, ZoneInfo("America/Sao_Paulo")).date().isoformat() == "2026-11-28"


def test_two_dates_are_not_one(quiz):
    rule_to(quiz, "Дата замера")
    assert "Дата замера" not in fields_after(quiz, "28.11.2026 - 30.11.2026")
    assert told() == "28.11.2026 - 30.11.2026"


FILE = {"url": "https://cdn.example/1.pdf", "name": "план.pdf"}


@pytest.mark.parametrize("value", [FILE, [FILE], {"value": [FILE]}])
def test_a_file_is_its_address(quiz, value):
    rule_to(quiz, "Ссылка на результат")
    assert fields_after(quiz, value)["Ссылка на результат"] == FILE["url"]
    assert FILE["name"] in str(quiz.leads[0]["notes"])


@pytest.mark.parametrize(
    ("option", "sent"),
    [
        ("Иванов & Ко", "Иванов &amp; Ко"),
        ("1–2 комнаты", "1-2 комнаты"),
        ("«Люкс»", '"Люкс"'),
        ("Свыше 100 м²", "Свыше 100 м2"),
    ],
)
def test_a_choice_in_other_typography(quiz, option, sent):
    enums = [Enum(990011, "Другое", 1), Enum(990012, option, 2)]
    quiz.crm.fields["leads"].add(Field(990001, "leads", "Вариант", "select", enums=enums))
    quiz.sync()
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": 990001}}]})
    assert fields_after(quiz, sent)["Вариант"] == option
