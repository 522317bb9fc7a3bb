"""A quiz account's owner connects a Bitrix24 portal, through the HTTP API alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import Account, ConnectAttempt, Token
from tests.bitrix import OWN_HOST, come_back, name_portal

pytestmark = pytest.mark.django_db


@pytest.fixture
def returned(b24, dentist, caller, queued):
    """Where Bitrix24 sends the browser of somebody who named the portal and allowed us in."""
    return b24.consent(name_portal(caller(), dentist.host).json()["link"], dentist)


def test_an_account_is_shown_from_its_naming_on_and_stale_until_it_is_authorised(
    connect_portal, caller, dentist
):
    assert caller().get("/bitrix/account").status_code == 404
    pending = name_portal(caller(), "https://Dentist.bitrix24.ru/crm/?x=1").json()
    link = pending.pop("link")
    assert link.startswith("https://dentist.bitrix24.ru/oauth/authorize/?client_id=")
    assert (pending["bitrixID"], pending["stale"], pending["subdomain"]) == ("", True, "dentist")
    assert caller().get("/bitrix/account").json() == pending

    connect_portal(dentist)

    body = caller().get("/bitrix/account").json()
    assert body == {
        "id": Account.objects.get().pk,
        "accountID": "shop",
        "bitrixID": dentist.member_id,
        "deleted": False,
        "createdAt": pending["createdAt"],
        "subdomain": "dentist",
        "stale": False,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["createdAt"])


def test_the_browser_is_sent_on_to_the_first_listed_address_or_to_a_page_of_ours(
    connect_portal, dentist, settings, browser
):
    answer = connect_portal(dentist)
    assert (answer.status_code, answer["Location"]) == (302, "/connected/bitrix24")
    assert answer["Cache-Control"] == "no-store"
    assert "Bitrix24 is connected" in browser.get(answer["Location"]).content.decode()

    settings.RETURN_URLS = ["https://quiz.example/crm"]
    assert connect_portal(dentist)["Location"] == "https://quiz.example/crm"


def test_a_caller_may_name_the_address_if_it_is_listed(b24, dentist, caller, queued, settings):
    settings.RETURN_URLS = ["https://quiz.example/crm"]
    asked = name_portal(caller(), dentist.host, return_url="https://quiz.example/crm/7")
    assert come_back(b24.consent(asked.json()["link"], dentist))["Location"] == "https://quiz.example/crm/7"

    refused = name_portal(caller(), dentist.host, return_url="https://evil.example/")
    assert refused.status_code == 400
    assert "return address" in refused.json()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "dentist",
        "localhost",
        "127.0.0.1",
        "169.254.169.254",
        "https://dentist.bitrix24.ru:8443/",
        "https://me@dentist.bitrix24.ru/",
        "https://dentist.bitrix24.ru.evil.example",
        "https://oauth.bitrix24.tech/",
        "https://дантист.bitrix24.ru/",
    ],
)
def test_what_is_no_portal_is_refused_with_a_sentence(b24, caller, typed):
    answer = name_portal(caller(), typed)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    assert not Account.objects.exists()


def test_a_portal_under_a_name_of_its_own_is_taken_where_the_operator_allows_it(
    b24, caller, settings, connect_portal
):
    box = b24.add_portal("box", own_host=OWN_HOST)
    assert name_portal(caller(), f"https://{OWN_HOST}/").status_code == 400

    options = replace(settings.CRM_OPTIONS["bitrix24"], self_hosted=(OWN_HOST,))
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "bitrix24": options}
    assert connect_portal(box).status_code == 302
    assert caller().get("/bitrix/account").json()["subdomain"] == OWN_HOST


@pytest.mark.parametrize("missing", ["code", "state", "domain", "member_id", "server_domain"])
def test_a_return_without_one_of_its_parameters_is_refused(returned, missing):
    answer = come_back(returned, **{missing: ""})
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    assert Account.objects.get().state == "connecting"


@pytest.mark.parametrize(
    "forged",
    [
        {"domain": "other.bitrix24.ru"},
        {"server_domain": "oauth.evil.example"},
        {"member_id": "f" * 32},
        {"code": "guessed"},
        {"state": "bm8="},
    ],
)
def test_a_return_from_another_portal_or_with_a_false_word_is_refused(returned, forged, b24):
    assert come_back(returned, **forged).status_code == 400
    assert Account.objects.get().remote_id == ""
    assert not Token.objects.exists()


def test_the_wrong_portal_can_not_be_slipped_in(b24, dentist, caller, queued):
    """The link was for one portal, somebody of another one pressed "Allow"."""
    other = b24.add_portal("rival")
    link = name_portal(caller(), dentist.host).json()["link"]
    answer = come_back(b24.consent(link.replace(dentist.host, other.host), other))
    assert answer.status_code == 400
    assert "rival.bitrix24.ru" in answer.json()


def test_an_address_works_once(returned):
    assert come_back(returned).status_code == 302
    assert come_back(returned).status_code == 400
    assert ConnectAttempt.objects.get().outcome == "connected"


def test_an_old_code_is_refused_with_what_to_do(returned, b24):
    b24.clock.advance(31)
    answer = come_back(returned)
    assert answer.status_code == 400
    assert "once more" in answer.json()


def test_reconnecting_keeps_the_account(connect_portal, dentist):
    connect_portal(dentist)
    first = Account.objects.get()
    connect_portal(dentist)
    assert Account.objects.get() == first


def test_naming_a_portal_again_leaves_the_live_account_at_work(connect_portal, dentist, caller, b24):
    connect_portal(dentist)
    b24.add_portal("orthodontist")
    again = name_portal(caller(), "orthodontist.bitrix24.ru").json()
    assert (again["subdomain"], again["stale"], again["bitrixID"]) == ("dentist", False, dentist.member_id)


def test_a_deleted_account_is_gone_and_may_be_replaced(connect_portal, b24, dentist, caller):
    connect_portal(dentist)
    first = caller().get("/bitrix/account").json()["id"]
    for _ in range(2):
        assert caller().delete("/bitrix/account").json() == "Success"
    assert caller().get("/bitrix/account").status_code == 404
    assert caller().get("/bitrix/steps").status_code == 404
    assert not Token.objects.exists()
    connect_portal(b24.add_portal("orthodontist"))
    shown = caller().get("/bitrix/account").json()
    assert (shown["subdomain"], shown["id"] == first) == ("orthodontist", False)


def test_two_quiz_accounts_may_share_a_portal(connect_portal, dentist):
    connect_portal(dentist)
    connect_portal(dentist, account_id="branch")
    assert Account.objects.filter(remote_id=dentist.member_id, state="active").count() == 2


def test_an_account_that_lost_its_tokens_is_stale(connect_portal, dentist, caller):
    connect_portal(dentist)
    Account.objects.update(state="needs_reconnect", state_since=timezone.now())
    assert caller().get("/bitrix/account").json()["stale"] is True


def test_a_sign_of_life_needs_a_token_and_no_account(caller, client):
    assert caller("nobody").get("/bitrix").json() == "OK"
    assert client.get("/bitrix").status_code == 401
