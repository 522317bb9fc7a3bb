"""What became of a lead in Envybox: from lead to deal, merges, deletions, money, and answers of any style."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.draft import Person, Placement
from connectors.envybox.options import EnvyOptions
from connectors.errors import Refused, TryLater
from connectors.lead_status import BY_HAND, LeadStatus
from tests.connectors.cast import followed

ANNA = Person("Анна", ("+79991112233",), ("anna@b.ru",))
KEYS = ANNA.keys
STYLES = [
    {"ids": ids, "statuses": statuses}
    for ids in ("printed", "numbers", "strings")
    for statuses in ("mirrored", "always_200")
]


@pytest.fixture(params=STYLES, ids=lambda style: "-".join(style.values()))
def styled(request, florist, envy):
    envy.switches.update(request.param)
    return florist


@pytest.fixture
def lead(deliver, draft):
    """Anna's answer, left a lead."""
    return followed(deliver(draft(person=ANNA)), people=KEYS)


def look(florist, lead):
    (outcome,) = florist.connector.follow([lead])
    return outcome


def say(envy, code, message):
    """The next lead/get answers this, and shows no lead."""
    body = json.dumps({"status_code": code, "message": message, "result": None})
    envy.faults.add("/lead/get", status=code, body=body, content_type="application/json")


def seen(lead, standing):
    """The same lead, as the engine asks the next time."""
    return replace(lead, record=standing.record, record_id=standing.record_id)


def test_a_lead_that_nobody_took_is_a_lead(styled, lead):
    standing = look(styled, lead)
    line = styled.crm.line("Заявки", 1)
    assert (standing.record, standing.record_id, standing.status) == ("lead", lead.remote_id, "open")
    assert (standing.pipeline, standing.step) == (str(line.id), str(line.named("Новый").id))
    assert (standing.step_name, standing.performer, standing.payments) == ("Новый", "", None)
    assert standing.contact == {"name": "Анна", "phone": "79991112233", "email": "anna@b.ru"}
    assert standing.link == f"https://demo7.envycrm.com/leads/{lead.remote_id}"


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_lead_leads_to_its_deal(styled, lead, status):
    deal = styled.end(lead.remote_id, status)
    standing = look(styled, lead)
    stage = styled.crm.stage(styled.crm.deals[int(deal)].stage_id)
    assert (standing.record, standing.record_id, standing.status) == ("deal", deal, status)
    assert (standing.step, standing.step_name) == (str(stage.id), stage.name)
    assert (standing.performer, standing.matched, standing.gone) == (styled.person, "", "")
    assert standing.details["leads"] == [lead.remote_id]
    assert standing.link == f"https://demo7.envycrm.com/deals/{deal}"


def test_a_known_deal_is_asked_for_alone(florist, envy, lead):
    florist.take(lead.remote_id)
    first = look(florist, lead)
    assert first.contact["name"] == "Анна"
    assert first.contact["phone"] == "79991112233"
    assert set(first.contact) == {"id", "name", "phone", "email"}
    envy.journal.clear()
    second = look(florist, seen(lead, first))
    assert florist.methods() == ["deal/get"]
    assert (second.record_id, second.contact) == (first.record_id, {})


def test_the_deal_of_the_receipt_spares_the_lead(florist, envy, deliver, draft):
    lead = followed(deliver(draft(placement=florist.place())))
    envy.journal.clear()
    assert look(florist, lead).step_name == "Дозвон"
    assert florist.methods() == ["deal/get", "client/get"]


def another_deal(florist, client):
    asked = {"client_id": client, "name": "Ещё раз", "employee_id": florist.person}
    return florist.connector.client().deals.write("deal/create", **asked)["result"]["deal"]["id"]


def test_of_several_deals_the_newest_counts(florist, lead):
    deal = florist.take(lead.remote_id)
    client = florist.crm.deals[int(deal)].client_id
    newer = another_deal(florist, client)
    florist.crm.leads[int(lead.remote_id)].deals.append(newer)
    assert look(florist, lead).record_id == str(newer)


def test_deals_made_of_the_deal_are_told(florist, lead):
    deal = florist.take(lead.remote_id)
    child = another_deal(florist, florist.crm.deals[int(deal)].client_id)
    florist.crm.deals[child].parent_id = int(deal)
    (told,) = look(florist, lead).details["continued"]
    assert told["id"] == str(child)
    assert told["step"] == str(florist.crm.deals[child].stage_id)


def test_a_link_by_hand_is_followed(florist, lead, deliver, draft):
    other = florist.take(followed(deliver(draft())).remote_id)
    standing = look(florist, replace(lead, record_id=other, matched=BY_HAND))
    assert (standing.record, standing.record_id) == ("deal", other)


# -- merges and deletions ------------------------------------------------------------------------------------


def test_a_lead_that_was_united_is_followed_to_the_other(styled, lead, deliver, draft):
    other = followed(deliver(draft()))
    styled.crm.leads[int(lead.remote_id)].parent_id = int(other.remote_id)
    standing = look(styled, lead)
    assert (standing.record, standing.record_id, standing.gone) == ("lead", other.remote_id, "")
    assert standing.matched == f"merged into {other.remote_id}"
    deal = styled.end(other.remote_id, "won")
    standing = look(styled, lead)
    assert (standing.record_id, standing.status) == (deal, "won")
    assert standing.matched == f"merged into {other.remote_id}"


