"""Was the lead made after all? Only where the operator allows to ask, and the account answers."""

from __future__ import annotations

import pytest

from connectors.draft import Receipt
from connectors.errors import NeedsReconnect, TryLater, Unclear
from tests.connectors.cast import again


@pytest.fixture
def open_keeper(keeper):
    """Leads may be asked for, and are told."""
    keeper.box.switches["leads_readable"] = True
    keeper.choose(probe_leads=True)
    keeper.learn()
    return keeper


def lose(keeper, deliver, draft, action):
    """An answer whose reply is lost."""
    keeper.box.faults.add("/api/post", action)
    answer = draft()
    assert isinstance(deliver(answer), Unclear)
    return answer


def test_by_default_nobody_looks(keeper, deliver, draft, journal):
    keeper.box.switches["leads_readable"] = True
    keeper.learn()
    assert not keeper.connector.can.find_by_external_id
    assert "leads_readable" not in keeper.facts
    answer = lose(keeper, deliver, draft, "reset_after")
    keeper.box.journal.clear()
    deliver(again(answer, journal, look_first=True))
    assert keeper.box.journal.find(path="/api/get") == []


@pytest.mark.parametrize("numbers", ["numbers", "strings"])
@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "truncate"])
def test_a_lead_that_was_made_is_adopted(open_keeper, deliver, draft, journal, action, numbers):
    open_keeper.box.switches["numbers"] = numbers
    answer = lose(open_keeper, deliver, draft, action)
    receipt = deliver(again(answer, journal, look_first=True))
    assert (receipt.adopted, receipt.journal) == (True, {"lead": "1"})
    assert journal.of(answer.uid) == {"lead": "1"}
    assert len(open_keeper.box.ledger()) == 1


def test_a_lead_that_was_not_made_is_made(open_keeper, deliver, draft, journal):
    answer = lose(open_keeper, deliver, draft, "reset")
    receipt = deliver(again(answer, journal, look_first=True))
    assert (receipt.adopted, len(open_keeper.box.ledger())) == (False, 1)


def test_somebody_elses_mark_is_not_ours(open_keeper, deliver, draft, journal):
    assert isinstance(deliver(draft(uid="qz-11")), Receipt)
    receipt = deliver(draft(uid="qz-1", look_first=True))
    assert not receipt.adopted
    assert open_keeper.connector.find(["qz-1", "qz-11", "qz-111"]) == {"qz-11": "1", "qz-1": "2"}


def test_the_newest_leads_are_walked(open_keeper, deliver, draft):
    for number in range(120):
        deliver(draft(uid=f"qz-a{number}"))
    open_keeper.box.journal.clear()
    assert open_keeper.connector.find(["qz-a5"]) == {"qz-a5": "6"}
    assert len(open_keeper.box.journal) == 3
    assert open_keeper.connector.find(["qz-nobody"]) == {}


def test_an_account_that_refuses_is_not_asked(keeper):
    keeper.choose(probe_leads=True)
    keeper.learn()
    assert keeper.facts["leads_readable"] is False
    assert not keeper.connector.can.find_by_external_id
    with pytest.raises(NotImplementedError):
        keeper.connector.find(["qz-1"])


def test_an_account_that_stops_to_answer_is_looked_at_by_a_person(open_keeper, draft, journal):
    connector, answer = open_keeper.connector, draft(look_first=True)
    open_keeper.box.switches["leads_readable"] = False
    (outcome,) = connector.deliver([answer], journal)
    assert isinstance(outcome, Unclear)
    assert "no longer shows leads" in outcome.message
    assert not connector.can.find_by_external_id
    assert open_keeper.box.ledger() == []


def test_a_look_that_fails_in_passing_is_repeated_later(open_keeper, deliver, draft, monkeypatch):
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())
    open_keeper.box.faults.add("/api/get", status=500)
    assert isinstance(deliver(draft(look_first=True)), TryLater)
    assert open_keeper.box.ledger() == []


def test_a_trial_that_fails_in_passing_proves_nothing(keeper, monkeypatch):
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())
    keeper.choose(probe_leads=True)
    keeper.box.faults.add("/api/get", status=500)
    with pytest.raises(TryLater):
        keeper.connector.prepare()
    keeper.box.revoke(keeper.account)
    with pytest.raises(NeedsReconnect):
        keeper.connector.prepare()
