"""What became of deals and leads in Bitrix24: conversion, rights, merged records, the portal's time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.bitrix24.connector import BitrixConnector
from connectors.bitrix24.following import listing
from connectors.draft import Person, Placement
from connectors.errors import NeedsReconnect, Refused, TryLater
from tests.connectors.bitrix24.harness import methods_of
from tests.connectors.cast import followed

AS_LEAD = Placement(choices={"LeadFlag": True})
DEALS, LEADS, PEOPLE = "crm.deal.list", "crm.lead.list", "crm.contact.list"


@pytest.fixture
def delivered(deliver, draft):
    def run(count=1, **changes):
        return [followed(one) for one in deliver(*(draft(**changes) for _ in range(count)))]

    return run


@pytest.fixture
def connector(dentist) -> BitrixConnector:
    return dentist.connector


@pytest.fixture
def follow(dentist):
    """Follow, and which methods that took, request by request."""

    def run(*leads):
        dentist.box.journal.clear()
        told = dentist.connector.follow(leads)
        asked = [[method.rsplit("/", 1)[-1] for method in methods_of(entry)] for entry in dentist.box.journal]
        return told, asked

    return run


def convert(dentist, lead) -> str:
    return str(dentist.box.control("convert_lead", {"id": lead.remote_id})["deal_id"])


# -- deals --------------------------------------------------------------------------------------------------


def test_fifty_deals_take_two_requests(follow, delivered):
    leads = delivered(50)
    told, asked = follow(*leads)
    assert [one.record_id for one in told] == [lead.remote_id for lead in leads]
    assert all(one.contact["phone"] for one in told)
    assert asked == [[DEALS], [PEOPLE]]


def test_a_won_deal_is_told_whole(dentist, connector, delivered):
    person = Person(name="Анна", phones=("+79990001122",), emails=("a@b.example",))
    place = Placement(pipeline="3", step="C3:NEW", performer="2")
    (lead,) = delivered(person=person, placement=place, price="1500.50")
    (told,) = connector.follow([lead])
    assert (told.record, told.pipeline, told.step, told.performer) == ("deal", "3", "C3:NEW", "2")
    assert (told.amount, told.currency) == (Decimal("1500.50"), "RUB")
    assert "closed_at" not in told.details
    dentist.move("deal", lead.remote_id, "WON", OPPORTUNITY=2500.0)
    (told,) = connector.follow([lead])
    assert (told.status, told.step, told.amount) == ("won", "C3:WON", Decimal(2500))
    assert told.contact == {
        "id": lead.journal["contact"],
        "name": "Анна",
        "phone": "+79990001122",
        "email": "a@b.example",
    }
    assert told.link == f"https://{dentist.portal.host}/crm/deal/details/{lead.remote_id}/"
    assert told.changed_at.tzinfo
    assert told.details["closed_at"]
    assert told.payments is None


def test_a_deal_without_people_is_told_without_them(dentist, connector, delivered):
    (lead,) = delivered()
    deal = dentist.portal.deals[int(lead.remote_id)]
    deal.people = []
    (told,) = connector.follow([lead])
    assert (told.status, told.contact) == ("open", {})


@pytest.mark.parametrize("code", ["ACCESS_DENIED", "OPERATION_TIME_LIMIT", "INTERNAL_SERVER_ERROR"])
def test_people_are_a_help_and_no_condition(dentist, connector, delivered, code):
    leads = delivered(2)
    dentist.box.switches["method_errors"] = {PEOPLE: code}
    told = [(one.status, one.contact) for one in connector.follow(leads)]
    assert told == [("open", {"id": lead.journal["contact"]}) for lead in leads]


# -- leads and what they turn into --------------------------------------------------------------------------


def test_a_lead_is_open_until_somebody_ends_it(dentist, connector, delivered):
    (lead,) = delivered(placement=AS_LEAD)
    (told,) = connector.follow([lead])
    assert (told.record, told.status, told.step, told.pipeline) == ("lead", "open", "NEW", "")
    dentist.move("lead", lead.remote_id, "JUNK")
    assert connector.follow([lead])[0].status == "lost"


def test_a_converted_lead_is_not_won_its_deal_says(dentist, follow, delivered):
    (lead,) = delivered(placement=AS_LEAD)
    deal = convert(dentist, lead)
    (told,), asked = follow(lead)
    assert (told.record, told.record_id, told.status) == ("deal", deal, "open")
    assert told.matched == f"the deal made of lead {lead.remote_id}"
    assert asked == [[LEADS, DEALS], [PEOPLE]]
    dentist.move("deal", deal, "WON")
    known = replace(lead, record=told.record, record_id=told.record_id, matched=told.matched)
    (told,), asked = follow(known)
    assert (told.record_id, told.status) == (deal, "won")
    assert asked == [[DEALS], [PEOPLE]]


def test_a_converted_lead_without_a_deal_is_still_open(dentist, connector, delivered):
    (lead,) = delivered(placement=AS_LEAD)
    dentist.move("lead", lead.remote_id, "CONVERTED")
    (told,) = connector.follow([lead])
    assert (told.record, told.status) == ("lead", "open")
    assert told.details["converted"]


def test_a_portal_that_takes_converted_leads_away_still_has_their_deal(dentist, connector, delivered):
    (lead,) = delivered(placement=AS_LEAD)
    dentist.box.switches["converted_lead"] = "gone"
    deal = convert(dentist, lead)
    (told,) = connector.follow([lead])
    assert (told.record, told.record_id, told.gone) == ("deal", deal, "")


def test_a_deal_that_names_an_unfinished_lead_does_not_replace_it(dentist, connector, delivered):
    (lead,) = delivered(placement=AS_LEAD)
    convert(dentist, lead)
    dentist.move("lead", lead.remote_id, "IN_PROCESS")
    assert connector.follow([lead])[0].record == "lead"


def test_more_deals_than_a_page_holds_hide_none(dentist, connector, delivered):
    leads = delivered(20, placement=AS_LEAD)
    for lead in leads:
        deals = [convert(dentist, lead) for _ in range(3)]
        assert len(set(deals)) == 3
    told = connector.follow(leads)
    assert [one.record for one in told] == ["deal"] * 20
    assert [one.details["lead"] for one in told] == [lead.remote_id for lead in leads]


@pytest.fixture
def namesakes(delivered):
    """A deal and a lead of one number."""
    (deal,) = delivered()
    leads = delivered(11, placement=AS_LEAD)
    return deal, next(lead for lead in leads if lead.remote_id == deal.remote_id)


def test_deals_and_leads_of_one_number_are_told_apart(dentist, follow, namesakes):
    deal, lead = namesakes
    dentist.move("deal", deal.remote_id, "LOSE")
    told, asked = follow(lead, deal)
    assert [(one.record, one.status) for one in told] == [("lead", "open"), ("deal", "lost")]
    assert asked == [[DEALS, LEADS, DEALS], [PEOPLE]]


def test_an_id_that_was_named_by_hand_is_told_apart_by_its_mark(connector, namesakes):
    """Nobody said of what kind it is."""
    told = connector.follow([replace(one, journal={"lead": one.remote_id}) for one in namesakes])
    assert [one.record for one in told] == ["deal", "lead"]


def test_an_id_by_hand_without_a_mark_waits_for_every_list(dentist, connector, namesakes):
    strange = replace(namesakes[0], uid="qz-nobody", journal={})
    dentist.box.switches["method_errors"] = {LEADS: "INTERNAL_SERVER_ERROR"}
    assert isinstance(connector.follow([strange])[0], TryLater)
    dentist.box.switches["method_errors"] = {LEADS: "ERROR_METHOD_NOT_FOUND"}
    assert connector.follow([strange])[0].record == "deal"


def test_an_id_by_hand_without_a_mark_is_a_deals_where_there_is_one(dentist, connector, delivered):
    (deal,) = delivered()
    strange = replace(deal, uid="qz-nobody", journal={})
    assert connector.follow([strange])[0].record == "deal"
    dentist.forget("deal", deal.remote_id)
    assert connector.follow([strange])[0].gone == "deleted"


# -- gone, merged, forbidden --------------------------------------------------------------------------------


@pytest.mark.parametrize("placement", [Placement(), AS_LEAD], ids=["deal", "lead"])
def test_deleted_is_what_the_portal_says_is_not_there(dentist, follow, delivered, placement):
    kept, lost = delivered(2, placement=placement)
    dentist.forget(kept.journal["kind"], lost.remote_id)
    told, asked = follow(lost, kept)
    assert [one.gone for one in told] == ["deleted", ""]
    word = kept.journal["kind"]
    assert asked[-1] == [PEOPLE, f"crm.{word}.get", f"crm.{word}.list"]


def test_whom_we_may_not_see_is_not_gone(dentist, connector, delivered):
    """Lists leave out what we have no right to, and say nothing."""
    leads = delivered(2)
    dentist.portal.admin.crm = "none"
    outcomes = connector.follow(leads)
    assert [(type(one), one.code) for one in outcomes] == [(Refused, "no_rights")] * 2
    assert not any(one.account_wide for one in outcomes)


def test_a_filter_that_is_not_heard_shows_strangers_and_deceives_nobody(connector, delivered, monkeypatch):
    leads = delivered(55)[-2:]
    monkeypatch.setattr(
        "connectors.bitrix24.following.listing",
        lambda word, field, ids, above="": listing(word, "NOT_A_FIELD", ids, above),
    )
    assert [one.record_id for one in connector.follow(leads)] == [lead.remote_id for lead in leads]


def test_a_cut_off_list_says_nothing_of_a_converted_lead(dentist, connector, delivered, monkeypatch):
    """Its deal may be behind what was read, or the filter for it was not heard."""
    delivered(50)
    (lead,) = delivered(placement=AS_LEAD)
    deal = convert(dentist, lead)

    def deaf(word, field, ids, above=""):
        return listing(word, "NOT_A_FIELD" if field == "LEAD_ID" else field, ids, above)

    monkeypatch.setattr("connectors.bitrix24.following.listing", deaf)
    (told,) = connector.follow([lead])
    assert (type(told), told.code) == (TryLater, "look_incomplete")
    monkeypatch.undo()
    assert connector.follow([lead])[0].record_id == deal


def test_a_merged_deal_is_followed_into_the_one_that_took_its_mark(dentist, connector, delivered):
    (lead,) = delivered()
    http_client = connector.http_client()
    heir = http_client.call("POST", "/crm.deal.add", json={"fields": {"OPPORTUNITY": 9}})["result"]
    deal, kept = dentist.portal.deals[int(lead.remote_id)], dentist.portal.deals[heir]
    kept.props |= {name: deal[name] for name in ("ORIGINATOR_ID", "ORIGIN_ID")}
    dentist.portal.tables["deal"].touched(kept)
    dentist.forget("deal", lead.remote_id)
    dentist.move("deal", str(heir), "WON")
    (told,) = connector.follow([lead])
    assert (told.record_id, told.status, told.matched) == (str(heir), "won", f"merged into {heir}")


@pytest.mark.parametrize("method", ["crm.deal.get", DEALS])
@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "OPERATION_TIME_LIMIT", "QUERY_LIMIT_EXCEEDED"])
def test_a_failure_never_passes_for_a_deletion(dentist, connector, delivered, method, code):
    (lead,) = delivered()
    dentist.forget("deal", lead.remote_id)
    dentist.box.switches["method_errors"] = {method: code}
    (told,) = connector.follow([lead])
    assert isinstance(told, TryLater)


def test_leads_that_are_closed_to_us_cost_no_deal(dentist, connector, delivered):
    (deal,) = delivered()
    (lead,) = delivered(placement=AS_LEAD)
    dentist.box.switches["method_errors"] = {LEADS: "INTERNAL_SERVER_ERROR"}
    one, other = connector.follow([lead, deal])
    assert isinstance(one, TryLater)
    assert other.status == "open"


def test_what_waits_for_its_time_is_not_asked(dentist, delivered):
    class Resting(type(dentist.limiter)):
        def held(self, what):
            return 60.0 if what == DEALS else 0.0

    leads = delivered(2)
    dentist.limiter = Resting()
    dentist.box.journal.clear()
    outcomes = dentist.connector.follow(leads)
    assert [(type(one), one.code, one.after) for one in outcomes] == [(TryLater, "operating_limit", 60.0)] * 2
    assert len(dentist.box.journal) == 0


def test_a_portal_that_forgot_us_asks_for_a_connection(dentist, connector, delivered):
    leads = delivered(2)
    dentist.box.revoke(dentist.portal)
    assert all(isinstance(one, NeedsReconnect) for one in connector.follow(leads))