def test_leads_united_in_a_ring_come_to_an_end(florist, lead, deliver, draft):
    other = followed(deliver(draft()))
    florist.crm.leads[int(lead.remote_id)].parent_id = int(other.remote_id)
    florist.crm.leads[int(other.remote_id)].parent_id = int(lead.remote_id)
    assert isinstance(look(florist, lead), LeadStatus)


def test_a_lead_united_with_a_deleted_one_is_gone(florist, lead, deliver, draft):
    other = followed(deliver(draft()))
    florist.crm.leads[int(lead.remote_id)].parent_id = int(other.remote_id)
    florist.erase(other.remote_id)
    standing = look(florist, lead)
    assert (standing.record_id, standing.gone) == (other.remote_id, "deleted")


@pytest.mark.parametrize("kind", ["lead", "deal"])
def test_what_was_deleted_is_gone(styled, lead, kind):
    if kind == "deal":
        styled.take(lead.remote_id)
    before = look(styled, lead)
    styled.control("delete", kind=kind, id=before.record_id)
    after = look(styled, seen(lead, before))
    assert (after.record, after.record_id, after.gone) == (kind, before.record_id, "deleted")


@pytest.mark.parametrize("kind", ["lead", "deal"])
def test_what_is_not_found_after_it_was_there_is_gone(styled, lead, kind):
    if kind == "deal":
        styled.take(lead.remote_id)
    before = look(styled, lead)
    del (styled.crm.deals if kind == "deal" else styled.crm.leads)[int(before.record_id)]
    after = look(styled, seen(lead, before))
    assert (after.record, after.record_id, after.gone) == (kind, before.record_id, "deleted")


def test_an_answer_without_the_record_is_no_deletion(florist, envy, lead):
    say(envy, 200, "success")
    error = look(florist, lead)
    assert isinstance(error, TryLater)
    assert (error.code, error.account_wide) == ("unreadable", False)


# -- money and moments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("learned", [True, False])
def test_the_sum_is_what_counts_into_the_funnel(styled, lead, learned):
    deal = styled.take(lead.remote_id)
    assert look(styled, lead).amount is None
    styled.crm.deals[int(deal)].custom = {
        styled.crm.input("Бюджет").id: "15 000,50",
        styled.crm.input("Площадь объекта").id: 54,
    }
    if learned:
        styled.facts = dict(styled.connector.identify().facts)
    assert look(styled, lead).amount == Decimal("15000.50")
    if learned:
        styled.crm.input("Бюджет").use_in_pipeline = False
        styled.facts = dict(styled.connector.identify().facts)
        assert look(styled, lead).amount is None


def test_moments_are_of_the_clock_that_the_operator_names(florist, envy, lead):
    envy.switches["zone"] = "Moscow"
    florist.options = EnvyOptions(utc_offset_hours=3.0)
    envy.clock.advance(3600)
    florist.end(lead.remote_id, "won")
    changed = look(florist, lead).changed_at
    assert abs(changed - datetime.fromtimestamp(envy.clock.now(), UTC)) < timedelta(seconds=2)


# -- a lead whose number nobody told -------------------------------------------------------------------------


@pytest.mark.parametrize("covers", [True, False])
def test_it_is_known_by_its_mark(florist, envy, deliver, draft, covers):
    envy.switches["keyword_comment"] = covers
    florist.options = EnvyOptions(keyword_covers_comment=covers)
    receipt = deliver(draft(person=ANNA, placement=Placement(choices={"QueueMode": True})))
    lead = followed(receipt, remote_id="", journal={}, people=KEYS)
    standing = look(florist, lead)
    assert (standing.record_id, standing.matched) == (receipt.journal["lead"], "mark")
    deal = florist.end(receipt.journal["lead"], "lost")
    assert (look(florist, lead).record_id, look(florist, lead).status) == (deal, "lost")


def test_what_shows_no_mark_is_not_found_yet(florist, lead):
    nameless = replace(lead, uid="qzsomebodyelse", remote_id="", journal={})
    assert look(florist, nameless) is None


# -- when it breaks ------------------------------------------------------------------------------------------


def test_one_refusal_costs_no_other(florist, envy, lead, deliver, draft):
    other = followed(deliver(draft()))
    say(envy, 500, "Неверный request")
    first, second = florist.connector.follow([lead, other])
    assert isinstance(first, Refused)
    assert second.record_id == other.remote_id


def test_a_failing_account_is_asked_once(florist, envy, lead, deliver, draft, monkeypatch):
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())
    other = followed(deliver(draft()))
    envy.faults.add("/lead/get", status=502, times=None)
    envy.journal.clear()
    outcomes = florist.connector.follow([lead, other])
    assert all(isinstance(one, TryLater) and one.account_wide for one in outcomes)
    assert len(envy.journal) == 1


def test_our_own_mistakes_are_errors_too(florist, lead, monkeypatch):
    monkeypatch.setattr("connectors.envybox.following.newest_deal", lambda row: 1 / 0)
    assert look(florist, lead).code == "unexpected"
