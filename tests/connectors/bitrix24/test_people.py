"""Whoever the dentist knew before is found, once and the same each time."""

from __future__ import annotations

from dataclasses import replace

from connectors.bitrix24.client import Command
from connectors.draft import Person
from tests.connectors.cast import again

PHONE = "+79991112233"
ANNA = Person("Анна", (PHONE,), ("anna@mail.example",))


def test_a_known_phone_is_the_known_person(dentist, deliver, draft):
    anna = dentist.add_person(phone="8 999 111-22-33".replace("8", "+7", 1))
    (receipt,) = deliver(draft(person=ANNA))
    assert (receipt.journal["contact"], receipt.journal["found"]) == (anna, anna)
    assert dentist.leads[0]["contact"]["id"] == int(anna)
    assert len(dentist.contacts) == 1


def test_a_known_persons_messenger_is_told(dentist, deliver, draft):
    dentist.add_person(phone=PHONE)
    (receipt,) = deliver(draft(person=replace(ANNA, messengers={"telegram": "@anna"})))
    assert [(loss.question, loss.value) for loss in receipt.losses] == [("im", "@anna")]
    assert "- Мессенджер: @anna" in dentist.leads[0]["notes"][0]


def test_an_email_counts_where_no_phone_does(dentist, deliver, draft):
    anna = dentist.add_person(email="ANNA@mail.example")
    (receipt,) = deliver(draft(person=ANNA))
    assert receipt.journal["contact"] == anna


def test_of_several_the_first_is_taken(dentist, deliver, draft):
    first, _ = dentist.add_person(phone=PHONE), dentist.add_person(phone=PHONE)
    (receipt,) = deliver(draft(person=ANNA))
    assert receipt.journal["contact"] == first


def test_a_person_of_whom_a_lead_is_kept_is_still_new(dentist, deliver, draft):
    dentist.add_person("lead", phone=PHONE)
    (receipt,) = deliver(draft(person=ANNA))
    assert "found" not in receipt.journal


def test_twenty_leads_and_companies_do_not_hide_the_contact(dentist, deliver, draft):
    for _ in range(21):
        dentist.add_person("lead", phone=PHONE)
        dentist.add_person("company", phone=PHONE)
    anna = dentist.add_person(phone=PHONE)
    (receipt,) = deliver(draft(person=ANNA))
    assert receipt.journal["contact"] == anna


def test_a_list_that_returns_everybody_links_nobody_else(dentist, deliver, draft, monkeypatch):
    dentist.add_person(phone="+70000000001")
    anna = dentist.add_person(phone=PHONE)
    monkeypatch.setattr(
        "connectors.bitrix24.contacts.read", lambda word, ids, reach=False: Command(f"crm.{word}.list")
    )
    (receipt,) = deliver(draft(person=ANNA))
    assert receipt.journal["contact"] == anna


def test_a_known_company_is_not_made_again(dentist, deliver, draft):
    daisy = dentist.add_person("company", phone=PHONE)
    (receipt,) = deliver(draft(person=ANNA, company="Ромашка"))
    assert (receipt.journal["company"], receipt.journal["found_company"]) == (daisy, daisy)
    assert len(dentist.portal.tables["company"]) == 1


def test_a_remembered_contact_is_read_before_it_is_linked(dentist, deliver, draft):
    anna = dentist.add_person(phone="+70000000000")
    dentist.box.journal.clear()
    (receipt,) = deliver(draft(person=ANNA, known_contact=anna))
    assert receipt.journal["contact"] == anna
    assert dentist.methods() == ["crm.contact.list", "crm.deal.add"]


def test_a_remembered_contact_that_was_deleted_is_looked_for_again(dentist, deliver, draft):
    dead = dentist.add_person(phone=PHONE)
    dentist.forget("contact", dead)
    anna = dentist.add_person(phone=PHONE)
    (receipt,) = deliver(draft(person=ANNA, known_contact=dead))
    assert receipt.journal["contact"] == anna


def test_a_remembered_contact_that_is_gone_for_good_is_made_anew(dentist, deliver, draft):
    dead = dentist.add_person(phone=PHONE)
    dentist.forget("contact", dead)
    (receipt,) = deliver(draft(person=ANNA, known_contact=dead))
    assert receipt.journal["contact"] not in ("", dead)
    assert dentist.leads[0]["contact"]["id"] == int(receipt.journal["contact"])


def test_our_own_contact_that_was_deleted_between_two_tries_is_made_anew(dentist, deliver, draft, journal):
    answer = draft(person=ANNA)
    dentist.box.faults.add(r"/crm\.deal\.add", status=503)
    deliver(answer)
    dead = journal.of(answer.uid)["contact"]
    dentist.forget("contact", dead)
    (receipt,) = deliver(again(answer, journal))
    assert receipt.journal["contact"] != dead
    assert receipt.losses == ()
    assert len(dentist.leads) == len(dentist.contacts) == 1


def test_a_found_contact_stays_as_it_is_and_its_answers_are_told(dentist, deliver, draft):
    dentist.add_person(phone=PHONE)
    value = dentist.value("Город", "Казань", "CRM_CONTACT")
    (receipt,) = deliver(draft(person=ANNA, values=(value,)))
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert "Казань" in dentist.leads[0]["notes"][0]
    assert dentist.contacts[0].get(value.target.code) in (None, "")


def test_our_own_contact_takes_its_answers(dentist, deliver, draft):
    value = dentist.value("Город", "Казань", "CRM_CONTACT")
    (receipt,) = deliver(draft(person=ANNA, values=(value,)))
    assert dentist.contacts[0].get(value.target.code) == "Казань"
    assert receipt.losses == ()
