"""What the interface promises, for every CRM of the registry, against its sandbox."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests

from connectors.draft import FieldValue, Person, Placement, Receipt, Target
from connectors.errors import ConnectorError, NeedsReconnect, Refused, TryLater, Unclear
from connectors.registry import CONNECTORS
from tests.connectors.cast import Notebook, again
from tests.connectors.harness import HARNESSES, Harness


def needs(crm: Harness, capability: str) -> None:
    if not getattr(crm.connector.can, capability):
        pytest.skip(f"{crm.kind} does not claim {capability}")


def test_every_crm_has_a_harness():
    assert set(HARNESSES) == set(CONNECTORS)


# -- delivering ---------------------------------------------------------------------------------------------


def test_a_lead_arrives_and_its_receipt_is_whole(crm, draft, journal):
    answer = draft()
    (receipt,) = crm.connector.deliver([answer], journal)
    (lead,) = crm.leads()
    assert (receipt.uid, receipt.journal["lead"]) == (answer.uid, str(lead["id"]))
    assert journal.of(answer.uid)["lead"] == receipt.journal["lead"]
    assert receipt.link.startswith("http")
    assert receipt.trace


def test_outcomes_stand_in_the_order_of_the_drafts(crm, draft, journal):
    drafts = [draft() for _ in range(min(crm.connector.can.batch, 5))]
    outcomes = crm.connector.deliver(drafts, journal)
    assert [outcome.uid for outcome in outcomes] == [one.uid for one in drafts]
    assert len({outcome.journal["lead"] for outcome in outcomes}) == len(drafts) == len(crm.leads())


def test_no_drafts_are_no_work(crm, journal):
    crm.box.journal.clear()
    assert crm.connector.deliver([], journal) == []
    assert len(crm.box.journal) == 0


def test_the_same_answer_delivered_twice_is_one_lead(crm, draft, journal):
    answer = draft()
    (first,) = crm.connector.deliver([answer], journal)
    (second,) = crm.connector.deliver([again(answer, journal)], journal)
    assert second.journal["lead"] == first.journal["lead"]
    assert len(crm.leads()) == 1


def test_a_value_that_fits_nowhere_is_told_and_kept(crm, draft, journal):
    target = Target(crm.connector.can.entities["lead"], "1", "Чертёж", "no-such-type")
    answer = draft(values=(FieldValue(target, "Чертёж?", "план.dwg"),))
    (receipt,) = crm.connector.deliver([answer], journal)
    assert [(loss.question, loss.value) for loss in receipt.losses] == [("Чертёж?", "план.dwg")]
    assert "план.dwg" in json.dumps(crm.leads(), ensure_ascii=False)


# -- bringing a lead up to date -----------------------------------------------------------------------------


def completed(first, notebook, *, look_first=False):
    """The answer's second body: a phone came, and the note says more."""
    person = Person(name="Анна", phones=(f"+7916{int(first.uid[-6:], 16):07d}",))
    later = replace(again(first, notebook, look_first=look_first), person=person, note="Площадь: сто")
    return replace(later, revision=2, formers=(first,))


def partial(draft):
    """Nobody knows yet who answers."""
    return draft(person=Person())


def told(crm: Harness) -> str:
    return json.dumps(crm.leads(), ensure_ascii=False)


def test_a_lead_is_brought_up_to_date(crm, draft, journal):
    needs(crm, "updates")
    first = partial(draft)
    (made,) = crm.connector.deliver([first], journal)
    (receipt,) = crm.connector.deliver([completed(first, journal)], journal)
    assert isinstance(receipt, Receipt)
    assert (receipt.journal["lead"], len(crm.leads())) == (made.journal["lead"], 1)
    assert journal.of(first.uid)["note-2"]
    assert told(crm).count("Площадь: сто") == 1


def test_whichever_reply_to_an_update_is_lost_nothing_doubles(crm, draft, journal):
    needs(crm, "updates")
    for request in range(20):
        first = partial(draft)
        crm.connector.deliver([first], journal)
        crm.box.faults.add("", "reset_after", after=request)
        (outcome,) = crm.connector.deliver([completed(first, journal)], journal)
        crm.box.faults.clear()
        if isinstance(outcome, Receipt):
            break
        unclear = isinstance(outcome, Unclear)
        assert unclear or isinstance(outcome, TryLater)
        (outcome,) = crm.connector.deliver([completed(first, journal, look_first=unclear)], journal)
        assert isinstance(outcome, Receipt)
        assert told(crm).count("Площадь: сто") == request + 1
    assert request >= 2
    assert told(crm).count("Площадь: сто") == len(crm.leads()) == request + 1


def test_a_lead_that_is_gone_is_not_made_again(crm, draft, journal):
    needs(crm, "updates")
    first = partial(draft)
    (made,) = crm.connector.deliver([first], journal)
    crm.erase(made.journal["lead"])
    before = len(crm.leads())
    (outcome,) = crm.connector.deliver([completed(first, journal)], journal)
    assert isinstance(outcome, Refused)
    assert len(crm.leads()) == before


# -- when it breaks -----------------------------------------------------------------------------------------


def test_a_busy_crm_is_reported_as_try_later(crm, draft, journal):
    crm.box.faults.add(crm.creation, times=None, **crm.busy)
    (outcome,) = crm.connector.deliver([draft()], journal)
    assert isinstance(outcome, TryLater)
    assert crm.leads() == []


