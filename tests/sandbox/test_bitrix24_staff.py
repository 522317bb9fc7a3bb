"""Reference 4.7, 6: what employees do with leads and deals, and which of it is posted."""

from __future__ import annotations

import pytest

EVENTS = ("ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMLEADUPDATE", "ONCRMLEADDELETE")


@pytest.fixture
def posted(b24, bx, listener):
    """The events that were posted by now, with the ids that they are about."""
    for event in EVENTS:
        bx.ok("event.bind", event=event, handler="https://quiz.example/events")

    def pumped():
        b24.pump()
        return [(form["event"], form["data[FIELDS][ID]"]) for _, form in listener.calls]

    return pumped


def test_a_deal_is_won_and_its_sum_is_changed(b24, bx, posted):
    number = bx.add("deal", CATEGORY_ID=3)
    moved = {"kind": "deal", "id": number, "step_id": "C3:WON", "fields": {"OPPORTUNITY": 9.5}}
    b24.control("move_record", moved)
    deal = bx.deal(number)
    assert (deal["STAGE_ID"], deal["STAGE_SEMANTIC_ID"], deal["CLOSED"]) == ("C3:WON", "S", "Y")
    assert deal["OPPORTUNITY"] == "9.50"
    assert posted() == [("ONCRMDEALUPDATE", str(number))]


def test_a_lead_becomes_junk(b24, bx, posted):
    number = bx.add("lead", TITLE="x")
    b24.control("move_record", {"kind": "lead", "id": number, "step_id": "JUNK"})
    assert bx.ok("crm.lead.get", id=number)["STATUS_SEMANTIC_ID"] == "F"
    assert posted() == [("ONCRMLEADUPDATE", str(number))]


def test_a_lead_is_converted_in_classic_mode_as_well(b24, bx, portal, posted):
    contact = bx.add("contact", NAME="Анна")
    number = bx.add("lead", TITLE="x", CONTACT_ID=contact)
    deal = b24.control("convert_lead", {"id": number})["deal_id"]
    assert (portal.deals[deal]["LEAD_ID"], portal.deals[deal].people) == (number, [contact])
    assert bx.ok("crm.lead.get", id=number)["STATUS_ID"] == "CONVERTED"
    assert posted() == [("ONCRMLEADUPDATE", str(number))]


@pytest.mark.parametrize("kind", ["deal", "lead"])
def test_what_is_deleted_is_told(b24, bx, posted, kind):
    number = bx.add(kind, TITLE="x")
    b24.control("delete_record", {"kind": kind, "id": number})
    assert bx.ok(f"crm.{kind}.list", filter={"@ID": [number]}) == []
    assert posted() == [(f"ONCRM{kind.upper()}DELETE", str(number))]
    with pytest.raises(LookupError):
        b24.control("delete_record", {"kind": kind, "id": number})
