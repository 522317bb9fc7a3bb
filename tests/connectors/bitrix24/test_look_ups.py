"""Looking up many people at a time: no hit clears them all, and a hit is told apart from its neighbours'."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from connectors.bitrix24.contacts import belongs
from connectors.bitrix24.phones import DIGITS, EIGHT, FACT, PhoneMatching, proofs
from connectors.contact import spellings
from connectors.draft import Person, Receipt
from tests.connectors.bitrix24.harness import methods_of

FIND, PEOPLE = "crm.duplicate.findbycomm", "crm.contact.list"


@pytest.fixture
def asked(dentist):
    """How often each method was called since the portal was connected, commands of batches included."""

    def count() -> Counter[str]:
        methods = (method for entry in dentist.box.journal for method in methods_of(entry))
        return Counter(method.rsplit("/", 1)[-1] for method in methods)

    return count


def contact_of(dentist, answer) -> dict[str, object]:
    return next(deal["contact"] for deal in dentist.leads if deal["origin"][1] == answer.uid)


def test_strangers_share_look_ups_and_company_shares_the_contacts(dentist, deliver, draft, asked):
    answers = [draft(company="Ромашка") for _ in range(20)]
    assert all(isinstance(outcome, Receipt) for outcome in deliver(*answers))
    assert asked()[FIND] == 10  # two people's spellings a command
    assert len(dentist.contacts) == 20


def test_known_people_are_told_apart_by_what_was_read(dentist, deliver, draft, asked):
    """Three of twelve are known, in three spellings; nobody is asked for alone, and 50 are read a command."""
    answers = [draft() for _ in range(12)]
    known = {}
    for answer, written in zip(answers[::4], (0, 1, 5), strict=True):
        known[answer.uid] = dentist.add_person(phone=spellings(answer.person.phones[0])[written])
    dentist.box.journal.clear()
    receipts = deliver(*answers)
    assert {one.uid: one.journal["contact"] for one in receipts if "found" in one.journal} == known
    assert len(dentist.contacts) == 12
    assert (asked()[FIND], asked()[PEOPLE]) == (6, 1)


def test_of_phone_and_email_the_phone_counts(dentist, deliver, draft):
    both = draft(person=Person("Анна", ("+79991110001",), ("anna@mail.example",)))
    by_email = dentist.add_person(email="anna@mail.example")
    by_phone = dentist.add_person(phone="+79991110001")
    other = draft(person=Person("Борис", ("+79991110002",), ("ANNA2@mail.example",)))
    receipts = deliver(both, other, draft())
    assert receipts[0].journal["found"] == by_phone != by_email
    assert "found" not in receipts[1].journal


def test_whoever_can_not_be_told_apart_is_asked_for_alone(dentist, deliver, draft, asked):
    """The portal drops an extension; to us the number is part of a text that we don't read."""
    answers = [draft(), draft()]
    phone = answers[0].person.phones[0]
    known = dentist.add_person(phone=f"{phone} доб. {'5' * 30}")
    dentist.box.journal.clear()
    first, second = deliver(*answers)
    assert first.journal.get("found") == known
    assert "found" not in second.journal
    assert asked()[FIND] == 2


def test_a_group_at_the_bound_of_twenty_hits_is_split(dentist, deliver, draft, asked):
    """Twenty companies hide the contact of the second; asked for alone each is found."""
    busy, quiet = draft(), draft(company="Ромашка")
    for _ in range(20):
        dentist.add_person("company", phone=quiet.person.phones[0])
    known = dentist.add_person(phone=busy.person.phones[0])
    also = dentist.add_person(phone=quiet.person.phones[0])
    dentist.box.journal.clear()
    receipts = deliver(busy, quiet)
    assert [one.journal.get("found") for one in receipts] == [known, also]
    assert len(dentist.contacts) == 2


def test_a_look_up_that_is_refused_for_one_value_is_made_for_each_alone(dentist, deliver, draft, monkeypatch):
    answers = [draft() for _ in range(4)]
    real = dentist.box.answer

    def answer(request):
        reply = real(request)
        if not request.path.endswith("/batch") or b"findbycomm" not in request.body:
            return reply
        body = json.loads(reply.body)
        if len(body["result"]["result"]) != 2:  # not the look-ups of two for each
            return reply
        refused = {key: {"error": "", "error_description": "Bad value"} for key in body["result"]["result"]}
        body["result"] |= {"result": [], "result_error": refused}
        return type(reply)(reply.status, reply.headers, json.dumps(body).encode())

    monkeypatch.setattr(dentist.box, "answer", answer)
    assert all(isinstance(outcome, Receipt) for outcome in deliver(*answers))
    assert len(dentist.leads) == len(dentist.contacts) == 4


def test_a_trace_tells_nothing_of_the_others(dentist, deliver, draft):
    answers = [draft() for _ in range(6)]
    for answer in answers[::2]:
        dentist.add_person(phone=answer.person.phones[0], email=f"{answer.uid}@mail.example")
    for answer, receipt in zip(answers, deliver(*answers), strict=True):
        told = json.dumps([[one.request, one.response] for one in receipt.trace], ensure_ascii=False)
        assert answer.person.phones[0][-10:] in told
        for other in answers:
            if other is not answer:
                assert other.person.phones[0][-10:] not in told
                assert f"{other.uid}@" not in told


def test_one_spelling_for_each_row_of_digits_once_the_portal_compares_digits(deliver, draft, asked):
    """The portal is asked for contacts just made, by other spellings, a few times a process."""
    deliver(*(draft() for _ in range(30)))
    assert asked()[FIND] == 15 + 2
    deliver(*(draft() for _ in range(30)))
    assert asked()[FIND] == 15 + 2 + 5 + 1  # six people a command; does it take 8 for 7?


