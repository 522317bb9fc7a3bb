"""A contact that the shop had before is written as the rule says; what was there is noted first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.draft import FILL, OVERWRITE, Person, Receipt, WriteMode
from connectors.existing import read_written
from tests.connectors.amocrm.test_people import contact
from tests.connectors.cast import again

PHONE, OTHER = "+79990001122", "+79990001133"
ANNA = Person("Аня", (PHONE,))


@pytest.fixture
def known(shop):
    """Anna, without a city and with a position."""
    made = contact(shop, "Анна", PHONE)
    put(shop, made, "Должность", "Швея")
    shop.amo.journal.clear()
    return made


def put(shop, contact_id: int, field: str, text: str) -> None:
    values = [{"field_id": int(shop.target(field, "contacts").remote_id), "values": [{"value": text}]}]
    shop.connector.http_client().call(
        "PATCH", "/api/v4/contacts", json=[{"id": contact_id, "custom_fields_values": values}]
    )


def card(shop, contact_id: int) -> dict[str, list[str]]:
    row = shop.connector.http_client().call("GET", f"/api/v4/contacts/{contact_id}")
    values = row.get("custom_fields_values") or []
    return {"name": [row["name"]]} | {
        one["field_name"]: [str(value["value"]) for value in one["values"]] for one in values
    }


def answers(shop, draft, mode: WriteMode, person: Person = ANNA, **changes):
    values = (shop.value("Город", "Казань", "contacts"), shop.value("Должность", "Закройщица", "contacts"))
    return draft(person=person, values=values, existing={"contact": mode}, **changes)


def test_what_is_empty_is_filled_and_nothing_else(shop, draft, deliver, known):
    (receipt,) = deliver(answers(shop, draft, WriteMode(FILL)))
    assert isinstance(receipt, Receipt)
    now = card(shop, known)
    assert (now["Город"], now["Должность"], now["name"]) == (["Казань"], ["Швея"], ["Анна"])
    assert [loss.value for loss in receipt.losses] == ["Закройщица"]
    assert "Закройщица" in shop.leads[0]["notes"][0]
    assert [(one.name, one.before, one.now) for one in read_written(receipt.journal)] == [
        ("Город", (), ("Казань",))
    ]


def test_a_named_field_is_overwritten_and_its_former_value_is_kept(shop, draft, deliver, known):
    mode = WriteMode(
        fields={"POSITION": OVERWRITE, shop.target("Должность", "contacts").remote_id: OVERWRITE}
    )
    (receipt,) = deliver(answers(shop, draft, mode))
    assert card(shop, known)["Должность"] == ["Закройщица"]
    assert "Город" not in card(shop, known)
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    [written] = read_written(receipt.journal)
    assert (written.before, written.now, written.record) == (("Швея",), ("Закройщица",), str(known))


def test_the_name_is_written_where_the_rule_names_it(shop, draft, deliver, known):
    deliver(answers(shop, draft, WriteMode(fields={WriteMode.NAME: OVERWRITE})))
    assert card(shop, known)["name"] == ["Аня"]


def test_phones_and_messengers_are_added_beside_those_that_are_there(shop, draft, deliver, known):
    person = Person("Аня", (PHONE, OTHER), ("anna@mail.example",), {"telegram": "@anna"})
    (receipt,) = deliver(answers(shop, draft, WriteMode(append=True), person))
    now = card(shop, known)
    assert (now["Телефон"], now["Email"]) == ([PHONE, OTHER], ["anna@mail.example"])
    assert now["Мгн. сообщения"] == ["telegram: @anna"]
    assert [loss.value for loss in receipt.losses] == ["Казань", "Закройщица"]
    assert {one.field: (one.before, one.now) for one in read_written(receipt.journal)} == {
        "PHONE": ((PHONE,), (OTHER,)),
        "EMAIL": ((), ("anna@mail.example",)),
        "IM": ((), ("telegram: @anna",)),
    }


def test_filling_adds_no_second_phone(shop, draft, deliver, known):
    person = Person("Аня", (PHONE, OTHER), ("anna@mail.example",), {"telegram": "@anna"})
    deliver(answers(shop, draft, WriteMode(FILL), person))
    now = card(shop, known)
    assert (now["Телефон"], now["Email"]) == ([PHONE], ["anna@mail.example"])


def test_two_answers_of_one_contact_in_a_batch_lose_no_phone(shop, draft, deliver, known):
    both = [
        answers(shop, draft, WriteMode(append=True), Person("Аня", (PHONE, phone)))
        for phone in (OTHER, "+79990001144")
    ]
    deliver(*both)
    assert card(shop, known)["Телефон"] == [PHONE, OTHER, "+79990001144"]


@pytest.mark.parametrize("lost", ["reset", "reset_after"])
def test_a_try_that_was_cut_off_is_repeated_without_harm(shop, draft, deliver, journal, known, lost):
    """Killed around the PATCH: nothing is added twice, and our own value is not what was there before."""
    mode = WriteMode(OVERWRITE, append=True)
    answer = answers(shop, draft, mode, Person("Аня", (PHONE, OTHER)))
    shop.amo.faults.add(r"/contacts$", lost, method="PATCH")
    (first,) = deliver(answer)
    assert not isinstance(first, Receipt)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt), receipt
    now = card(shop, known)
    assert (now["Телефон"], now["Должность"]) == ([PHONE, OTHER], ["Закройщица"])
    told = {one.name: (one.before, one.now) for one in read_written(receipt.journal)}
    assert told["Должность"] == (("Швея",), ("Закройщица",))
    assert told["PHONE"] == ((PHONE,), (OTHER,))
    assert receipt.losses == ()
    assert len(shop.leads) == 1


def test_what_people_changed_since_is_left_alone_on_a_later_try(shop, draft, deliver, journal, known):
    answer = answers(shop, draft, WriteMode(OVERWRITE))
    shop.amo.faults.add(r"/contacts$", "reset_after", method="PATCH")
    deliver(answer)
    put(shop, known, "Должность", "Директор")
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert card(shop, known)["Должность"] == ["Директор"]
    assert [loss.value for loss in receipt.losses] == ["Закройщица"]


def test_a_later_body_changes_what_the_earlier_one_wrote(shop, draft, deliver, journal, known):
    first = answers(shop, draft, WriteMode(FILL))
    deliver(first)
    values = (shop.value("Город", "Тула", "contacts"), shop.value("Должность", "Закройщица", "contacts"))
    later = replace(again(first, journal), values=values, formers=(first,), revision=2)
    (receipt,) = deliver(later)
    assert isinstance(receipt, Receipt), receipt
    assert (card(shop, known)["Город"], card(shop, known)["Должность"]) == (["Тула"], ["Швея"])
    [written] = read_written(receipt.journal)
    assert (written.before, written.now) == ((), ("Тула",))


def test_a_value_that_the_crm_refuses_is_told_and_was_not_written(shop, draft, deliver, known, amo):
    answer = answers(shop, draft, WriteMode(OVERWRITE))
    shop.account.fields["contacts"].remove(int(answer.values[0].target.remote_id))
    (receipt,) = deliver(answer)
    assert isinstance(receipt, Receipt), receipt
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert [one.name for one in read_written(receipt.journal)] == ["name", "Должность"]


def test_a_name_that_amocrm_refuses_is_told_and_was_not_written(shop, amo, draft, deliver, known):
    issue = {"request_id": "0", "errors": [{"code": "Invalid", "path": "name", "detail": "нельзя"}]}
    body = json.dumps({"status": 400, "validation-errors": [issue]})
    amo.faults.add(r"/contacts$", method="PATCH", status=400, body=body, content_type="application/json")
    (receipt,) = deliver(answers(shop, draft, WriteMode(fields={WriteMode.NAME: OVERWRITE})))
    assert isinstance(receipt, Receipt), receipt
    assert (card(shop, known)["name"], read_written(receipt.journal)) == (["Анна"], ())
    assert ("name", "Аня") in [(loss.question, loss.value) for loss in receipt.losses]


def test_a_comparison_tells_what_would_be_written_and_writes_nothing(shop, draft, deliver, journal, known):
    first = replace(answers(shop, draft, WriteMode()), existing={})
    deliver(first)
    mode = WriteMode(FILL, append=True, fields={WriteMode.NAME: OVERWRITE})
    later = replace(again(first, journal), person=Person("Аня", (PHONE, OTHER)), existing={"contact": mode})
    later = replace(later, formers=(first,), revision=2, replay=1)
    before = card(shop, known)
    (compared,) = shop.connector.compare([later])
    assert {(one.what, one.before, one.after, one.kept) for one in compared.changes} == {
        ("name", "Анна", "Аня", False),
        ("phone", PHONE, OTHER, False),
        ("Город?", "", "Казань", False),
        ("Должность?", "Швея", "Закройщица", True),
    }
    assert card(shop, known) == before
    (receipt,) = deliver(later)
    assert isinstance(receipt, Receipt), receipt
    now = card(shop, known)
    assert (now["name"], now["Телефон"], now["Город"]) == (["Аня"], [PHONE, OTHER], ["Казань"])


def test_a_contact_that_cannot_be_read_costs_no_lead(shop, amo, draft, deliver, known):
    body = json.dumps({"title": "Forbidden", "status": 403, "detail": "Нет прав"})
    amo.faults.add(rf"/contacts/{known}$", status=403, body=body, content_type="application/json", times=None)
    (receipt,) = deliver(answers(shop, draft, WriteMode(OVERWRITE)))
    assert isinstance(receipt, Receipt), receipt
    assert {loss.value for loss in receipt.losses} == {"Казань", "Закройщица"}
    assert read_written(receipt.journal) == ()


def test_a_new_contact_is_made_as_ever(shop, draft, deliver):
    (receipt,) = deliver(answers(shop, draft, WriteMode()))
    assert (receipt.losses, read_written(receipt.journal)) == ((), ())
    assert shop.amo.journal.find("PATCH", "/contacts$") == []


def test_a_rule_without_a_word_of_it_asks_for_nothing_more(shop, draft, deliver, known):
    deliver(draft(person=ANNA))
    assert [entry for entry in shop.amo.journal if entry.request.method == "PATCH"] == []
    assert [e.request.method for e in shop.amo.journal if "contacts" in e.request.path] == ["GET"]


# -- who looks after the contact ----------------------------------------------------------------------------


def test_the_contacts_own_responsible_takes_the_lead(shop, draft, deliver, journal, known):
    maria = shop.user("Мария")
    shop.connector.http_client().call(
        "PATCH", "/api/v4/contacts", json=[{"id": known, "responsible_user_id": int(maria)}]
    )
    answer, stranger = draft(person=ANNA, asks_owner=True), draft(asks_owner=True)
    (receipt, _) = deliver(answer, stranger)
    assert journal.owners == {answer.uid: maria, stranger.uid: ""}
    assert str(shop.leads[0]["responsible_id"]) == maria
    assert receipt.placed
    assert receipt.placed.performer == maria


def test_nobody_is_asked_for_a_lead_that_is_there(shop, draft, deliver, journal, known):
    answer = draft(person=ANNA, asks_owner=True)
    shop.amo.faults.add("/notes$", "reset", method="POST")
    deliver(answer)
    journal.owners.clear()
    deliver(again(answer, journal, look_first=True))
    assert (journal.owners, len(shop.leads)) == ({}, 1)
