"""Signing in to the local amoCRM: the consent, the exchange, the refresh, the uninstall call."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.amocrm.auth import AmoSignIn, jwt_claims
from connectors.auth import Tokens
from connectors.base import Callback
from connectors.errors import BadCallback, NeedsReconnect, OurMistake, TryLater
from connectors.hosts import HostPolicy
from tests.connectors.amocrm.shop import HOSTS

TOKEN = r"/oauth2/access_token"


@pytest.fixture
def account(amo):
    return amo.add_account("demo7")


@pytest.fixture
def tokens(amo, account) -> Tokens:
    issued = amo.issue_tokens(account)
    return Tokens(issued["access_token"], issued["refresh_token"])


def came_back(amo, sign_in, account, **rest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(amo.consent(sign_in.authorize_url("st-1"), account, **rest)).query))


# -- the consent page ------------------------------------------------------------------------------


def test_the_way_through_the_consent_page(amo, sign_in, account):
    query = came_back(amo, sign_in, account)
    assert query["state"] == "st-1"
    grant = sign_in.exchange(sign_in.read_callback(query))
    assert (grant.host, grant.remote_id) == ("demo7.amocrm.ru", str(account.id))
    assert grant.tokens.expires_at == pytest.approx(amo.clock.now() + 86400, abs=5)
    assert amo.tokens.accepted(grant.tokens.access, amo.clock.now())


def test_a_denial_is_said(amo, sign_in, account):
    with pytest.raises(BadCallback, match="not granted"):
        sign_in.read_callback(came_back(amo, sign_in, account, allow=False))


GOOD = {"code": "c", "referer": "demo7.amocrm.ru", "state": "s", "platform": "1"}


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({}, "demo7.amocrm.ru"),
        ({"referer": "https://demo7.amocrm.ru"}, "demo7.amocrm.ru"),
        ({"referer": "demo7.kommo.com", "platform": "2"}, "demo7.kommo.com"),
        ({"platform": ""}, "demo7.amocrm.ru"),
    ],
)
def test_good_callbacks(sign_in, changes, host):
    assert sign_in.read_callback(GOOD | changes) == Callback("c", host)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": ""},
        {"referer": ""},
        {"referer": "evil.example"},
        {"referer": "demo7.amocrm.ru.evil.example"},
        {"referer": "www.amocrm.ru"},
        {"referer": "api-b.amocrm.ru"},
        {"referer": "shard152.amocrm.ru"},
        {"referer": "127.0.0.1:8111"},
        {"platform": "2"},
        {"platform": "3"},
        {"referer": "demo7.kommo.com"},
        {"client_id": "another"},
    ],
)
def test_bad_callbacks(sign_in, changes):
    with pytest.raises(BadCallback):
        sign_in.read_callback(GOOD | changes)


def test_a_local_crm_is_a_host_only_by_setting(options):
    local = AmoSignIn(options, replace(HOSTS, sandbox=frozenset({"127.0.0.1:8111"})))
    assert local.read_callback(GOOD | {"referer": "127.0.0.1:8111"}).host == "127.0.0.1:8111"


# -- the exchange ----------------------------------------------------------------------------------


def test_a_code_works_once(amo, sign_in, account):
    callback = sign_in.read_callback(came_back(amo, sign_in, account))
    sign_in.exchange(callback)
    with pytest.raises(BadCallback, match="used already"):
        sign_in.exchange(callback)


def test_an_old_code_is_said_to_be_old(amo, sign_in, account):
    callback = sign_in.read_callback(came_back(amo, sign_in, account))
    amo.clock.advance(21 * 60)
    with pytest.raises(BadCallback, match="expired"):
        sign_in.exchange(callback)


def test_a_damaged_code(sign_in, account):
    with pytest.raises(BadCallback, match="damaged"):
        sign_in.exchange(Callback("garbage", "demo7.amocrm.ru"))


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"redirect_uri": "https://quiz.example/"}])
def test_our_own_mistakes_blame_no_account(amo, options, account, tokens, change):
    sign_in = AmoSignIn(replace(options, **change), HOSTS)
    callback = sign_in.read_callback(came_back(amo, sign_in, account))
    with pytest.raises(OurMistake):
        sign_in.exchange(callback)
    with pytest.raises(OurMistake):
        sign_in.refresh("demo7.amocrm.ru", tokens)


def test_an_exchange_waits_for_a_sick_server(amo, sign_in, account):
    callback = sign_in.read_callback(came_back(amo, sign_in, account))
    amo.faults.add(TOKEN, status=502)
    with pytest.raises(TryLater):
        sign_in.exchange(callback)


def test_the_secret_goes_to_no_stranger(options, amo):
    with pytest.raises(OurMistake):
        AmoSignIn(options, HostPolicy(("kommo.com",))).exchange(Callback("c", "demo7.amocrm.ru"))
    assert len(amo.journal) == 0


# -- the refresh -----------------------------------------------------------------------------------


def test_a_refresh_rotates_the_pair(amo, sign_in, account, tokens):
    grant = sign_in.refresh("demo7.amocrm.ru", tokens)
    assert grant.host == "demo7.amocrm.ru"
    assert grant.tokens.refresh != tokens.refresh
    sign_in.refresh("demo7.amocrm.ru", grant.tokens)


def test_a_used_refresh_token_needs_a_reconnection(sign_in, account, tokens):
    sign_in.refresh("demo7.amocrm.ru", tokens)
    with pytest.raises(NeedsReconnect):
        sign_in.refresh("demo7.amocrm.ru", tokens)


@pytest.mark.parametrize("status", [400, 401])
def test_a_garbage_refresh_token_needs_a_reconnection(amo, sign_in, tokens, status):
    amo.switches["garbage_refresh_status"] = status
    with pytest.raises(NeedsReconnect):
        sign_in.refresh("demo7.amocrm.ru", replace(tokens, refresh="garbage"))


def test_a_refresh_token_dies_of_age(amo, sign_in, tokens):
    amo.clock.advance(100 * 24 * 3600)
    with pytest.raises(NeedsReconnect):
        sign_in.refresh("demo7.amocrm.ru", tokens)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"status": 403},
        {"status": 429},
        {"action": "reset"},
        {"action": "timeout"},
        {"action": "truncate"},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": '{"access_token": ""}', "content_type": "application/json"},
        {"status": 401, "body": "<html>"},
    ],
    ids=str,
)
def test_a_refresh_without_a_clear_answer_is_repeated_later(amo, sign_in, tokens, fault):
    amo.faults.add(TOKEN, **fault)
    with pytest.raises(TryLater):
        sign_in.refresh("demo7.amocrm.ru", tokens)


def test_a_lost_refresh_is_repeated_with_the_same_token(amo, sign_in, tokens):
    amo.switches["refresh_grace"] = "kommo"
    amo.faults.add(TOKEN, "reset_after")
    with pytest.raises(TryLater):
        sign_in.refresh("demo7.amocrm.ru", tokens)
    assert sign_in.refresh("demo7.amocrm.ru", tokens).tokens.access


@pytest.mark.parametrize("status", ["401", "404"])
def test_a_renamed_account_is_followed(amo, sign_in, account, tokens, status):
    amo.switches["renamed_host"] = status
    amo.rename(account, "newname")
    grant = sign_in.refresh("demo7.amocrm.ru", tokens)
    assert grant.host == "newname.amocrm.ru"
    assert amo.tokens.accepted(grant.tokens.access, amo.clock.now())


def test_a_renamed_account_whose_token_is_dead_needs_a_reconnection(amo, sign_in, account, tokens):
    amo.rename(account, "newname")
    amo.revoke(account)
    with pytest.raises(NeedsReconnect):
        sign_in.refresh("demo7.amocrm.ru", tokens)


def test_a_look_up_that_fails_waits(amo, sign_in, account, tokens):
    amo.rename(account, "newname")
    amo.faults.add("/oauth2/account/current/subdomain", status=503)
    with pytest.raises(TryLater):
        sign_in.refresh("demo7.amocrm.ru", tokens)


def test_the_refresh_token_is_shown_to_no_stranger(amo, sign_in, account, mocked):
    amo.rename(account, "newname")
    forged = forge({"api_domain": "evil.example"})
    with pytest.raises(TryLater):
        sign_in.refresh("demo7.amocrm.ru", Tokens(forged, "refresh"))
    assert all("evil" not in str(call.request.url) for call in mocked.calls)


def test_a_look_up_that_names_a_stranger_is_not_followed(amo, sign_in, account, tokens):
    amo.rename(account, "newname")
    evil = '{"domain": "evil.example"}'
    amo.faults.add("/subdomain", status=200, body=evil, content_type="application/json")
    with pytest.raises(TryLater) as refused:
        sign_in.refresh("demo7.amocrm.ru", tokens)
    assert str(refused.value) == "'evil.example' is not an address of this CRM"
    assert refused.value.account_wide


def test_a_refusal_that_nobody_knows_concerns_the_whole_account(amo, sign_in, account, tokens):
    strange = '{"hint": "Come back on Monday"}'
    amo.faults.add(TOKEN, status=400, body=strange, content_type="application/json")
    with pytest.raises(TryLater) as refused:
        sign_in.refresh("demo7.amocrm.ru", tokens)
    assert (refused.value.code, refused.value.account_wide) == ("http_400", True)


def forge(payload: dict[str, str]) -> str:
    import base64
    import json

    return f"x.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.x"


@pytest.mark.parametrize("token", ["", "a.b", "a.%%%.c", "a.W10.c", forge({})])
def test_claims_of_anything_are_read_without_a_fuss(token):
    assert jwt_claims(token) == {}


def test_nothing_secret_is_in_a_repr_or_an_error(amo, options, sign_in, tokens, account):
    amo.revoke(account)
    with pytest.raises(NeedsReconnect) as caught:
        sign_in.refresh("demo7.amocrm.ru", tokens)
    shown = repr((tokens, options, sign_in, caught.value, caught.value.trace, str(caught.value)))
    assert tokens.access not in shown
    assert tokens.refresh not in shown
    assert options.client_secret not in shown
