"""Reference section 9, lines 36 to 38 and 40 to 42: the number in a test's name is the line."""

from __future__ import annotations

import re

import pytest

from connectors.sandbox.amocrm import AmoSandbox
from connectors.sandbox.core import Dropped, TimedOut

# -- 36: limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "kind"), [("html", "text/html"), ("json", "application/problem+json")])
def test_36_the_eighth_request_of_a_second_is_429(amo, api, form, kind):
    amo.switches.update({"limits": True, "rate_body": form})
    assert [api.get("/account").status for _ in range(8)] == [200] * 7 + [429]
    reply = api.get("/account")
    assert reply.headers["Content-Type"].startswith(kind)
    assert "Retry-After" not in reply.headers
    amo.clock.advance(1)
    assert api.get("/account").status == 200


def test_36_retry_after_is_a_switch(amo, api):
    amo.switches.update({"limits": True, "retry_after": 3, "rate_body": "json", "rate_integration": 0})
    reply = api.get("/account")
    assert (reply.headers["Retry-After"], reply.value()["retry_after"]) == ("3", 3)


def test_36_a_request_counts_when_it_arrives_however_late_it_is_worked_on(amo, api):
    amo.switches["limits"] = True
    amo.faults.add("/account", "delay", delay=1.05, times=1)
    assert [api.get("/account").status for _ in range(9)] == [200] * 8 + [429]


def test_36_two_integrations_have_windows_of_their_own_and_share_the_account(amo, account, api):
    amo.switches.update({"limits": True, "rate_account": 10})
    other = amo.add_integration("11111111-2222-3333-4444-555555555555")
    mine, others = api.token, amo.issue_tokens(account, integration=other)["access_token"]
    statuses = []
    for token in [mine] * 7 + [others] * 4:
        api.token = token
        statuses.append(api.get("/account").status)
    assert statuses == [200] * 10 + [429]


def test_36_persistent_abuse_blocks_the_account_for_all(amo, account, api, manager):
    amo.switches.update({"limits": True, "abuse_after": 5})
    statuses = [api.get("/account").status for _ in range(13)]
    assert statuses == [200] * 7 + [429] * 5 + [403]
    amo.clock.advance(3600)
    refused = manager.get("/account")
    assert (refused.status, "nginx" in refused.text) == (403, True)
    amo.control("change", {"account": "demo7", "set": {"blocked": False}})
    assert manager.get("/account").status == 200


# -- 37: faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "error", "done"),
    [
        ("reset", Dropped, 0),
        ("reset_after", Dropped, 1),
        ("timeout", TimedOut, 0),
        ("timeout_after", TimedOut, 1),
    ],
)
def test_37_connections_are_lost_before_or_after_the_work(amo, account, api, action, error, done):
    amo.faults.add("/leads/complex", action)
    with pytest.raises(error):
        api.complex({"name": "x"})
    assert len(account.leads) == done
    assert api.complex({"name": "y"}).status == 200


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, "application/problem+json"),
        (502, "text/html"),
        (504, "text/html"),
        (402, "application/problem+json"),
    ],
)
def test_37_statuses_come_with_the_body_of_the_vendor(amo, account, api, status, kind):
    amo.faults.add("/leads", status=status)
    reply = api.post("/leads", [{"name": "x"}])
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith(kind)
    assert not account.leads
    if status == 500:
        assert reply.value().keys() == {"title", "type", "status", "detail", "trace_id"}


def test_37_work_done_reply_lost(amo, account, api):
    amo.faults.add("/leads", "answer_after", status=504)
    assert api.post("/leads", [{"name": "x"}]).status == 504
    assert len(account.leads) == 1


def test_37_the_nth_call_of_a_route_fails(amo, api):
    amo.faults.add("/account$", method="GET", nth=3, status=500)
    assert [api.get("/account").status for _ in range(4)] == [200, 200, 500, 200]


