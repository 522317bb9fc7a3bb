"""What is special about open records in Bitrix24: leads without contacts, kinds, shared requests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.draft import Person, Placement, Repeated
from connectors.repeated import JOINED

NOTE = Repeated("note", datetime.now(UTC) - timedelta(days=30))
LEADS = Placement(choices={"LeadFlag": True})
ANNA = Person("Анна", ("+79990001122",), ("anna@example.ru",))


@pytest.fixture
def deliver(dentist, journal):
    return lambda *drafts: dentist.connector.deliver(drafts, journal)


def test_leads_join_leads_and_deals_join_deals(dentist, draft, deliver):
    (lead,) = deliver(draft(person=ANNA, placement=LEADS))
    (deal,) = deliver(draft(person=ANNA, repeated=NOTE))
    assert JOINED not in deal.journal  # a lead is no deal
    (to_lead,) = deliver(draft(person=ANNA, placement=LEADS, repeated=NOTE))
    (to_deal,) = deliver(draft(person=ANNA, repeated=NOTE))
    assert (to_lead.journal[JOINED], to_lead.journal["kind"]) == (lead.journal["lead"], "lead")
    assert (to_deal.journal[JOINED], to_deal.journal["kind"]) == (deal.journal["lead"], "deal")
    assert len(dentist.leads) == 2


def test_a_lead_without_a_contact_is_found_by_its_phone(dentist, draft, deliver):
    fields = {"TITLE": "Звонок", "PHONE": [{"VALUE": "+79990001122"}]}
    made = dentist.connector.http_client().call("POST", "/crm.lead.add", json={"fields": fields})["result"]
    (receipt,) = deliver(draft(person=ANNA, placement=LEADS, repeated=NOTE))
    assert receipt.journal[JOINED] == str(made)


def test_a_number_is_not_enough_to_know_our_own_by(dentist, draft, deliver):
    """A lead of ours and somebody's deal may have the same id."""
    other = Person("Пётр", ("+79990009999",))
    (deal,) = deliver(draft(person=other))
    ours = {deal.journal["lead"]: "qz-of-a-lead-with-this-id"}
    (receipt,) = deliver(draft(person=ANNA, repeated=replace(NOTE, ours=ours)))
    assert JOINED not in receipt.journal


def test_nobody_is_no_contact_to_know_a_deal_by(dentist, draft, deliver):
    """Neither the deal nor the answer has one, and the portal says null for that."""
    row = {"ID": "77", "CONTACT_ID": None, "CATEGORY_ID": "0", "STAGE_SEMANTIC_ID": "P"}
    body = json.dumps({"result": [row], "total": 1})
    dentist.box.faults.add("/crm.deal.list", status=200, body=body, content_type="application/json")
    ours = {"77": "qz-of-a-lead-with-this-id"}
    (receipt,) = deliver(draft(person=Person(), repeated=replace(NOTE, ours=ours)))
    assert (receipt.losses, len(dentist.leads)) == ((), 1)  # no other deal was taken and left


def test_a_deal_of_another_pipeline_is_not_joined(dentist, draft, deliver):
    line = next(one for one in dentist.portal.categories[2].values() if one.id)
    deliver(draft(person=ANNA, placement=Placement(pipeline=str(line.id))))
    (first,) = deliver(draft(person=ANNA, repeated=replace(NOTE, pipeline="0")))
    (second,) = deliver(draft(person=ANNA, repeated=replace(NOTE, pipeline=str(line.id))))
    assert (JOINED in first.journal, JOINED in second.journal) == (False, True)


def test_a_batch_looks_in_the_requests_that_it_has(dentist, bitrix, draft, deliver):
    """One more list for each, in the same requests; where no rule wants it, none."""
    people = [Person(f"Анна {n}", (f"+7999000{n:04d}",)) for n in range(20)]
    deliver(*(draft(person=one) for one in people))
    bitrix.journal.clear()
    deliver(*(draft(person=one) for one in people))
    plain = len(bitrix.journal)
    bitrix.journal.clear()
    receipts = deliver(*(draft(person=one, repeated=NOTE) for one in people))
    assert all(JOINED in receipt.journal for receipt in receipts)
    assert len(bitrix.journal) <= plain + 2
