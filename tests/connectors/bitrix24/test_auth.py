"""Signing in to the local Bitrix24: the consent, the exchange, the refresh, the notices."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.auth import Tokens
from connectors.base import Callback
from connectors.bitrix24.auth import BitrixSignIn, normalise_portal, read_tokens
from connectors.errors import BadCallback, NeedsReconnect, OurMistake, TryLater
from connectors.hosts import HostNotAllowed, HostPolicy
from tests.connectors.bitrix24.dentist import policy

TOKEN = "/oauth/token/"
PORTAL = "demo7.bitrix24.ru"


@pytest.fixture
def portal(bitrix):
    return bitrix.add_portal("demo7")


@pytest.fixture
def tokens(bitrix, portal) -> Tokens:
    issued = bitrix.issue_tokens(portal)
    return Tokens(issued["access_token"], issued["refresh_token"])


def came_back(bitrix, sign_in, portal) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(bitrix.consent(sign_in.authorize_url("st-1", portal.host), portal)).query))


@pytest.mark.parametrize("life", ["soon", None, [], {"a": 1}, -5, 1e300, 10**400, "nan", True])
def test_a_pair_whose_life_makes_no_sense_is_read_all_the_same(life):
    """The former pair is spent."""
    pair = {"access_token": "a", "refresh_token": "r", "expires_in": life, "expires": life}
    found = read_tokens(pair)
    assert (found.access, found.refresh) == ("a", "r")
    assert 0 < found.expires_at <= time.time() + 3600


# -- the portal that a person names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "demo7.bitrix24.ru",
        "https://demo7.bitrix24.ru/",
        "HTTPS://Demo7.Bitrix24.RU/crm/deal/?a=1#b",
        "  http://demo7.bitrix24.ru ",
        "demo7.bitrix24.ru/online",
    ],
)
def test_a_portal_is_read_as_people_type_it(options, typed):
    assert normalise_portal(typed, policy(options), options) == PORTAL


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "bitrix24.ru",
        "https://",
        "oauth.bitrix24.tech",
        "oauth.bitrix.info",
        "www.bitrix24.ru",
        "a.b.bitrix24.ru",
        "demo7.bitrix24.ru.",
        "demo7.bitrix24.ru:8443",
        "demo7.bitrix24.ru:443",
        "demo7.bitrix24.ru.evil.example",
        "demo7.evil-bitrix24.ru",
        "user@demo7.bitrix24.ru",
        "user:pw@demo7.bitrix24.ru",
        "evil.example#@demo7.bitrix24.ru",
        "evil.example\\@demo7.bitrix24.ru",
        "demo7.bitrix24.ru@evil.example",
        "evil.example/demo7.bitrix24.ru",
        "ftp://demo7.bitrix24.ru",
        "https://https://demo7.bitrix24.ru",
        "//demo7.bitrix24.ru",
        "javascript:alert(1)",
        "demo7\n.bitrix24.ru",
        "demo7.bitrix24.ru\r\nHost: evil.example",
        "demo 7.bitrix24.ru",
        "-demo.bitrix24.ru",
        "демо.bitrix24.ru",
        "demo７.bitrix24.ru",
        "demo7。bitrix24.ru",
        "%64emo7.bitrix24.ru",
        "localhost",
        "127.0.0.1",
        "127.0.0.1:8130",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0x7f000001",
        "2130706433",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "metadata.google.internal",
        "portal.corp.local",
        "bitrix.customer.example",
    ],
)
def test_nothing_else_is_a_portal(options, typed):
    with pytest.raises(HostNotAllowed):
        normalise_portal(typed, policy(options), options)


def test_a_portal_under_its_own_domain_is_allowed_by_name(options):
    own = replace(options, self_hosted=("bitrix.customer.example",))
    assert normalise_portal("https://bitrix.customer.example/", policy(own), own) == "bitrix.customer.example"


# -- the consent page ------------------------------------------------------------------------------


def test_the_way_through_the_consent_page(bitrix, sign_in, portal):
    link = sign_in.authorize_url("st-1", PORTAL)
    assert link.startswith("https://demo7.bitrix24.ru/oauth/authorize/?client_id=")
    query = came_back(bitrix, sign_in, portal)
    assert query["state"] == "st-1"
    grant = sign_in.exchange(sign_in.read_callback(query, PORTAL))
    assert (grant.host, grant.remote_id) == (PORTAL, portal.member_id)
    assert grant.tokens.expires_at == pytest.approx(bitrix.clock.now() + 3600, abs=5)
    assert grant.facts["server_endpoint"].startswith("https://oauth.bitrix")
    assert grant.facts["rest_path"] == "/rest/"
    assert grant.facts["user_id"] == str(portal.admin.id)


GOOD = {"code": "c", "domain": PORTAL, "member_id": "m", "server_domain": "oauth.bitrix.info", "state": "s"}


def test_a_good_callback(sign_in):
    assert sign_in.read_callback(GOOD, PORTAL) == Callback("c", PORTAL, "m")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": ""}, "code missing"),
        ({"domain": "", "member_id": ""}, "domain, member_id missing"),
        ({"server_domain": ""}, "server_domain missing"),
        ({"domain": "other.bitrix24.ru"}, "was to be connected"),
        ({"domain": "evil.example"}, "not an address"),
        ({"domain": "oauth.bitrix.info"}, "own server"),
        ({"server_domain": "evil.example"}, "none of Bitrix24's"),
        ({"server_domain": "oauth.bitrix.info.evil.example"}, "none of Bitrix24's"),
        ({"server_domain": PORTAL}, "none of Bitrix24's"),
    ],
)
def test_bad_callbacks_say_what_is_wrong(sign_in, changes, words):
    with pytest.raises(BadCallback, match=words):
        sign_in.read_callback(GOOD | changes, PORTAL)


# -- the exchange ----------------------------------------------------------------------------------


def test_the_secret_goes_to_our_own_server_only_and_in_no_address(bitrix, sign_in, portal):
    query = came_back(bitrix, sign_in, portal) | {"server_domain": "oauth.bitrix.info"}
    bitrix.journal.clear()
    sign_in.exchange(sign_in.read_callback(query, PORTAL))
    (sent,) = bitrix.journal
    assert (sent.method, sent.host, sent.query) == ("POST", "oauth.bitrix24.tech", {})


def test_the_secret_goes_to_no_stranger(options, bitrix):
    stranger = replace(options, exact_hosts=())
    with pytest.raises(OurMistake):
        BitrixSignIn(stranger, HostPolicy(("bitrix24.ru",))).exchange(Callback("c", PORTAL, "m"))
    assert len(bitrix.journal) == 0


def test_a_code_works_once(bitrix, sign_in, portal):
    callback = sign_in.read_callback(came_back(bitrix, sign_in, portal))
    sign_in.exchange(callback)
    with pytest.raises(BadCallback, match="used already"):
        sign_in.exchange(callback)


@pytest.mark.parametrize("code", ["invalid_grant", "expired_token"])
def test_an_old_code_is_said_to_be_old(bitrix, sign_in, portal, code):
    bitrix.switches["code_error"] = code
    callback = sign_in.read_callback(came_back(bitrix, sign_in, portal))
    bitrix.clock.advance(31)
    with pytest.raises(BadCallback, match="old"):
        sign_in.exchange(callback)


@pytest.mark.parametrize("change", [{"host": "other.bitrix24.ru"}, {"remote_id": "somebody"}])
def test_tokens_of_another_portal_are_not_taken(bitrix, sign_in, portal, change):
    callback = sign_in.read_callback(came_back(bitrix, sign_in, portal))
    with pytest.raises(BadCallback, match="another portal"):
        sign_in.exchange(replace(callback, **change))


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"client_id": "nobody"}])
def test_our_own_mistakes_blame_no_account(bitrix, options, sign_in, portal, tokens, change):
    callback = sign_in.read_callback(came_back(bitrix, sign_in, portal))
    wrong = BitrixSignIn(replace(options, **change), policy(options))
    with pytest.raises(OurMistake):
        wrong.exchange(callback)
    with pytest.raises(OurMistake):
        wrong.refresh(PORTAL, tokens)


def test_an_exchange_waits_for_a_sick_server(bitrix, sign_in, portal):
    callback = sign_in.read_callback(came_back(bitrix, sign_in, portal))
    bitrix.faults.add(TOKEN, status=502)
    with pytest.raises(TryLater):
        sign_in.exchange(callback)


# -- the refresh -----------------------------------------------------------------------------------


def test_a_refresh_rotates_the_pair(sign_in, tokens):
    grant = sign_in.refresh(PORTAL, tokens)
    assert (grant.host, grant.tokens.refresh != tokens.refresh) == (PORTAL, True)
    sign_in.refresh(PORTAL, grant.tokens)


def test_a_used_refresh_token_needs_a_reconnection(sign_in, tokens):
    sign_in.refresh(PORTAL, tokens)
    with pytest.raises(NeedsReconnect) as caught:
        sign_in.refresh(PORTAL, tokens)
    assert caught.value.account_wide


def test_a_refresh_half_a_year_late_needs_a_reconnection(bitrix, sign_in, tokens):
    bitrix.clock.advance(181 * 24 * 3600)
    with pytest.raises(NeedsReconnect):
        sign_in.refresh(PORTAL, tokens)


def test_a_removed_application_needs_a_reconnection(bitrix, sign_in, portal, tokens):
    bitrix.uninstall(portal)
    with pytest.raises(NeedsReconnect, match="no longer accepts") as caught:
        sign_in.refresh(PORTAL, tokens)
    assert caught.value.remedy.startswith("Install")


@pytest.mark.parametrize("fault", [{"status": 502}, {"action": "timeout"}, {"action": "reset_after"}])
def test_a_refresh_without_an_answer_is_tried_again(bitrix, sign_in, tokens, fault):
    bitrix.faults.add(TOKEN, **fault)
    with pytest.raises(TryLater):
        sign_in.refresh(PORTAL, tokens)


def answered(bitrix, error: str, status: int = 401, words: str = "") -> None:
    body = f'{{"error": "{error}", "error_description": "{words}"}}'
    bitrix.faults.add(TOKEN, status=status, body=body, content_type="application/json")


@pytest.mark.parametrize(
    ("error", "words", "kind"),
    [
        ("PAYMENT_REQUIRED", "", TryLater),
        ("invalid_grant", "", NeedsReconnect),
        ("invalid_client", "Application not installed", NeedsReconnect),
        ("invalid_client", "", OurMistake),
        ("wrong_client", "", OurMistake),
        ("something_new", "", TryLater),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_code_decides_whatever_the_status_says(bitrix, sign_in, tokens, error, words, kind, status):
    answered(bitrix, error, status, words)
    with pytest.raises(kind):
        sign_in.refresh(PORTAL, tokens)


def test_an_unpaid_portal_is_asked_four_times_an_hour(bitrix, sign_in, tokens):
    answered(bitrix, "PAYMENT_REQUIRED")
    with pytest.raises(TryLater) as caught:
        sign_in.refresh(PORTAL, tokens)
    assert (caught.value.after, caught.value.account_wide) == (900, True)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://oauth.bitrix.info/rest/", "oauth.bitrix.info"),
        ("https://oauth.bitrix24.tech/rest/", "oauth.bitrix24.tech"),
        ("https://evil.example/rest/", "oauth.bitrix24.tech"),
        ("", "oauth.bitrix24.tech"),
    ],
)
def test_tokens_are_renewed_where_they_were_issued(bitrix, sign_in, tokens, endpoint, host):
    bitrix.journal.clear()
    sign_in.refresh(PORTAL, tokens, {"server_endpoint": endpoint})
    assert [entry.host for entry in bitrix.journal] == [host]


def test_a_renamed_portal_is_told_by_the_refresh(bitrix, sign_in, portal, tokens):
    bitrix.rename(portal, "smile")
    assert sign_in.refresh(PORTAL, tokens).host == "smile.bitrix24.ru"
