"""Reference section 9, lines 1 to 11: the number in a test's name is the line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.sandbox.wire import Request

DAY = 86400
KEYS = {
    "access_token", "refresh_token", "expires", "expires_in", "scope", "status", "domain", "server_endpoint",
    "client_endpoint", "member_id", "user_id",
}  # fmt: skip


def app_info(b24, token):
    return b24.handle("GET", f"https://oauth.bitrix24.tech/rest/app.info/?auth={token}")


def test_01_authorize_ends_at_the_uri_of_the_app_card(b24, portal, sign_in):
    url = sign_in.authorize_url(state="s 1+/=", redirect_uri="https://evil.example/")
    location = b24.consent(url, portal)
    query = sign_in.consent(state="s 1+/=")
    assert location.startswith(b24.app.redirect_uri + "?")
    assert query.keys() == {"code", "state", "domain", "member_id", "scope", "server_domain"}
    assert (query["state"], query["domain"]) == ("s 1+/=", "acme.bitrix24.ru")
    assert (query["member_id"], query["server_domain"]) == (portal.member_id, "oauth.bitrix24.tech")


def test_01_the_scope_may_be_missing(b24, sign_in):
    b24.switches["redirect_scope"] = False
    assert "scope" not in sign_in.consent()


def test_01_a_consent_page_can_come_first(b24, portal, sign_in):
    b24.switches["consent_page"] = True
    shown = b24.handle("GET", sign_in.authorize_url(state='"><script>'))
    assert shown.status == 200
    assert "<script>" not in shown.text
    assert "code=" in b24.consent(sign_in.authorize_url(), portal)
    assert b24.consent(sign_in.authorize_url(), portal, allow=False) is None


def test_02_an_unknown_client_sees_a_page(b24, portal, sign_in):
    reply = b24.handle("GET", sign_in.authorize_url(client_id="nobody"))
    assert (reply.status, reply.headers["Content-Type"][:9]) == (200, "text/html")
    assert b24.consent(sign_in.authorize_url(client_id="nobody"), portal) is None


def test_02_an_app_that_is_not_installed_sees_a_page(b24):
    empty = b24.add_portal("empty", installed=False)
    url = f"https://empty.bitrix24.ru/oauth/authorize/?client_id={b24.app.client_id}&state=x"
    assert b24.consent(url, empty) is None
    b24.switches["authorize_error_status"] = 404
    assert b24.handle("GET", url).status == 404


def test_02_a_dismissed_employee_sees_a_page(b24, portal, sign_in):
    gone = next(user for user in portal.users.values() if not user.active)
    assert b24.consent(sign_in.authorize_url(), portal, user=gone) is None


def test_03_a_code_works_once(sign_in):
    code = sign_in.consent()["code"]
    assert sign_in.exchange(code).status == 200
    again = sign_in.exchange(code)
    assert (again.status, again.value()["error"]) == (400, "invalid_grant")


def test_03_a_code_lives_thirty_seconds(b24, sign_in):
    b24.switches["code_error"] = "expired_token"
    code = sign_in.consent()["code"]
    b24.clock.advance(30)
    reply = sign_in.exchange(code)
    assert (reply.status, reply.value()["error"]) == (400, "expired_token")


def test_04_get_and_post_are_equal(b24, portal, sign_in):
    got, posted = (sign_in.exchange(sign_in.consent()["code"], method) for method in ("GET", "POST"))
    assert got.status == posted.status == 200
    assert got.value().keys() == posted.value().keys()
    assert sign_in.refresh(posted.value()["refresh_token"], "POST").status == 200
    b24.switches["token_post"] = "refuse code"
    assert sign_in.exchange(sign_in.consent()["code"], "POST").status == 400


def test_05_a_token_answer_has_every_key(b24, portal, sign_in):
    tokens = sign_in.pair()
    assert tokens.keys() == KEYS
    assert (tokens["domain"], tokens["expires"]) == ("oauth.bitrix24.tech", b24.clock.unix() + 3600)
    assert tokens["client_endpoint"] == "https://acme.bitrix24.ru/rest/"
    assert tokens["server_endpoint"] == "https://oauth.bitrix24.tech/rest/"
    assert (tokens["scope"], tokens["user_id"]) == ("app", portal.admin.id)


def test_04_the_endpoint_names_the_port_that_the_portal_was_reached_by(b24, portal):
    reached = Request.make("GET", "https://acme.bitrix24.ru:8443/rest/scope")
    here = b24.addresses_of(portal, reached)
    assert (here.portal, here.oauth) == ("acme.bitrix24.ru:8443", f"{portal.oauth_host}:8443")


def test_05_the_oauth_host_goes_by_region(b24):
    other = b24.add_portal("acme", domain="bitrix24.de")
    assert b24.issue_tokens(other)["domain"] == "oauth.bitrix.info"


def test_06_a_refresh_kills_the_old_pair(bx, sign_in):
    old = sign_in.pair()
    new = sign_in.refresh(old["refresh_token"]).value()
    assert not {new["access_token"], new["refresh_token"]} & {old["access_token"], old["refresh_token"]}
    again = sign_in.refresh(old["refresh_token"])
    assert (again.status, again.value()["error"]) == (400, "invalid_grant")
    assert bx.refused("scope", auth=old["access_token"]) == (401, "expired_token")
    assert bx.ok("scope", auth=new["access_token"])
    assert bx.ok("scope")  # another chain lives on


def test_06_a_grace_keeps_the_old_pair_for_a_while(b24, bx, sign_in):
    b24.switches["refresh_grace"] = 60.0
    old = sign_in.pair()
    sign_in.refresh(old["refresh_token"])
    assert bx.ok("scope", auth=old["access_token"])
    assert sign_in.refresh(old["refresh_token"]).status == 200
    b24.clock.advance(60)
    assert bx.refused("scope", auth=old["access_token"])[0] == 401
    assert sign_in.refresh(old["refresh_token"]).status == 400


def test_07_of_two_refreshes_one_wins(sign_in):
    refresh = sign_in.pair()["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        statuses = [reply.status for reply in pool.map(sign_in.refresh, [refresh] * 8)]
    assert sorted(statuses) == [200] + [400] * 7


def test_08_a_refresh_token_lives_180_days(b24, sign_in):
    one, two = sign_in.pair(), sign_in.pair()
    b24.clock.advance(180 * DAY - 1)
    assert sign_in.refresh(one["refresh_token"]).status == 200
    b24.clock.advance(1)
    assert sign_in.refresh(two["refresh_token"]).value()["error"] == "invalid_grant"


def test_09_errors_of_the_client(sign_in):
    unknown = sign_in.exchange("x", client_id="nobody")
    assert (unknown.status, unknown.value()) == (200, {"error": "wrong_client"})
    wrong = sign_in.exchange("x", client_secret="guess")
    assert (wrong.status, wrong.value()["error"]) == (400, "invalid_client")
    for missing in ("client_id", "client_secret", "grant_type", "code"):
        reply = sign_in.token(**{"grant_type": "authorization_code", "code": "x", missing: None})
        assert (reply.status, reply.value()["error"]) == (400, "invalid_request")


def test_10_app_info_on_the_oauth_host(b24, portal, sign_in):
    info = app_info(b24, sign_in.pair()["access_token"]).value()
    install = info["result"]["install"]
    assert (install["member_id"], install["status"]) == (portal.member_id, "L")
    assert (install["client_endpoint"], install["installed"]) == ("https://acme.bitrix24.ru/rest/", True)
    assert info["result"]["scope"] == "crm,user,userfieldconfig"
    bad = app_info(b24, "guess")
    assert (bad.status, bad.value()["error"]) == (401, "NO_AUTH_FOUND")


def test_11_uninstall_ends_everything(b24, portal, bx, sign_in, listener):
    b24.app.events_url = "https://quiz.example/events"
    tokens, proof = sign_in.pair(), portal.installed[b24.app.client_id].application_token
    b24.uninstall(portal, clean=True)
    assert bx.refused("scope") == (401, "ERROR_OAUTH")
    b24.switches["uninstalled"] = "APPLICATION_NOT_FOUND"
    assert bx.refused("scope") == (401, "APPLICATION_NOT_FOUND")
    refresh = sign_in.refresh(tokens["refresh_token"])
    assert (refresh.status, refresh.value()["error"]) == (401, "NOT_INSTALLED")
    assert b24.pump() == 1
    [(url, event)] = listener.calls
    assert (url, event["event"], event["data[CLEAN]"]) == (b24.app.events_url, "ONAPPUNINSTALL", "1")
    assert (event["auth[application_token]"], event["auth[member_id]"]) == (proof, portal.member_id)
    assert not {"auth[access_token]", "auth[refresh_token]"} & event.keys()


def test_11_an_uninstall_can_be_forged(b24, portal, bx, listener):
    b24.app.events_url = "https://quiz.example/events"
    b24.forge_uninstall(portal, "guess")
    b24.pump()
    assert listener.calls[0][1]["auth[application_token]"] == "guess"
    assert bx.ok("scope")


def test_11_an_install_brings_tokens(b24, portal, bx, listener):
    b24.app.events_url = "https://quiz.example/events"
    b24.uninstall(portal)
    b24.install(portal)
    b24.pump()
    event = listener.calls[-1][1]
    assert (event["event"], event["auth[domain]"]) == ("ONAPPINSTALL", "acme.bitrix24.ru")
    assert bx.ok("scope", auth=event["auth[access_token]"])
    assert event["auth[application_token]"] == portal.installed[b24.app.client_id].application_token


@pytest.mark.parametrize("plan", ["ended"])
def test_11_a_subscription_that_ended_stops_the_refresh(b24, portal, sign_in, plan):
    tokens = sign_in.pair()
    portal.plan = plan
    refresh = sign_in.refresh(tokens["refresh_token"])
    assert (refresh.status, refresh.value()["error"]) == (401, "PAYMENT_REQUIRED")


def test_11_an_update_drops_the_handlers(b24, portal, bx, listener):
    b24.app.events_url = "https://quiz.example/events"
    proof = portal.installed[b24.app.client_id].application_token
    bx.ok("event.bind", event="ONCRMLEADADD", handler="https://quiz.example/events")
    b24.update_app(portal, new_token=True)
    b24.pump()
    event = listener.calls[0][1]
    assert (event["event"], event["data[PREVIOUS_VERSION]"], event["data[VERSION]"]) == (
        "ONAPPUPDATE",
        "1",
        "2",
    )
    assert event["auth[application_token]"] not in ("", proof)
    assert bx.ok("event.get") == []


def test_01_a_box_has_a_host_of_its_own(b24):
    box = b24.add_portal("box", own_host="crm.client.example", profile="box")
    location = b24.consent(
        f"https://crm.client.example/oauth/authorize/?client_id={b24.app.client_id}&state=x", box
    )
    assert "domain=crm.client.example" in location
    assert b24.issue_tokens(box)["client_endpoint"] == "https://crm.client.example/rest/"
