"""What is special about open leads in amoCRM: many persons at once, filters, tags, incoming leads, rights."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Person, Placement, Receipt, Repeated, Tag, Task
from connectors.repeated import JOINED

NOTE = Repeated("note", datetime.now(UTC) - timedelta(days=30))
FORBIDDEN = '{"title": "Forbidden", "status": 403, "detail": "Forbidden"}'


def people(shop, deliver, draft, count):
    """So many persons with an open lead each."""
    made = [draft(placement=Placement("", *shop.step())) for _ in range(count)]
    receipts = deliver(*made)
    return [(one.person, receipt.journal["lead"]) for one, receipt in zip(made, receipts, strict=True)]


@pytest.mark.parametrize("filters", [True, False], ids=["filters", "no filters"])
def test_a_whole_batch_finds_its_leads(shop, amo, draft, deliver, filters):
    """Whether the account has paid for filters or not; with them the look is two requests for all."""
    shop.account.is_api_filter_enabled = filters
    known = people(shop, deliver, draft, 5)
    strangers = [draft(repeated=NOTE) for _ in range(2)]
    amo.journal.clear()
    again = [draft(person=person, repeated=NOTE) for person, _ in known]
    receipts = deliver(*again, *strangers)
    assert [receipt.journal.get(JOINED) for receipt in receipts] == [*(lead for _, lead in known), None, None]
    assert len(shop.leads) == 7
    looks = [entry for entry in amo.journal if "/leads" in entry.path and entry.method == "GET"]
    if filters:
        assert len(amo.journal.find("GET", "/api/v4/contacts$")) == 7 + 1  # a search each, one list
        assert len([entry for entry in looks if entry.path.endswith("/leads")]) <= 2


def test_tags_are_added_to_those_that_are_there(shop, deliver, draft):
    person = Person("Анна", ("+79990001122",))
    deliver(draft(person=person, tags=(Tag("leads", "старый"),)))
    deliver(draft(person=person, tags=(Tag("leads", "квиз"),), repeated=NOTE))
    [lead] = shop.leads
    assert lead["tags"] == ["старый", "квиз"]
    assert "квиз" not in lead["notes"][-1]


def test_an_incoming_lead_stays_incoming(shop, deliver, draft):
    """It is open; a change would take it out of incoming, so its tags are in the note."""
    pipeline, incoming = shop.step(step="Неразобранное")
    person = Person("Анна", ("+79990001123",))
    deliver(draft(person=person, placement=Placement("", pipeline, incoming, "incoming")))
    assert shop.leads[0]["incoming"]
    lead = str(shop.leads[0]["id"])
    repeated = replace(NOTE, incoming=frozenset({incoming}), ours={lead: "x"})
    (receipt,) = deliver(draft(person=person, tags=(Tag("leads", "квиз"),), repeated=repeated))
    [lead] = shop.leads
    assert (receipt.journal[JOINED], bool(lead["incoming"])) == (str(lead["id"]), True)
    assert "квиз" in lead["notes"][-1]


def test_the_task_is_for_whoever_looks_after_the_open_lead(shop, deliver, draft):
    person, igor = Person("Анна", ("+79990001124",)), shop.user("Игорь")
    deliver(draft(person=person, placement=Placement(igor, *shop.step())))
    task = Task("Перезвонить", datetime.now(UTC) + timedelta(hours=1))
    deliver(draft(person=person, task=task, repeated=replace(NOTE, task=True)))
    deliver(draft(person=person, task=task, repeated=NOTE))
    [lead] = shop.leads
    assert [(one["text"].splitlines()[0], one["responsible"]) for one in lead["tasks"]] == [
        ("Перезвонить", lead["responsible"])
    ]


def test_leads_that_may_not_be_seen_give_way_to_new_ones(shop, amo, deliver, draft):
    person = Person("Анна", ("+79990001125",))
    deliver(draft(person=person))
    amo.faults.add(
        r"/contacts/\d+$", status=403, body=FORBIDDEN, content_type="application/problem+json", times=None
    )
    (receipt,) = deliver(draft(person=person, repeated=NOTE))
    assert isinstance(receipt, Receipt), receipt
    assert [problem.code for problem in receipt.problems] == ["open_leads_unseen"]
    assert len(shop.leads) == 2


def test_a_lost_lead_of_its_own_is_not_joined_but_taken(shop, amo, deliver, draft, journal):
    """It was made, its reply is lost, and a look by its mark does not see it."""
    answer = draft(person=Person("Анна", ("+79990001126",)), repeated=NOTE)
    amo.faults.add("/leads/complex", "reset_after")
    deliver(answer)
    (receipt,) = deliver(replace(answer, journal=journal.of(answer.uid)))  # as if it had been clear
    assert (receipt.adopted, JOINED in receipt.journal, len(shop.leads)) == (True, False, 1)


def test_the_newest_open_lead_is_joined(shop, amo, deliver, draft):
    person = Person("Анна", ("+79990001127",))
    leads = [deliver(draft(person=person))[0].journal["lead"] for _ in range(3)]
    amo.control("move_lead", {"lead_id": int(leads[2]), "step_id": 143})
    (receipt,) = deliver(draft(person=person, repeated=NOTE))
    assert receipt.journal[JOINED] == leads[1]


def test_a_lost_note_is_found_behind_hundreds(shop, amo, deliver, draft, journal):
    """An open lead may have more notes than a page takes, and ours is the newest."""
    person = Person("Анна", ("+79990001128",))
    (receipt,) = deliver(draft(person=person))
    calls = [{"note_type": "common", "params": {"text": f"Звонок {number}"}} for number in range(250)]
    shop.connector.http_client().call("POST", f"/api/v4/leads/{receipt.journal['lead']}/notes", json=calls)
    answer = draft(person=person, repeated=NOTE)
    amo.faults.add("/leads/notes$", "reset_after", method="POST")
    deliver(answer)
    (again,) = deliver(replace(answer, journal=journal.of(answer.uid), look_first=True))
    [lead] = shop.leads
    assert (again.journal[JOINED], len(lead["notes"])) == (receipt.journal["lead"], 252)
