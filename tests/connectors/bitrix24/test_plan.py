"""The preview: the requests of a first try, with their bodies, and nothing sent."""

from __future__ import annotations

from connectors.contact import spellings
from connectors.draft import Person, Placement


def test_a_new_person_takes_three_requests(dentist, draft):
    answer = draft(values=(dentist.value("Площадь", "54"),))
    plan = dentist.connector.plan(answer)
    assert dentist.methods() == []
    find, contact, deal = plan.requests
    base = "https://demo7.bitrix24.ru/rest"
    assert [find.url, contact.url, deal.url] == [
        f"{base}/crm.duplicate.findbycomm",
        f"{base}/crm.contact.add",
        f"{base}/crm.deal.add",
    ]
    assert find.body["values"] == list(spellings(answer.person.phones[0]))
    assert contact.body["fields"]["PHONE"] == [{"VALUE": answer.person.phones[0], "VALUE_TYPE": "WORK"}]
    fields = deal.body["fields"]
    assert fields[dentist.target("Площадь").code] == "54"
    assert fields["CONTACT_IDS"] == ["<id of the new contact>"]
    assert all(request.why for request in plan.requests)


def test_two_look_ups_share_a_batch(dentist, draft):
    answer = draft(person=Person("Анна", ("+79990001122",), ("anna@mail.example",)))
    first = dentist.connector.plan(answer).requests[0]
    assert first.url.endswith("/rest/batch")
    assert [text.partition("?")[0] for text in first.body["cmd"].values()] == ["crm.duplicate.findbycomm"] * 2


def test_a_remembered_person_is_read_and_linked(dentist, draft):
    read, deal = dentist.connector.plan(draft(known_contact="77")).requests
    assert read.url.endswith("/crm.contact.list")
    assert deal.body["fields"]["CONTACT_IDS"] == ["77"]


def test_earlier_tries_are_no_part_of_a_plan(dentist, draft):
    plan = dentist.connector.plan(draft(journal={"lead": "5", "contact": "6"}, look_first=True))
    assert len(plan.requests) == 3


def test_what_would_be_lost_is_told(dentist, draft):
    plan = dentist.connector.plan(draft(values=(dentist.value("Площадь", "большая"),)))
    assert [loss.value for loss in plan.losses] == ["большая"]
    assert "большая" in plan.requests[-1].body["fields"]["COMMENTS"]


def test_a_wrong_step_is_a_problem_and_no_request(dentist, draft):
    plan = dentist.connector.plan(draft(placement=Placement(pipeline="0", step="C3:NEW")))
    assert [problem.code for problem in plan.problems] == ["step_gone"]
    assert plan.requests == ()
