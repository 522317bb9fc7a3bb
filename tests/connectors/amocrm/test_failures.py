"""An account that is busy, unpaid, blocked or signed out; and why deliver never raises."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from connectors.draft import Person, Placement, Receipt
from connectors.errors import ConnectorError, NeedsReconnect, Stopped, TryLater, Unclear
from tests.connectors.cast import Notebook, again

COMPLEX = "/leads/complex"
NO_RIGHTS = {"status": 403, "body": '{"detail": "Forbidden"}', "content_type": "application/json"}
NO_SCOPE = {"status": 403, "body": '{"detail": "Invalid scope"}', "content_type": "application/json"}
ELSEWHERE = {"status": 302, "headers": {"Location": "https://evil.example"}, "body": ""}


def notes_of(shop) -> list[int]:
    return [len(lead["notes"]) for lead in shop.leads]


# -- the account as a whole ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ({"status": 429}, TryLater, "busy"),
        ({"status": 402}, TryLater, "unpaid"),
        ({"status": 403}, Stopped, "blocked"),
        (NO_RIGHTS, NeedsReconnect, "no_rights"),
        (NO_SCOPE, NeedsReconnect, "no_scope"),
        (ELSEWHERE, TryLater, "redirected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("path", [COMPLEX, "/api/v4/contacts$"])
def test_an_account_wide_error_reaches_every_draft(shop, amo, draft, deliver, path, fault, kind, code):
    amo.faults.add(path, times=None, **fault)
    outcomes = deliver(draft(), draft(), draft())
    assert {(type(outcome), outcome.code, outcome.account_wide) for outcome in outcomes} == {
        (kind, code, True)
    }
    assert shop.leads == []


def test_an_account_wide_error_of_a_look_up_spares_the_creation(shop, amo, draft, deliver):
    amo.faults.add("/api/v4/contacts$", status=429)
    outcomes = deliver(draft(), draft(person=Person("Без телефона")))
    assert [type(outcome) for outcome in outcomes] == [TryLater, TryLater]
    assert shop.sent() == []


def test_look_ups_end_at_the_first_account_wide_error(shop, amo, draft, deliver):
    amo.faults.add("/api/v4/contacts$", status=429, times=None)
    deliver(*(draft() for _ in range(50)))
    assert len(amo.journal.find("GET", "/contacts$")) == 1


def test_halves_of_a_batch_end_at_the_first_account_wide_error(shop, amo, draft, deliver):
    amo.faults.add(COMPLEX, status=422)
    amo.faults.add(COMPLEX, status=429, times=None)
    outcomes = deliver(*(draft() for _ in range(8)))
    assert {type(outcome) for outcome in outcomes} == {TryLater}
    assert [len(body) for body in shop.sent()] == [8, 4]


@pytest.mark.parametrize("status", ["401", "404"])
def test_a_renamed_account_waits_for_its_new_address(shop, amo, draft, deliver, status):
    def moved(stale):
        raise TryLater("The account has moved", code="moved", account_wide=True)

    amo.switches["renamed_host"] = status
    remote = shop.connector
    amo.rename(shop.account, "newname")
    shop.store.renewer = moved
    (outcome,) = remote.deliver([draft()], Notebook())
    assert (type(outcome), outcome.code) == (TryLater, "moved")


@pytest.mark.parametrize("words", ["Not Found", "Cannot POST https://demo7.amocrm.ru/api/v4/leads/complex"])
def test_an_address_that_every_account_has_is_missed_for_a_while(shop, amo, draft, deliver, words):
    body = json.dumps({"title": "Not Found", "status": 404, "detail": words})
    amo.faults.add(COMPLEX, status=404, body=body, content_type="application/json")
    (outcome,) = deliver(draft())
    assert (type(outcome), outcome.code) == (TryLater, "address_gone")
    assert shop.store.renewals == 0


@pytest.mark.parametrize("body", ["html", "json"])
def test_the_crms_own_wish_is_passed_on(shop, amo, draft, deliver, body):
    amo.switches["retry_after"] = 17
    amo.switches["rate_body"] = body
    amo.faults.add(COMPLEX, status=429)
    (outcome,) = deliver(draft())
    assert outcome.after == 17


def test_an_unpaid_account_waits_a_quarter_of_an_hour_and_says_so(shop, draft, deliver):
    shop.account.tariff_ended = True
    (outcome,) = deliver(draft())
    assert outcome.after == 900
    assert "Pay" in outcome.remedy


def test_tokens_are_read_and_renewed_in_the_callers_thread_and_once(shop, amo, draft, deliver, monkeypatch):
    readers: list[int] = []
    current, renew = shop.store.current, shop.store.renew
    monkeypatch.setattr(shop.store, "current", lambda: readers.append(threading.get_ident()) or current())
    monkeypatch.setattr(shop.store, "renew", lambda old: readers.append(threading.get_ident()) or renew(old))
    amo.expire(shop.account)
    deliver(*(draft() for _ in range(10)))
    assert readers == [threading.get_ident()] * 2


def test_an_account_without_tokens_asks_for_reconnection(shop, draft, deliver, monkeypatch):
    def nothing():
        raise NeedsReconnect("never connected", account_wide=True)

    monkeypatch.setattr(shop.store, "current", nothing)
    assert [type(outcome) for outcome in deliver(draft(), draft())] == [NeedsReconnect, NeedsReconnect]


def test_an_old_token_is_renewed_on_the_way(shop, amo, draft, deliver):
    amo.expire(shop.account)
    outcomes = deliver(*(draft() for _ in range(5)))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert shop.store.renewals == 1


def test_a_revoked_token_asks_for_reconnection(shop, amo, draft, deliver):
    amo.revoke(shop.account)
    outcomes = deliver(draft(), draft())
    assert [type(outcome) for outcome in outcomes] == [NeedsReconnect, NeedsReconnect]


def test_a_limit_of_seven_a_second_is_reported_as_busy(shop, amo, draft, deliver):
    amo.switches["limits"] = True
    amo.clock.freeze()
    outcomes = deliver(*(draft() for _ in range(10)))
    assert {type(outcome) for outcome in outcomes} == {TryLater}


# -- never raises ----------------------------------------------------------------------------------


class BrokenJournal(Notebook):
    def record(self, done):
        raise RuntimeError("the database is away")


def test_a_journal_that_fails_after_the_creation_leaves_it_unclear(shop, draft, journal):
    answer = draft()
    (outcome,) = shop.connector.deliver([answer], BrokenJournal())
    assert isinstance(outcome, Unclear)
    (receipt,) = shop.connector.deliver([again(answer, journal, look_first=True)], journal)
    assert receipt.adopted
    assert len(shop.leads) == 1


def test_a_bug_before_the_creation_did_no_work(shop, draft, deliver, monkeypatch):
    monkeypatch.setattr("connectors.amocrm.delivery.find_contact", lambda *_, **__: 1 / 0)
    outcomes = deliver(draft(), draft(person=Person("Без телефона")))
    assert type(outcomes[0]) is TryLater
    assert outcomes[0].code == "unexpected"
    assert isinstance(outcomes[1], Receipt)


def test_a_draft_that_can_not_be_laid_out_harms_only_itself(shop, draft, deliver):
    broken = draft(placement=Placement(step_kind="incoming"))
    broken = replace(broken, visit=replace(broken.visit, answered_at=None))
    outcomes = deliver(broken, draft())
    assert isinstance(outcomes[0], TryLater)
    assert isinstance(outcomes[1], Receipt)


@pytest.mark.parametrize("action", ["reset", "timeout", "truncate", "reset_after"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_a_break_at_any_request_loses_and_doubles_nothing(shop, amo, draft, journal, action, nth):
    answers = [draft(values=(shop.value("Город", "Казань", "customers"),)), draft()]
    amo.faults.add("/api/v4/", action, nth=nth)
    todo = {answer.uid: answer for answer in answers}
    for _ in range(4):
        outcomes = shop.connector.deliver(list(todo.values()), journal)
        for answer, outcome in zip(list(todo.values()), outcomes, strict=True):
            if isinstance(outcome, ConnectorError):
                look = isinstance(outcome, Unclear) or answer.look_first
                todo[answer.uid] = again(answer, journal, look_first=look)
            else:
                del todo[answer.uid]
        if not todo:
            break
    assert todo == {}
    assert (len(shop.leads), notes_of(shop), len(shop.account.customers)) == (2, [1, 1], 1)
    assert len(shop.account.contacts) == 2