def test_a_crm_that_can_not_be_reached_did_no_work(crm, draft, journal, monkeypatch):
    def unreachable(*args: object, **kwargs: object) -> None:
        raise requests.ConnectTimeout

    monkeypatch.setattr("connectors.http.SESSION.get_adapter", unreachable)
    (outcome,) = crm.connector.deliver([draft()], journal)
    assert isinstance(outcome, TryLater)
    assert outcome.account_wide


def test_a_rejected_token_asks_for_reconnection(crm, draft, journal):
    crm.revoke()
    (outcome,) = crm.connector.deliver([draft()], journal)
    assert isinstance(outcome, NeedsReconnect)
    assert outcome.account_wide
    assert outcome.remedy


def test_an_expired_token_is_renewed_without_a_word(crm, draft, journal):
    needs(crm, "oauth")
    crm.expire()
    (outcome,) = crm.connector.deliver([draft()], journal)
    assert isinstance(outcome, Receipt)
    assert len(crm.leads()) == 1


@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "answer_after", "truncate"])
def test_a_lost_reply_is_unclear_and_then_adopted(crm, draft, journal, action):
    crm.box.faults.add(crm.creation, action, status=502)
    answer = draft()
    (outcome,) = crm.connector.deliver([answer], journal)
    assert isinstance(outcome, Unclear)
    assert len(crm.leads()) == 1

    needs(crm, "find_by_external_id")
    (receipt,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert isinstance(receipt, Receipt)
    assert len(crm.leads()) == 1
    assert receipt.adopted


@pytest.mark.parametrize("action", ["reset", "timeout"])
def test_a_request_lost_on_its_way_is_unclear_and_then_made(crm, draft, journal, action):
    crm.box.faults.add(crm.creation, action)
    answer = draft()
    (outcome,) = crm.connector.deliver([answer], journal)
    assert isinstance(outcome, Unclear)

    needs(crm, "find_by_external_id")
    (receipt,) = crm.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert isinstance(receipt, Receipt)
    assert (receipt.adopted, len(crm.leads())) == (False, 1)


def test_look_up_works_exactly_when_it_is_claimed(crm, draft, journal):
    answer = draft()
    (receipt,) = crm.connector.deliver([answer], journal)
    if not crm.connector.can.find_by_external_id:
        with pytest.raises(NotImplementedError):
            crm.connector.find_all([answer.uid])
        return
    every = crm.connector.find_all([answer.uid, "qz-nobody"])
    assert list(every[answer.uid]) == [receipt.journal["lead"]]
    assert not every.get("qz-nobody")


def test_a_journal_that_fails_is_no_reason_to_raise(crm, draft):
    class Broken(Notebook):
        def record(self, done: object) -> None:
            raise RuntimeError("the database is away")

    (outcome,) = crm.connector.deliver([draft()], Broken())
    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"note": "🌷\x00\ud83d" * 100},
        {"price": "много"},
        {"placement": Placement("x", "y", "z", "w")},
        {"known_contact": "not an id"},
        {"journal": {"contact": "not an id"}},
        {"utm": {"": "", "utm_source": "x" * 5000}},
        {"title": "т" * 5000, "company": "ю" * 5000},
    ],
    ids=lambda value: next(iter(value)),
)
def test_strange_drafts_get_an_outcome(crm, draft, journal, changes):
    (outcome,) = crm.connector.deliver([draft(**changes)], journal)
    assert isinstance(outcome, Receipt | ConnectorError)
    assert not isinstance(outcome, Unclear)
    assert getattr(outcome, "code", "") != "unexpected"
    assert crm.connector.plan(draft(**changes)).requests


# -- the preview, and what is seen ------------------------------------------------------------------


def test_a_plan_sends_nothing_and_is_what_is_sent(crm, draft, journal):
    answer = draft()
    crm.box.journal.clear()
    plan = crm.connector.plan(answer)
    assert len(crm.box.journal) == 0
    crm.connector.deliver([answer], journal)
    sent = [(entry.method, entry.path) for entry in crm.box.journal]
    assert [(r.method, requests.utils.urlparse(r.url).path) for r in plan.requests] == sent


def test_nothing_secret_is_seen(crm, draft, journal, caplog):
    caplog.set_level("DEBUG", "connectors")
    (receipt,) = crm.connector.deliver([draft()], journal)
    plan = crm.connector.plan(draft())
    shown = [repr((receipt, plan, crm.connector, crm.connector.auth, crm.connector.remote))]
    secrets = crm.secrets()
    crm.revoke()
    (error,) = crm.connector.deliver([draft()], journal)
    shown += [repr((error, vars(error))), str(error), *map(repr, map(vars, caplog.records))]
    assert not any(secret in text for secret in secrets for text in shown)


def test_errors_say_what_to_do_next(crm, draft, journal):
    crm.revoke()
    (error,) = crm.connector.deliver([draft()], journal)
    assert error.next_step != "give_up"
    assert error.message
    assert error.code


def test_a_draft_is_left_as_it_was(crm, draft, journal):
    answer = draft(journal={}, utm={"utm_source": "ads"})
    before = replace(answer, journal=dict(answer.journal), utm=dict(answer.utm))
    crm.connector.deliver([answer], journal)
    assert answer == before
