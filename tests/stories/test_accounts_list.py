"""GET /accounts: how all CRM accounts of a quiz account are, and what waits for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import states
from accounts.models import Account
from crm_cache.refresh import run_waiting
from rules.models import Rule
from tests.bitrix import name_portal


def listed(shop: Any, query: str = "") -> list[dict[str, Any]]:
    answer = shop.api.get(f"/accounts{query}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["count"] == len(body["items"])
    return body["items"]


def test_an_active_account_tells_how_it_is(owner):
    [shown] = owner.accounts()
    account = owner.shop.account
    assert (shown["id"], shown["crm"], shown["remoteID"]) == (account.pk, account.crm, account.remote_id)
    assert (shown["state"], shown["why"], shown["remedy"]) == ("active", "", "")
    assert datetime.fromisoformat(shown["connectedAt"]) == account.connected_at
    assert (shown["rules"], shown["ruleProblems"]) == (1, [])
    assert (shown["waiting"], shown["held"], shown["oldestWaiting"]) == (0, {}, None)
    assert shown["lists"]
    for state in shown["lists"].values():
        assert state.pop("syncedAt")
        assert state == {"complete": True, "running": False, "error": ""}


def test_only_what_expires_says_until_when(owner_of):
    [shown] = owner_of("amocrm").accounts()
    assert datetime.fromisoformat(shown["expiresAt"]) > datetime.fromisoformat(shown["connectedAt"])


def test_lists_are_not_complete_until_they_were_read_to_their_end(amo, flower_shop, connect, caller, db):
    connect(flower_shop)
    amo.faults.add("/companies/custom_fields", "answer", status=500, times=None)
    account = Account.objects.get()
    run_waiting(account.pk)
    [shown] = caller().get("/accounts").json()["items"]
    assert (shown["lists"]["users"]["complete"], shown["lists"]["users"]["error"]) == (True, "")
    fields = shown["lists"]["fields"]
    assert (fields["complete"], fields["syncedAt"]) == (False, None)
    assert fields["error"]


def test_what_waits_is_counted_by_its_reason(quiz):
    quiz.post()
    states.pause(quiz.account, "moving house")
    quiz.work()
    quiz.post()
    [shown] = listed(quiz)
    assert (shown["state"], shown["why"]) == ("paused", "moving house")
    assert shown["remedy"] == "The operator of this service resumes it."
    assert (shown["waiting"] + sum(shown["held"].values()), shown["held"]["paused"] >= 1) == (2, True)
    assert shown["oldestWaiting"]


def test_rules_with_problems_are_named(quiz):
    Rule.objects.update(quiz={"title": "Ремонт"}, problems=[{"code": "x", "message": "y", "field": "z"}] * 2)
    [shown] = listed(quiz)
    assert shown["ruleProblems"] == [{"quizID": 42, "title": "Ремонт", "problems": 2}]


def test_an_account_that_wants_reconnecting_says_so_wherever_one_looks(owner):
    crm = owner.shop.account.get_crm_display()
    states.needs_reconnect(owner.shop.account, "The owner has left the company.")

    [shown] = owner.accounts()
    assert (shown["state"], shown["why"]) == ("needs_reconnect", "The owner has left the company.")
    assert shown["remedy"].startswith(f"Connect {crm} again")
    assert owner.account().status_code == 200
    [problem] = owner.rule().json()["Problems"]
    assert (problem["code"], crm in problem["message"]) == ("account_needs_reconnect", True)
    assert Rule.objects.get().problems == []
    refused = owner.shop.api.patch(f"{owner.prefix}/users")
    assert refused.status_code == 404
    assert "Connect it again" in refused.json()

    owner.again()
    assert owner.rule().json()["Problems"] == []
    assert owner.shop.api.patch(f"{owner.prefix}/users").json() == "Success"


def test_a_disconnected_account_keeps_its_rules_and_what_waits_and_names_them(owner):
    owner.shop.post()
    owner.disconnect()
    owner.shop.work()
    [former] = owner.accounts()
    assert (former["state"], former["why"]) == ("disconnected", "Its owner disconnected it over REST")
    assert "its rules, and what waits, go on" in former["remedy"]
    assert (former["rules"], sum(former["held"].values()), former["expiresAt"]) == (1, 1, None)

    owner.other()
    live, former = owner.accounts()
    assert (live["state"], live["rules"], former["rules"]) == ("active", 0, 1)
    assert "is connected in its place: disconnect that one first" in former["remedy"]


def test_a_pending_account_is_told_what_to_finish(clinic):
    clinic.api.delete("/bitrix/account")
    name_portal(clinic.api, clinic.portal.host)
    [shown] = listed(clinic)
    assert shown["state"] == "connecting"
    assert shown["remedy"] == "Finish connecting Bitrix24: open the link and allow access."


def test_a_caller_sees_their_own_accounts_of_the_crm_they_ask_for(quiz, caller):
    assert len(listed(quiz, "?crm=amocrm")) == 1
    assert listed(quiz, "?crm=solos") == []
    assert caller("stranger").get("/accounts").json() == {"count": 0, "items": []}
    refused = quiz.api.get("/accounts?crm=excel")
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "crm")


@pytest.mark.parametrize("more", [0, 8])
def test_it_takes_as_many_queries_for_ten_accounts_as_for_one(quiz, more):
    for number in range(more):
        account = Account.objects.create(
            account_id="shop", crm="amocrm", remote_id=f"9{number}", deleted=True, state="disconnected"
        )
        Rule.objects.create(account=account, quiz_id=number)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(listed(quiz)) == 1 + more
    assert len(queries) == 7
