"""Who is in amoCRM already is found and left as is; who is gone from it is looked up again."""

from __future__ import annotations

import json

import pytest

from connectors.draft import Person


def contact(shop, name: str, phone: str = "", email: str = "") -> int:
    """Somebody whom the shop's people have entered themselves."""
    values = [
        {"field_code": code, "values": [{"value": value, "enum_code": "WORK"}]}
        for code, value in (("PHONE", phone), ("EMAIL", email))
        if value
    ]
    reply = shop.connector.http_client().call(
        "POST", "/api/v4/contacts", json=[{"name": name, "custom_fields_values": values}]
    )
    return int(reply["_embedded"]["contacts"][0]["id"])


@pytest.mark.parametrize("spelling", ["8 (999) 000-11-22", "+7 999 000 11 22", "9990001122", "79990001122"])
def test_a_person_is_known_by_phone_however_it_is_spelled(shop, draft, deliver, spelling):
    known = contact(shop, "Анна из магазина", spelling)
    (receipt,) = deliver(draft(person=Person("Аня", ("+79990001122",))))
    assert receipt.journal["contact"] == str(known)
    assert shop.leads[0]["contact"]["name"] == "Анна из магазина"


def test_a_person_is_known_by_email(shop, draft, deliver):
    known = contact(shop, "Анна", email="Anna@Demo.example")
    (receipt,) = deliver(draft(person=Person("Аня", ("+79990009999",), ("anna@demo.example",))))
    assert receipt.journal["contact"] == str(known)


def test_of_several_the_oldest_is_taken(shop, draft, deliver):
    first = contact(shop, "Анна", "+79990001122")
    contact(shop, "Анна ещё раз", "+79990001122")
    (receipt,) = deliver(draft(person=Person("Аня", ("+79990001122",))))
    assert receipt.journal["contact"] == str(first)


def test_a_hit_in_another_field_is_nobody(shop, draft, deliver):
    contact(shop, "перезвонить 9990001122")
    contact(shop, "Борис", "+375990001122")
    deliver(draft(person=Person("Аня", ("+79990001122",))))
    assert shop.leads[0]["contact"]["name"] == "Аня"


def test_a_known_contact_stays_as_it_is(shop, draft, deliver):
    known = contact(shop, "Анна", "+79990001122")
    (receipt,) = deliver(
        draft(person=Person("Аня", ("+79990001122",)), values=(shop.value("Город", "Казань", "contacts"),))
    )
    assert "Город" not in shop.leads[0]["contact"]
    assert [(loss.question, loss.field_id) for loss in receipt.losses] == [("Город?", "")]
    assert shop.sent()[0][0]["_embedded"]["contacts"] == [{"id": known}]


def test_a_remembered_contact_is_not_looked_up(shop, draft, deliver):
    known = contact(shop, "Анна", "+79990001122")
    (receipt,) = deliver(draft(known_contact=str(known)))
    assert receipt.journal["contact"] == str(known)
    assert shop.amo.journal.find("GET", "/contacts") == []


def test_a_contact_that_is_found_and_yet_refused_is_made_anew(shop, amo, draft, deliver):
    known = contact(shop, "Анна", "+79990001122")
    errors = [{"code": "NotSupportedChoice", "path": "_embedded.contacts.0.id", "detail": "no"}]
    body = json.dumps({"validation-errors": [{"request_id": "0", "errors": errors}], "status": 400})
    amo.faults.add(
        "complex", status=400, contains=str(known), times=None, body=body, content_type="application/json"
    )
    (receipt,) = deliver(draft(person=Person("Аня", ("+79990001122",))))
    assert shop.leads[0]["contact"]["name"] == "Аня"
    assert receipt.journal["contact"] != str(known)


def test_a_remembered_contact_that_is_gone_is_looked_up_again(shop, draft, deliver, journal):
    other = contact(shop, "Анна", "+79990001122")
    answers = [
        draft(known_contact="77", person=Person("Аня", ("+79990001122",))),
        draft(),
        draft(known_contact="78"),
    ]
    receipts = deliver(*answers)
    assert receipts[0].journal["contact"] == str(other)
    assert [lead["contact"]["name"] for lead in shop.leads[1:]] == [
        answers[1].person.name,
        answers[2].person.name,
    ]
    assert journal.of(answers[2].uid)["contact"] == receipts[2].journal["contact"]
