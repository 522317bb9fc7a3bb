"""Was the lead made after all? Only where the operator allows to ask, and the account answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.draft import Receipt
from connectors.errors import NeedsReconnect, TryLater, Unclear
from connectors.sandbox.solos import leads
from connectors.sandbox.solos.model import Lead
from connectors.sandbox.solos.moments import moment
from connectors.solos.recovery import find
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
    assert open_keeper.connector.find_all(["qz-1", "qz-11", "qz-111"]) == {"qz-11": ["1"], "qz-1": ["2"]}


def test_the_newest_leads_are_walked(open_keeper, deliver, draft):
    for number in range(120):
        deliver(draft(uid=f"qz-a{number}"))
    open_keeper.box.journal.clear()
    assert find(open_keeper.client, ["qz-a5"]) == {"qz-a5": "6"}
    assert len(open_keeper.box.journal) == 3
    assert find(open_keeper.client, ["qz-nobody"]) == {}


# -- looks that end before the answer's own time ------------------------------------------------------------


def fill(keeper, number=260, days_ago=0):
    """Other people's leads."""
    now = keeper.box.clock.now() - days_ago * 86400
    for _ in range(number):
        made = keeper.account.next("lead")
        keeper.account.leads[made] = Lead(made, moment(now), {"name": "Кто-то"})


@pytest.mark.parametrize("action", ["reset", "reset_after"])
def test_a_look_that_does_not_reach_the_answers_time_is_for_a_person(
    open_keeper, deliver, draft, journal, action
):
    answer = lose(open_keeper, deliver, draft, action)
    fill(open_keeper)
    before = len(open_keeper.account.leads)
    outcome = deliver(again(answer, journal, look_first=True))
    assert isinstance(outcome, Unclear)
    assert (outcome.code, outcome.look_again) == ("look_incomplete", False)
    assert answer.uid in outcome.remedy
    assert len(open_keeper.account.leads) == before
    with pytest.raises(Unclear):
        find(open_keeper.client, [answer.uid])


def test_leads_older_than_the_answer_say_that_it_is_not_there(open_keeper, deliver, draft, journal):
    fill(open_keeper, days_ago=3)
    answer = lose(open_keeper, deliver, draft, "reset")
    fill(open_keeper, 30)
    assert isinstance(deliver(again(answer, journal, look_first=True)), Receipt)


def test_an_order_that_is_not_obeyed_says_nothing(open_keeper, deliver, draft, journal, monkeypatch):
    """The oldest leads come first, whichever order is asked for."""
    monkeypatch.setitem(leads.READERS, "leads", _upside_down)
    fill(open_keeper, days_ago=4)
    fill(open_keeper, days_ago=3)
    answer = lose(open_keeper, deliver, draft, "reset_after")
    outcome = deliver(again(answer, journal, look_first=True))
    assert isinstance(outcome, Unclear)
    assert len(open_keeper.account.leads) == 521


def _upside_down(account):
    """solOS's own rows with ids that grow with age."""
    rows = [{"created": one.created, **one.payload} for one in account.leads.values()]
    return [{"id": len(rows) - index, **row} for index, row in enumerate(rows)]


def test_a_page_shorter_than_asked_for_is_not_the_end(open_keeper, deliver, draft, journal, monkeypatch):
    """solOS may have a limit of its own."""
    answer = lose(open_keeper, deliver, draft, "reset_after")
    fill(open_keeper, 30)
    read = leads.read

    def capped(call):
        return read(replace(call, params={**call.params, "count": min(20, call.params["count"])}))

    monkeypatch.setattr(leads, "read", capped)
    assert open_keeper.connector.find_all([answer.uid]) == {answer.uid: ["1"]}
    assert deliver(again(answer, journal, look_first=True)).adopted


def test_an_account_that_refuses_is_not_asked(keeper):
    keeper.choose(probe_leads=True)
    keeper.learn()
    assert keeper.facts["leads_readable"] is False
    assert not keeper.connector.can.find_by_external_id
    with pytest.raises(NotImplementedError):
        keeper.connector.find_all(["qz-1"])


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
