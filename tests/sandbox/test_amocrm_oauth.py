"""Reference section 9, lines 1 to 11: the number in a test's name is the line."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.core import Dropped

DAY = 86400


def test_01_consent_ends_at_the_configured_uri(amo, account, oauth):
    url = oauth.authorize_url(state="s1", redirect_uri="https://evil.example/")
    location = amo.consent(url, account)
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(amo.integration.redirect_uri + "?")
    assert query.keys() == {"code", "referer", "state", "platform", "client_id"}
    assert (query["referer"], query["state"], query["platform"]) == ("demo7.amocrm.ru", "s1", "1")


def test_01_an_unknown_client_sees_an_error_page(amo):
    reply = amo.handle("GET", "https://www.amocrm.ru/oauth?client_id=nobody")
    assert reply.status == 400
    assert reply.headers["Content-Type"].startswith("text/html")


def test_01_the_client_id_in_the_redirect_is_a_switch(amo, oauth):
    amo.switches["redirect_client_id"] = False
    assert "client_id" not in oauth.consent()


def test_01_only_an_administrator_gives_the_first_grant(amo, account, oauth):
    person = next(user for user in account.users.values() if not user.is_admin and user.is_active)
    with pytest.raises(ValueError, match="403"):
        amo.consent(oauth.authorize_url(), account, user=person)
    amo.consent(oauth.authorize_url(), account)
    assert "code=" in amo.consent(oauth.authorize_url(), account, user=person)


def test_02_without_a_state_the_redirect_has_none(oauth):
    assert "state" not in oauth.consent()


def test_02_a_denial_carries_the_state_and_no_code(oauth):
    assert oauth.consent(state="s2", allow=False) == {"error": "access_denied", "state": "s2"}


def test_03_a_code_works_once(oauth):
    code = oauth.consent()["code"]
    assert oauth.exchange(code).status == 200
    again = oauth.exchange(code)
    assert (again.status, again.value()["hint"]) == (400, "Authorization code has been revoked")


def test_03_a_code_lives_twenty_minutes(amo, oauth):
    code = oauth.consent()["code"]
    amo.clock.advance(20 * 60)
    reply = oauth.exchange(code)
    assert (reply.status, reply.value()["hint"]) == (400, "Authorization code has expired")


def test_03_a_garbage_code_cannot_be_decrypted(oauth):
    reply = oauth.exchange("garbage")
    assert (reply.status, reply.value()["hint"]) == (400, "Cannot decrypt the authorization code")


@pytest.mark.parametrize("change", ["slash", "absent"], ids=["trailing slash", "absent"])
def test_04_the_redirect_uri_must_be_the_configured_one(amo, oauth, change):
    uri = amo.integration.redirect_uri + "/" if change == "slash" else None
    reply = oauth.exchange(oauth.consent()["code"], redirect_uri=uri)
    assert reply.status == 401
    assert reply.value()["title"] == "Некорректный клиент"


def test_05_a_wrong_secret_is_refused_without_a_hint(oauth):
    reply = oauth.exchange(oauth.consent()["code"], client_secret="wrong")
    assert reply.status == 401
    assert "hint" not in reply.value()
    assert reply.value()["type"].endswith("OAuthProblemJson")


def test_05_the_www_host_issues_no_tokens(oauth):
    reply = oauth.token("https://www.amocrm.ru/oauth2/access_token", grant_type="refresh_token")
    assert (reply.status, reply.value()["hint"]) == (400, "Send request to account")


def test_05_a_missing_client_id_is_named(oauth):
    reply = oauth.exchange("code", client_id=None)
    assert (reply.status, reply.value()["hint"]) == (400, "Check the `client_id` parameter")


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_06_the_token_reply_has_exactly_its_keys(amo, account, oauth):
    tokens = oauth.pair()
    assert tokens.keys() == {"token_type", "expires_in", "server_time", "access_token", "refresh_token"}
    assert (tokens["expires_in"], tokens["server_time"]) == (DAY, amo.clock.unix())
    told = claims(tokens["access_token"])
    assert told["exp"] == amo.clock.unix() + DAY
    assert (told["account_id"], told["sub"]) == (account.id, str(account.admin.id))
    assert (told["base_domain"], told["api_domain"]) == ("amocrm.ru", "api-b.amocrm.ru")
    assert "crm" in told["scopes"]


def test_07_refresh_rotates_and_the_old_token_is_revoked(oauth):
    old = oauth.pair()["refresh_token"]
    new = oauth.refresh(old).value()["refresh_token"]
    assert new != old
    again = oauth.refresh(old)
    assert (again.status, again.value()["hint"]) == (401, "Token has been revoked")
    assert oauth.refresh(new).status == 200


def test_07_kommo_keeps_the_old_token_until_the_new_pair_is_used(amo, oauth, api):
    amo.switches["refresh_grace"] = "kommo"
    old = oauth.pair()["refresh_token"]
    assert oauth.refresh(old).status == 200
    second = oauth.refresh(old)
    assert second.status == 200
    api.token = second.value()["access_token"]
    assert api.get("/account").status == 200
    assert oauth.refresh(old).value()["hint"] == "Token has been revoked"


def test_08_rotated_but_the_reply_is_lost(amo, oauth):
    old = oauth.pair()["refresh_token"]
    amo.faults.add("/oauth2/access_token", "reset_after", contains='"refresh_token"')
    with pytest.raises(Dropped):
        oauth.refresh(old)
    assert oauth.refresh(old).value()["hint"] == "Token has been revoked"


def test_09_an_access_token_lives_a_day(amo, oauth, api):
    api.token = oauth.pair()["access_token"]
    amo.clock.advance(DAY - 1)
    assert api.get("/account").status == 200
    amo.clock.advance(1)
    assert api.get("/account").status == 401


def test_09_a_refresh_token_lives_three_months(amo, oauth):
    first, second = oauth.pair(), oauth.pair()
    amo.clock.advance(89 * DAY)
    assert oauth.refresh(first["refresh_token"]).status == 200
    amo.clock.advance(4 * DAY)
    assert oauth.refresh(second["refresh_token"]).status == 401


def test_10_uninstall_revokes_then_calls_the_hook(amo, account, oauth, api):
    seen = []
    amo.integration.uninstall_url = "https://quiz.example/uninstalled"
    amo.courier = lambda method, url, *_: seen.append((method, url, api.get("/account").status)) or 200
    refresh_token = oauth.pair()["refresh_token"]
    amo.uninstall(account)
    [(method, url, status_during_the_hook)] = seen
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    ours = amo.integration
    message = f"{ours.client_id}|{account.id}".encode()
    expected = hmac.new(ours.client_secret.encode(), message, hashlib.sha256).hexdigest()
    assert method == "GET"
    assert query == {"account_id": str(account.id), "client_uuid": ours.client_id, "signature": expected}
    assert status_during_the_hook == 401
    assert oauth.refresh(refresh_token).status == 401


@pytest.mark.parametrize("status", ["401", "404"])
def test_11_a_renamed_account_leaves_its_old_host(amo, account, api, status):
    amo.switches["renamed_host"] = status
    old = account.host
    amo.rename(account, "newname")
    assert api.call("GET", f"https://{old}/api/v4/account").status == int(status)
    assert api.get("/account").value()["subdomain"] == "newname"


def test_11_the_api_host_tells_the_new_domain_and_spends_nothing(amo, account, oauth):
    refresh_token = oauth.pair()["refresh_token"]
    amo.rename(account, "newname")
    url, headers = (
        "https://api-b.amocrm.ru/oauth2/account/current/subdomain",
        {"X-Refresh-Token": refresh_token},
    )
    for _ in range(2):
        found = amo.handle("GET", url, headers).value()
        assert found["domain"] == "newname.amocrm.ru"
        assert found.keys() == {"id", "subdomain", "domain", "top_level_domain"}
    assert amo.handle("GET", url, {"X-Refresh-Token": "dead"}).status == 401
    new_home = oauth.token(
        "https://newname.amocrm.ru/oauth2/access_token",
        grant_type="refresh_token",
        refresh_token=refresh_token,
    )
    assert new_home.status == 200
