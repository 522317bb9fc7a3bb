"""A contact or company that the dentist had before is written as the rule says; what was there is noted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.draft import FILL, OVERWRITE, Person, Receipt, WriteMode
from connectors.existing import read_written
from tests.connectors.cast import again

PHONE, OTHER = "+79991112233", "+79991112244"
ANNA = Person("Аня", (PHONE,))


@pytest.fixture
def anna(dentist):
    made = dentist.add_person(phone=PHONE)
    dentist.box.journal.clear()
    return made


def card(dentist, remote_id: str, label: str = "Город", word: str = "contact") -> object:
    record = dentist.portal.tables[word][int(remote_id)]
    return record.get(dentist.target(label, f"CRM_{word.upper()}").code)


def put(dentist, remote_id: str, text: str, word: str = "contact") -> None:
    code = dentist.target("Город", f"CRM_{word.upper()}").code
    dentist.portal.tables[word][int(remote_id)].props[code] = text


def reach(dentist, remote_id: str, kind: str = "PHONE") -> list[str]:
    return list(dentist.portal.tables["contact"][int(remote_id)].communications(kind))


def answer_of(dentist, draft, mode: WriteMode, person: Person = ANNA, text: str = "Казань", **changes):
    return draft(
        person=person,
        values=(dentist.value("Город", text, "CRM_CONTACT"),),
        existing={"contact": mode},
        **changes,
    )


def test_what_is_empty_is_filled(dentist, deliver, draft, anna):
    (receipt,) = deliver(answer_of(dentist, draft, WriteMode(FILL)))
    assert card(dentist, anna) == "Казань"
    assert receipt.losses == ()
    [written] = read_written(receipt.journal)
    assert (written.name, written.before, written.now, written.record) == ("Город", (), ("Казань",), anna)
    assert dentist.leads[0]["contact"]["id"] == int(anna)


def test_another_value_is_left_and_told(dentist, deliver, draft, anna):
    put(dentist, anna, "Тула")
    (receipt,) = deliver(answer_of(dentist, draft, WriteMode(FILL)))
    assert card(dentist, anna) == "Тула"
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert "Казань" in dentist.leads[0]["notes"][0]
    assert "crm.contact.update" not in str(dentist.methods())


def test_a_named_field_is_overwritten_and_its_former_value_is_kept(dentist, deliver, draft, anna):
    put(dentist, anna, "Тула")
    field = dentist.target("Город", "CRM_CONTACT").remote_id
    (receipt,) = deliver(answer_of(dentist, draft, WriteMode(fields={field: OVERWRITE})))
    assert card(dentist, anna) == "Казань"
    [written] = read_written(receipt.journal)
    assert (written.before, written.now) == (("Тула",), ("Казань",))
    assert receipt.losses == ()


def test_phones_and_messengers_are_added(dentist, deliver, draft, anna):
    person = Person("Аня", (PHONE, OTHER), ("anna@mail.example",), {"telegram": "@anna"})
    (receipt,) = deliver(answer_of(dentist, draft, WriteMode(append=True), person))
    assert reach(dentist, anna) == [PHONE, OTHER]
    assert (reach(dentist, anna, "EMAIL"), reach(dentist, anna, "IM")) == (["anna@mail.example"], ["@anna"])
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert {one.field: (one.before, one.now) for one in read_written(receipt.journal)} == {
        "PHONE": ((PHONE,), (OTHER,)),
        "EMAIL": ((), ("anna@mail.example",)),
        "IM": ((), ("@anna",)),
    }


def test_a_known_company_is_written_too(dentist, deliver, draft):
    daisy = dentist.add_person("company", phone=PHONE)
    values = (dentist.value("Город", "Казань", "CRM_COMPANY"),)
    existing = {"company": WriteMode(FILL, fields={WriteMode.NAME: OVERWRITE})}
    (receipt,) = deliver(draft(person=ANNA, company="Лютик", values=values, existing=existing))
    assert card(dentist, daisy, word="company") == "Казань"
    assert dentist.portal.tables["company"][int(daisy)].get("TITLE") == "Лютик"
    assert {(one.word, one.name) for one in read_written(receipt.journal)} == {
        ("company", "name"),
        ("company", "Город"),
    }


@pytest.mark.parametrize("lost", ["reset", "reset_after"])
def test_a_try_that_was_cut_off_is_repeated_without_harm(dentist, deliver, draft, journal, anna, lost):
    put(dentist, anna, "Тула")
    answer = answer_of(dentist, draft, WriteMode(OVERWRITE, append=True), Person("Аня", (PHONE, OTHER)))
    dentist.box.faults.add(r"/crm\.contact\.update", lost)
    (first,) = deliver(answer)
    assert not isinstance(first, Receipt)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt), receipt
    assert (reach(dentist, anna), card(dentist, anna)) == ([PHONE, OTHER], "Казань")
    told = {one.name: (one.before, one.now) for one in read_written(receipt.journal)}
    assert (told["Город"], told["PHONE"]) == ((("Тула",), ("Казань",)), ((PHONE,), (OTHER,)))
    assert (receipt.losses, len(dentist.leads)) == ((), 1)


def test_what_people_changed_since_is_left_alone_on_a_later_try(dentist, deliver, draft, journal, anna):
    answer = answer_of(dentist, draft, WriteMode(OVERWRITE))
    dentist.box.faults.add(r"/crm\.contact\.update", "reset_after")
    deliver(answer)
    put(dentist, anna, "Орёл")
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert card(dentist, anna) == "Орёл"
    assert [loss.value for loss in receipt.losses] == ["Казань"]


def test_a_later_body_changes_what_the_earlier_one_wrote(dentist, deliver, draft, journal, anna):
    first = answer_of(dentist, draft, WriteMode(FILL))
    deliver(first)
    value = dentist.value("Город", "Тула", "CRM_CONTACT")
    later = replace(again(first, journal), values=(value,), formers=(first,), revision=2)
    (receipt,) = deliver(later)
    assert isinstance(receipt, Receipt), receipt
    assert card(dentist, anna) == "Тула"
    assert [(one.before, one.now) for one in read_written(receipt.journal)] == [((), ("Тула",))]


def test_a_comparison_tells_what_would_be_written_and_writes_nothing(dentist, deliver, draft, journal, anna):
    put(dentist, anna, "Тула")
    first = replace(answer_of(dentist, draft, WriteMode()), existing={})
    deliver(first)
    mode = WriteMode(OVERWRITE, append=True)
    later = replace(again(first, journal), person=Person("Аня", (PHONE, OTHER)), existing={"contact": mode})
    later = replace(later, formers=(first,), revision=2, replay=1)
    (compared,) = dentist.connector.compare([later])
    assert {(one.what, one.before, one.after, one.kept) for one in compared.changes} == {
        ("name", "Анна", "Аня", False),
        ("phone", PHONE, OTHER, False),
        ("Город?", "Тула", "Казань", False),
    }
    assert (reach(dentist, anna), card(dentist, anna)) == ([PHONE], "Тула")
    (receipt,) = deliver(later)
    assert isinstance(receipt, Receipt), receipt
    assert (reach(dentist, anna), card(dentist, anna)) == ([PHONE, OTHER], "Казань")


def test_a_contact_that_the_portal_will_not_change_costs_no_lead(dentist, deliver, draft, anna):
    body = json.dumps({"error": "ERROR_CORE", "error_description": "Нельзя"})
    dentist.box.faults.add(
        r"/crm\.contact\.update", status=400, body=body, content_type="application/json", times=None
    )
    (receipt,) = deliver(answer_of(dentist, draft, WriteMode(FILL)))
    assert isinstance(receipt, Receipt), receipt
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert read_written(receipt.journal) == ()


def test_a_rule_without_a_word_of_it_asks_for_nothing_more(dentist, deliver, draft, anna):
    deliver(draft(person=ANNA))
    assert not {"crm.contact.update", "crm.contact.get"} & set(dentist.methods())
    assert str(dentist.methods()).count("crm.contact.list") == 1


# -- who looks after the contact -----------------------------------------------------------------------------


def test_the_contacts_own_responsible_takes_the_lead(dentist, deliver, draft, journal, anna):
    someone = next(str(number) for number in dentist.portal.users if number > 1)
    dentist.portal.tables["contact"][int(anna)].props["ASSIGNED_BY_ID"] = int(someone)
    answer, stranger = draft(person=ANNA, asks_owner=True), draft(asks_owner=True)
    (receipt, _) = deliver(answer, stranger)
    assert journal.owners == {answer.uid: someone, stranger.uid: ""}
    assert str(dentist.leads[0]["responsible_id"]) == someone
    assert receipt.placed
    assert receipt.placed.performer == someone


def test_nobody_is_asked_for_a_deal_that_is_there(dentist, deliver, draft, journal, anna):
    answer = draft(person=ANNA, asks_owner=True)
    dentist.box.faults.add(r"/crm\.deal\.add", "reset_after")
    deliver(answer)
    journal.owners.clear()
    deliver(again(answer, journal, look_first=True))
    assert (journal.owners, len(dentist.leads)) == ({}, 1)