def test_a_portal_that_compares_texts_is_sent_all_spellings(deliver, draft, asked, monkeypatch):
    monkeypatch.setattr("connectors.sandbox.bitrix24.duplicates.normal", lambda kind, value, _: value)
    for _ in range(2):
        deliver(*(draft() for _ in range(30)))
    assert asked()[FIND] == 2 * (15 + 2)


@pytest.mark.parametrize(
    "written", ["+79991110001", "8 (999) 111-00-01", "8-999-111-00-01", "+44 20 7946 0018"]
)
@pytest.mark.parametrize("eight", [False, True])
def test_a_portal_with_contacts_shows_at_once_how_it_compares_phones(
    dentist, deliver, draft, asked, written, eight
):
    """At once, and with each reading of its lists; nobody has to be made first."""
    dentist.box.switches["phone_eight_is_seven"] = eight
    dentist.add_person(phone=written)
    dentist.prepare()
    russian = written.startswith(("+7", "8"))
    assert dentist.facts[FACT] == ([DIGITS, EIGHT] if eight and russian else [DIGITS])
    deliver(*(draft() for _ in range(20)))
    assert asked()[FIND] == (2 if eight and russian else 4)  # ten or six people a command
    assert len(dentist.contacts) == 21


def test_whom_it_knew_is_found_whatever_was_learned(dentist, deliver, draft):
    dentist.box.switches["phone_eight_is_seven"] = True
    answers = [draft() for _ in range(6)]
    known = [
        dentist.add_person(phone=spellings(answer.person.phones[0])[number])
        for number, answer in enumerate(answers)
    ]
    dentist.prepare()
    assert dentist.facts[FACT] == [DIGITS, EIGHT]
    assert [one.journal.get("found") for one in deliver(*answers)] == known


def test_a_portal_that_compares_texts_shows_it_too(dentist, deliver, draft, asked, monkeypatch):
    dentist.add_person(phone="+79991110001")
    monkeypatch.setattr("connectors.sandbox.bitrix24.duplicates.normal", lambda kind, value, _: value)
    dentist.prepare()
    assert dentist.facts[FACT] == []
    deliver(*(draft() for _ in range(30)))
    assert asked()[FIND] == 15  # and no proof


def test_contacts_that_prove_nothing_leave_it_to_deliveries(dentist, deliver, draft, asked):
    """Two phones: a spelling may be that of the other one. No phone that we can read: nothing to ask."""
    two = [{"VALUE": "+79991110001"}, {"VALUE": "8 999 111-00-01"}]
    dentist.add_person(PHONE=two)
    dentist.add_person(phone="+79991110001 доб. 12")
    dentist.add_person(phone="спросить Анну")
    dentist.prepare()
    assert FACT not in dentist.facts
    deliver(*(draft() for _ in range(30)))
    assert asked()[FIND] == 15 + 2


def test_what_a_portal_teaches_is_learned_from_its_answer_alone():
    matching = PhoneMatching()
    person = Person("", ("+79991112233",))
    assert matching.values(person) == list(spellings("+79991112233"))
    for _ in range(3):
        assert set(matching.proofs("+79991112233")) == {DIGITS, EIGHT}
    assert not matching.proofs("+79991112233")


@pytest.mark.parametrize(
    ("known", "values"),
    [
        ([], list(spellings("+79991112233"))),
        ([EIGHT], list(spellings("+79991112233"))),  # punctuation may count: too little is known
        ([DIGITS], ["+79991112233", "8 (999) 111-22-33", "9991112233"]),
        ([DIGITS, EIGHT], ["+79991112233", "9991112233"]),
    ],
)
def test_a_phone_is_asked_for_in_each_spelling_that_the_portal_may_tell_apart(known, values):
    assert PhoneMatching(known).values(Person("", ("+79991112233",))) == values


@pytest.mark.parametrize(
    ("stored", "shows"),
    [
        ("+79991112233", {DIGITS, EIGHT}),
        ("79991112233", {DIGITS, EIGHT}),
        ("8 999 1112233", {DIGITS, EIGHT}),
        ("9991112233", set()),  # no other spelling has these digits
        ("+44 20 7946 0018", {DIGITS}),
        ("+79991112233 доб. 5", set()),
        ("+79991112233, +79991112244", set()),
        ("нет", set()),
        ("", set()),
    ],
)
def test_what_a_phone_can_show(stored, shows):
    """Another spelling than the stored one, whose digits are the same, or differ by 8 and 7 alone."""
    found = proofs(stored)
    assert set(found) == shows
    assert all(stored not in command.params["values"] for command in found.values())


@pytest.mark.parametrize(
    ("kind", "texts", "verdict"),
    [
        ("PHONE", ["8 999 111-22-33"], True),
        ("PHONE", ["+7 999 111 22 34"], False),
        ("PHONE", ["+7 999 111 22 34", "+79991112233"], True),
        ("PHONE", [f"+79991112233 доб. {'1' * 30}"], None),
        ("PHONE", [], None),
        ("EMAIL", ["Anna@Mail.example "], True),
        ("EMAIL", ["hanna@mail.example"], None),  # ours is a part of it
        ("EMAIL", ["boris@mail.example"], False),
    ],
)
def test_whose_a_record_is(kind, texts, verdict):
    person = Person("Анна", ("+79991112233",), ("anna@mail.example",))
    row = {"ID": "1", kind: [{"VALUE": text} for text in texts]}
    assert belongs(row, kind, person) is verdict