def test_37_a_slow_body_and_half_a_body(amo, api):
    amo.faults.add("/account", "slow", delay=4)
    amo.faults.add("/account", "truncate")
    whole = api.get("/account")
    assert whole.drip == 4
    assert api.get("/account").body == whole.body[: len(whole.body) // 2]


def test_37_an_ended_tariff_is_402(api, account):
    account.tariff_ended = True
    reply = api.get("/account")
    assert (reply.status, reply.value()["title"]) == (402, "Payment Required")


# -- 38: refused tokens -------------------------------------------------------------------------------


def test_38_missing_garbage_expired_and_revoked_tokens_are_401(amo, account, api):
    url = "https://demo7.amocrm.ru/api/v4/account"
    assert amo.handle("GET", url).status == 401
    assert amo.handle("GET", url, {"Authorization": "Bearer garbage"}).status == 401
    amo.expire(account)
    assert api.get("/account").value()["title"] == "Unauthorized"
    api.token = amo.issue_tokens(account)["access_token"]
    assert api.get("/account").status == 200
    amo.revoke(account)
    assert api.get("/account").status == 401


def test_38_a_token_of_another_account_is_401(amo, api):
    other = amo.add_account("other")
    amo.issue_tokens(other)  # the integration is installed there, too
    reply = api.call("GET", f"https://{other.host}/api/v4/account")
    assert reply.status == 401
    assert "error_code" not in reply.value()  # refused for the token, not for an unknown user


def test_38_a_dismissed_managers_token_dies_an_administrators_lives(account, api, manager):
    for client in (api, manager):
        user = account.users[client.get("/account").value()["current_user_id"]]
        user.is_active = False
    assert api.get("/account").status == 200
    assert manager.get("/account").status == 401


def test_38_an_administrators_token_can_borrow_anothers_rights(account, api):
    person = list(account.users)[1]
    assert api.call("GET", "/users", X_Context_User_ID=str(person)).status == 403
    assert api.call("GET", "/users", X_Context_User_ID="1").status == 401


# -- 40 to 42 -----------------------------------------------------------------------------------------


def test_40_every_reply_has_a_request_id_and_its_type(amo, oauth, api):
    number = api.add("leads", name="x")
    amo.faults.add("/tags", status=502)
    replies = {
        "application/hal+json": [
            api.get("/account"),
            api.complex({"name": "x"}),
            api.get(f"/leads/{number}"),
        ],
        "application/problem+json": [api.get("/nope"), api.post("/leads", {}), oauth.exchange("x")],
        "application/json": [oauth.exchange(oauth.consent()["code"])],
        "text/html": [api.get("/leads/tags")],
    }
    ids = [reply.headers["X-Request-Id"] for group in replies.values() for reply in group]
    assert len(set(ids)) == len(ids)
    for kind, group in replies.items():
        assert all(reply.headers["Content-Type"].startswith(kind) for reply in group)
    assert "X-Request-Id" in api.get("/companies").headers


def test_40_an_unknown_path_and_method_are_named(api):
    reply = api.get("/nope")
    assert (reply.status, reply.value()["detail"]) == (404, "Cannot GET https://demo7.amocrm.ru/api/v4/nope")
    assert api.call("PUT", "/leads", []).status == 405


@pytest.mark.parametrize("path", ["/catalogs/5/elements", "/leads/7/subscriptions", "/events/types"])
def test_40_what_the_real_one_has_and_this_one_lacks_says_so(api, path):
    reply = api.get(path)
    assert reply.status == 501
    assert f"has no GET /api/v4{path}; the real one does" in reply.value()["error"]


def test_41_the_journal_keeps_requests_without_secrets(amo, oauth, api):
    tokens = oauth.pair()
    oauth.refresh(tokens["refresh_token"])
    number = api.add("leads", name="Квиз")
    api.get(f"/leads/{number}", **{"with": "contacts"})
    entry = amo.journal.find("GET", r"/leads/\d+")[0]
    assert (entry.host, entry.query, entry.status) == ("demo7.amocrm.ru", {"with": "contacts"}, 200)
    assert amo.journal.find("POST", "/leads")[0].json == [{"name": "Квиз"}]
    assert amo.journal.counts["GET /api/v4/leads/{id}"] == 1
    told = "".join(str(entry.as_dict()) for entry in amo.journal)
    for secret in (amo.integration.client_secret, api.token, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in told
    assert not re.search("def502[0-9a-f]{40}", told)


def test_41_a_dropped_request_is_in_the_journal(amo, api):
    amo.faults.add("/account", "reset")
    with pytest.raises(Dropped):
        api.get("/account")
    assert amo.journal[-1].status == 0


def test_41_the_code_of_a_field_is_no_secret(amo, api):
    api.post("/leads/custom_fields", [{"name": "Метка", "type": "text", "code": "QUIZ_MARK"}])
    assert amo.journal[-1].json[0]["code"] == "QUIZ_MARK"


def test_42_ids_grow_monotonically(amo, api):
    numbers = [api.add("leads", name="x") for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert amo.add_account("other").id < amo.add_account("third").id


def test_42_reset_empties_the_world(amo, api):
    api.add("leads", name="x")
    amo.switches["limits"] = True
    amo.faults.add("/account", "reset")
    amo.reset()
    assert not amo.accounts
    assert not amo.switches["limits"]
    assert len(amo.faults) == len(amo.journal) == 0
    assert api.get("/account").status == 401
    assert amo.add_account("demo7").leads == {}


def test_42_an_account_is_seeded_as_asked():
    account = AmoSandbox().add_account("big", extra_fields=300, pipelines=3, country="KZ", domain="kommo.com")
    assert (account.host, account.country, len(account.pipelines)) == ("big.kommo.com", "KZ", 3)
    assert len(list(account.fields["leads"])) > 300
