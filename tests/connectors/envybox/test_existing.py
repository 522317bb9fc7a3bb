"""A client that the florist had before is written as the rule says; not so one that came with the lead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.draft import FILL, OVERWRITE, Person, Receipt, WriteMode
from connectors.existing import read_written
from tests.connectors.cast import again
from tests.connectors.envybox.harness import NO

PHONE, OTHER = "+79991112233", "+79991112244"
ANNA = Person("Анна", (PHONE,))


def answer_of(florist, draft, mode: WriteMode | None, city: str, person: Person = ANNA):
    existing = {} if mode is None else {"contact": mode}
    values = (florist.value("Город", city, "client"),)
    return draft(person=person, placement=florist.place(), values=values, existing=existing)


def city_of(florist) -> str:
    [client] = florist.crm.clients.values()
    return client.custom[florist.crm.input("Город", 2).id]


@pytest.fixture
def known(florist, deliver, draft, envy):
    """A client with a city, made an hour ago."""
    receipt = deliver(answer_of(florist, draft, None, "Тула"))
    for client in florist.crm.clients.values():
        client.created_at -= 3600
    return receipt.journal["contact"]


def test_a_client_that_came_with_the_lead_is_filled(florist, deliver, draft):
    receipt = deliver(answer_of(florist, draft, WriteMode(), "Тула"))
    assert (city_of(florist), receipt.losses, read_written(receipt.journal)) == ("Тула", (), ())


def test_what_has_a_value_is_left_and_told(florist, deliver, draft, known):
    receipt = deliver(answer_of(florist, draft, WriteMode(FILL), "Казань"))
    assert receipt.journal["contact"] == known
    assert city_of(florist) == "Тула"
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    assert any("Казань" in note for note in florist.leads[-1]["notes"])


def test_a_named_field_is_overwritten_and_its_former_value_is_kept(florist, deliver, draft, known):
    field = str(florist.crm.input("Город", 2).id)
    receipt = deliver(answer_of(florist, draft, WriteMode(fields={field: OVERWRITE}), "Казань"))
    assert (city_of(florist), receipt.losses) == ("Казань", ())
    [written] = read_written(receipt.journal)
    assert (written.name, written.before, written.now) == ("Город", ("Тула",), ("Казань",))


@pytest.mark.parametrize("lost", ["reset", "reset_after"])
def test_a_phone_is_added_once_whatever_becomes_of_the_reply(florist, envy, draft, journal, known, lost):
    person = Person("Анна", (PHONE, OTHER))
    answer = answer_of(florist, draft, WriteMode(FILL, append=True), "Тула", person)
    envy.faults.add("client/addContact", lost)
    (first,) = florist.connector.deliver([answer], journal)
    assert not isinstance(first, Receipt)
    (receipt,) = florist.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert isinstance(receipt, Receipt), receipt
    phones = [phone for contact in florist.crm.clients[int(known)].contacts for phone in contact.phones]
    assert sorted(phones) == sorted(set(phones))
    assert any(phone.endswith(OTHER[-10:]) for phone in phones)
    [written] = read_written(receipt.journal)
    assert (written.field, written.now) == ("PHONE", (OTHER,))


def next_body(florist, journal, first, city, **changes):
    later = replace(again(first, journal), values=(florist.value("Город", city, "client"),), **changes)
    return replace(later, formers=(first,), revision=2)


def test_a_later_body_leaves_the_client_as_the_rule_says(florist, deliver, draft, journal, known):
    """What stands there is what the first body says too, but it was there before."""
    first = answer_of(florist, draft, WriteMode(FILL), "Тула")
    deliver(first)
    receipt = deliver(next_body(florist, journal, first, "Казань", person=Person("Анна", (PHONE, OTHER))))
    assert city_of(florist) == "Тула"
    assert [loss.value for loss in receipt.losses] == ["Казань"]
    [client] = florist.crm.clients.values()
    assert OTHER[-10:] not in str(client.contacts)


def test_a_later_body_changes_what_the_earlier_one_wrote(florist, deliver, draft, journal, known):
    first = answer_of(
        florist, draft, WriteMode(fields={str(florist.crm.input("Город", 2).id): OVERWRITE}), "Казань"
    )
    deliver(first)
    receipt = deliver(next_body(florist, journal, first, "Орёл"))
    assert (city_of(florist), receipt.losses) == ("Орёл", ())
    [written] = read_written(receipt.journal)
    assert (written.before, written.now) == (("Тула",), ("Орёл",))


def test_a_client_that_may_not_be_read_costs_no_later_body(florist, envy, deliver, draft, journal):
    first = answer_of(florist, draft, None, "Тула")
    deliver(first)
    envy.faults.add("client/get/", body=NO, times=None)
    receipt = deliver(next_body(florist, journal, first, "Казань"))
    assert isinstance(receipt, Receipt), receipt
    assert [loss.value for loss in receipt.losses] == ["Казань"]


def test_a_comparison_tells_what_would_be_written_and_writes_nothing(florist, deliver, draft, journal, known):
    first = answer_of(florist, draft, None, "Тула")
    deliver(first)
    changes = {"existing": {"contact": WriteMode(FILL, append=True)}, "replay": 1}
    later = next_body(florist, journal, first, "Казань", person=Person("Анна", (PHONE, OTHER)), **changes)
    (compared,) = florist.connector.compare([later])
    told = {(one.what, one.before, one.after, one.kept) for one in compared.changes}
    assert told == {("Город?", "Тула", "Казань", True), ("phone", PHONE[1:], OTHER, False)}
    [client] = florist.crm.clients.values()
    assert OTHER[-10:] not in str(client.contacts)
    assert isinstance(deliver(later), Receipt)
    assert (city_of(florist), OTHER[-10:] in str(client.contacts)) == ("Тула", True)
