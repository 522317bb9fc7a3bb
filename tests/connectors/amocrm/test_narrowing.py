"""One lead that amoCRM fails at: its neighbours arrive, and nothing is made twice."""

from __future__ import annotations

import json

import pytest

from connectors.draft import Placement, Receipt
from connectors.errors import TryLater, Unclear
from tests.connectors.cast import again

COMPLEX, NOTES = "/leads/complex", "/leads/notes"


def drafts_with_a_bad_one(draft, number: int = 50, at: int = 17):
    return [draft(uid="qz-bad") if one == at else draft() for one in range(number)]


def test_a_lead_that_breaks_amocrm_harms_only_itself(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=500, contains="qz-bad", times=None)
    outcomes = deliver(*drafts_with_a_bad_one(draft))
    assert [isinstance(outcome, Receipt) for outcome in outcomes].count(True) == 49
    assert (type(outcomes[17]), outcomes[17].account_wide) == (Unclear, False)
    assert len(shop.leads) == 49


def test_a_batch_that_a_500_made_after_all_is_adopted_at_once(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, "answer_after", status=500)
    receipts = deliver(*(draft() for _ in range(5)))
    assert [receipt.adopted for receipt in receipts] == [True] * 5
    assert len(shop.leads) == 5
    assert [len(lead["notes"]) for lead in shop.leads] == [1] * 5


def test_a_half_that_a_500_made_after_all_is_not_made_again(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=500)
    amo.faults.add(COMPLEX, "answer_after", status=500)
    outcomes = deliver(*(draft() for _ in range(8)))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert len(shop.leads) == 8


@pytest.mark.parametrize("fault", [{"status": 504}, {"action": "timeout"}], ids=["504", "timeout"])
def test_a_lead_that_a_gateway_gives_up_on_harms_its_batch_once(shop, amo, draft, deliver, journal, fault):
    amo.faults.add(COMPLEX, contains="qz-bad", times=None, **fault)
    drafts = drafts_with_a_bad_one(draft, number=8, at=2)
    assert {type(outcome) for outcome in deliver(*drafts)} == {Unclear}
    outcomes = deliver(*(again(one, journal, look_first=True) for one in drafts))
    assert [type(outcome) for outcome in outcomes].count(Receipt) == 7
    assert (type(outcomes[2]), outcomes[2].account_wide) == (Unclear, False)
    assert len(shop.leads) == 7


def test_a_lead_that_failed_before_holds_no_newcomers(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=500, contains="qz-bad", times=None)
    bad, new = deliver(draft(uid="qz-bad", look_first=True), draft())
    assert (type(bad), bad.account_wide) == (Unclear, False)
    assert isinstance(new, Receipt)


def test_a_server_that_fails_at_everything_is_soon_left_alone(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=500, times=None)
    outcomes = deliver(*(draft() for _ in range(50)))
    assert [type(outcome) for outcome in outcomes].count(Unclear) == 3
    assert {type(outcome) for outcome in outcomes} == {Unclear, TryLater}
    assert any(outcome.account_wide for outcome in outcomes)
    assert len(shop.sent()) < 12


def test_where_the_look_fails_nothing_is_sent_again(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=500)
    amo.faults.add("/api/v4/leads$", method="GET", status=502)
    assert {type(outcome) for outcome in deliver(draft(), draft())} == {Unclear}
    assert len(shop.sent()) == 1


def test_incoming_leads_are_not_sent_again_before_they_are_listed(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, "answer_after", status=500)
    place = Placement(step_kind="incoming")
    assert {type(outcome) for outcome in deliver(draft(placement=place), draft())} == {Unclear}
    assert len(shop.sent()) == 1


@pytest.mark.parametrize("action", ["answer", "answer_after"])
def test_a_note_that_breaks_amocrm_harms_only_its_lead(shop, amo, draft, deliver, action):
    amo.faults.add(NOTES, action, method="POST", status=500, contains="qz-bad", times=None)
    outcomes = deliver(*drafts_with_a_bad_one(draft, number=8, at=2))
    assert [type(outcome) for outcome in outcomes].count(Receipt) >= 7
    assert {len(lead["notes"]) for at, lead in enumerate(shop.leads) if at != 2} == {1}


def test_an_id_that_can_not_be_one_is_its_leads_own_error(shop, amo, draft, deliver, journal):
    bad, good = draft(uid="qz-bad"), draft()
    rows = [{"id": "9" * 5000, "request_id": ["qz-bad"]}, {"id": 1500001, "request_id": [good.uid]}]
    amo.faults.add(
        COMPLEX, "answer_after", status=200, content_type="application/json", body=json.dumps(rows)
    )
    outcomes = deliver(bad, good)
    assert (type(outcomes[0]), outcomes[0].code) == (Unclear, "id_too_long")
    assert journal.of("qz-bad") == {}
    (receipt,) = deliver(again(bad, journal, look_first=True))
    assert receipt.adopted


@pytest.mark.parametrize("fault", [{"status": 504}, {"action": "reset"}], ids=["504", "silence"])
def test_a_probe_that_gets_no_answer_speaks_of_the_account(shop, amo, draft, deliver, fault):
    """One lead asks whether amoCRM is back: the lane rests, instead of trying all that waits."""
    amo.faults.add(COMPLEX, times=None, **fault)
    (outcome,) = deliver(draft(look_first=True))
    assert (type(outcome), outcome.account_wide) == (Unclear, True)
