"""What only Envybox has a place for: the client's further contacts, region and company, the deal's sum."""

from __future__ import annotations

import pytest

from connectors.custom_fields import TAKEN
from connectors.draft import Person, Visit
from connectors.envybox.tracking import region_of, timezone_of
from tests.connectors.cast import NOW, again


def codes(receipt):
    return [problem.code for problem in receipt.problems]


def test_what_only_envybox_has_a_place_for(florist, draft, deliver):
    more = {
        "position": "Директор",
        "work_phone": "+7 495 123-45-67 доб. 12",
        "home_phone": "+7 495 000-00-00",
        "region": "московская обл.",
        "timezone": "Asia/Yekaterinburg",
        "record_link": "https://calls.example/1.mp3",
    }
    deliver(draft(more=more, visit=Visit(NOW, "42", client_ids={"gclientid": "g1", "_ym_uid": "ym1"})))
    [lead] = florist.leads
    held = florist.crm.leads[lead["id"]]
    assert {"type": "work_phone", "value": "+7 495 123-45-67", "addon": "12"} in held.contacts
    assert (lead["contact"]["position"], lead["contact"]["home_phone"]) == ("Директор", "+7 495 000-00-00")
    assert (held.service["ip_place_id"], held.service["timezone"]) == ("Московская область", "UTC+05:00")
    assert (held.service["google_client_id"], held.service["yandex_client_id"]) == ("g1", "ym1")
    assert held.record_link == "https://calls.example/1.mp3"


@pytest.mark.parametrize(
    ("text", "region"),
    [("Татарстан", "Республика Татарстан"), ("г. Москва", "Москва"), ("Алтайский край", "Алтайский край"),
     ("ленинградская область", "Ленинградская область"), ("Еврейская АО", "Еврейская автономная область"),
     ("Удмуртская Республика", "Удмуртская Республика"), ("Тула", ""), ("", "")],
)  # fmt: skip
def test_a_region_is_one_of_the_list(text, region):
    assert region_of(text) == region


@pytest.mark.parametrize(
    ("text", "zone"),
    [("UTC+5", "UTC+05:00"), ("-03:30", "UTC-03:30"), ("Asia/Yekaterinburg", "UTC+05:00"),
     ("UTC+15", ""), ("вечером", ""), ("../etc", ""), ("", "")],
)  # fmt: skip
def test_a_time_zone_in_its_form(text, zone):
    assert timezone_of(text, NOW) == zone


def test_the_price_goes_into_the_deals_sum(florist, draft, deliver):
    budget = florist.crm.input("Бюджет")
    florist.facts["money_fields"] = [budget.id]
    assert deliver(draft(placement=florist.place(), price="150 000,50 ₽")).losses == ()
    assert florist.leads[0]["fields"] == {"Бюджет": 150000.5}
    values = (florist.value("Бюджет", "100", "deal"),)
    receipt = deliver(draft(placement=florist.place(), price="5", values=values))
    assert [(one.question, one.reason) for one in receipt.losses] == [("price", TAKEN)]
    assert [one.question for one in deliver(draft(price="5")).losses] == ["price"]  # a lead has no sum
    assert [one.value for one in deliver(draft(price="много")).losses] == ["много"]


def test_a_price_without_a_field_is_told(florist, draft, deliver):
    receipt = deliver(draft(placement=florist.place(), price="5"))
    assert [(one.value, one.reason) for one in receipt.losses] == [("5", "Envybox has no money field for it")]
    assert "Цена: 5" in florist.leads[0]["notes"][0]


def test_two_questions_for_one_field_share_it_or_are_told(florist, draft, deliver):
    asked = (("Стиль", "Лофт"), ("Стиль", "Сканди"), ("Площадь", "54"), ("Площадь", "60"))
    receipt = deliver(draft(values=tuple(florist.value(*one) for one in asked)))
    assert florist.leads[0]["fields"] == {"Стиль": "Лофт, Сканди", "Площадь": 54}
    assert [(one.value, one.reason) for one in receipt.losses] == [("60", TAKEN)]


# -- companies --------------------------------------------------------------------------------------------


def companies(florist):
    return [
        (one["short_name"], one["inn"]) for client in florist.crm.clients.values() for one in client.companies
    ]


def test_a_company_with_its_inn_is_the_clients(florist, draft, deliver):
    anna = Person("Анна", ("+79991112233",))
    told = {"company": "Ромашка", "more": {"inn": "7707083893"}, "placement": florist.place(), "person": anna}
    assert deliver(draft(**told)).losses == ()
    assert deliver(draft(**told)).losses == ()  # the client has it already
    assert companies(florist) == [("Ромашка", "7707083893")]


def test_a_company_whose_answer_was_lost_is_made_once(florist, envy, draft, journal):
    answer = draft(company="Ромашка", more={"inn": "7707083893"}, placement=florist.place())
    envy.faults.add("/addCompany", "reset_after")
    (lost,) = florist.connector.deliver([answer], journal)
    assert lost.next_step == "look_first"
    (receipt,) = florist.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert (receipt.losses, companies(florist)) == ((), [("Ромашка", "7707083893")])


def test_a_company_that_is_refused_is_told(florist, envy, draft, deliver):
    body = '{"status_code": 400, "message": "Неверный ИНН"}'
    envy.faults.add("/addCompany", status=400, content_type="application/json", body=body)
    receipt = deliver(draft(company="Ромашка", more={"inn": "7707083893"}, placement=florist.place()))
    assert ([one.value for one in receipt.losses], codes(receipt)) == (["Ромашка"], ["company_refused"])
    assert any("Компания: Ромашка" in note for note in florist.leads[0]["notes"])


def test_a_company_is_told_in_the_note(florist, draft, deliver):
    receipt = deliver(draft(company="Ромашка"))
    assert [loss.value for loss in receipt.losses] == ["Ромашка"]
    assert deliver(draft(company="Ромашка", note="Компания: Ромашка")).losses == ()
