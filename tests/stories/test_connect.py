"""A quiz account's owner connects amoCRM, through the HTTP API alone."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts import oauth
from accounts.models import Account, ConnectAttempt, Token

pytestmark = pytest.mark.django_db


def back_to_us(location: str, browser: Client | None = None, **changed: str) -> Any:
    """Follow the CRM's redirect, with some of its parameters changed; "" takes one away."""
    parts = urlsplit(location)
    query = {**dict(parse_qsl(parts.query)), **changed}
    query = {name: value for name, value in query.items() if value}
    return (browser or Client()).get(f"{parts.path}?{urlencode(query)}")


@pytest.fixture
def returned(amo, flower_shop, caller, queued):
    """Where amoCRM sends the browser of somebody who pressed "Connect" and "Allow"."""
    return amo.consent(caller().post("/account").json()["link"], flower_shop)


def test_an_account_is_shown_once_it_is_authorised(connect, caller, flower_shop):
    assert caller().get("/account").status_code == 404

    assert connect(flower_shop).json() == "Success"

    body = caller().get("/account").json()
    admin = flower_shop.admin
    assert body == {
        "ID": Account.objects.get().pk,
        "AccountID": "shop",
        "AmocrmID": flower_shop.id,
        "AmoID": admin.id,
        "AmoUserID": admin.id,
        "Amoiserid": admin.id,
        "Name": flower_shop.name,
        "Email": admin.email,
        "Role": "admin",
        "Group": body["Group"],
        "Deleted": False,
        "CreatedAt": body["CreatedAt"],
        "Subdomain": "flowers",
        "Country": "RU",
    }
    assert abs(body["CreatedAt"] - timezone.now().timestamp()) < 60


def test_the_lists_are_synced_and_what_deliveries_need_is_prepared(
    connect, flower_shop, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        connect(flower_shop)

    account = Account.objects.get()
    assert ("crm_cache.tasks.sync_account", [account.pk]) in queued
    assert account.next_sync_at <= timezone.now()
    assert set(account.facts) > {"timezone", "is_admin"}


def test_a_dead_broker_does_not_spoil_the_connection(
    connect, flower_shop, monkeypatch, django_capture_on_commit_callbacks
):
    def no_broker(*args, **options):
        raise ConnectionError

    monkeypatch.setattr("celery.Celery.send_task", no_broker)
    with django_capture_on_commit_callbacks(execute=True):
        assert connect(flower_shop).status_code == 200
    assert Account.objects.get().state == "active"


def test_a_body_is_ignored_even_when_it_is_no_json(caller, amo):
    answer = caller().post("/account/", b'{"broken', content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["link"].startswith("https://www.amocrm.ru/oauth?")
    assert caller().post("/account", b"\xff\x00", content_type="text/plain").status_code == 200


def test_connecting_again_keeps_the_account_and_renews_its_tokens(connect, flower_shop):
    connect(flower_shop)
    before, old = Account.objects.get(), Token.objects.get().access

    assert connect(flower_shop).json() == "Success"

    after = Account.objects.get()
    assert (after.pk, after.state) == (before.pk, "active")
    assert Token.objects.get().access != old


def test_an_account_that_needs_reconnecting_is_active_again(connect, flower_shop):
    connect(flower_shop)
    Account.objects.update(state="needs_reconnect", state_reason="amoCRM refused us")

    connect(flower_shop)

    account = Account.objects.get()
    assert (account.state, account.state_reason) == ("active", "")


def test_the_live_account_works_on_while_another_link_is_out(connect, caller, flower_shop):
    connect(flower_shop)
    caller().post("/account")
    assert Account.objects.get().state == "active"
    assert caller().get("/account").status_code == 200


def test_another_amocrm_account_replaces_the_first(connect, amo, caller, flower_shop):
    connect(flower_shop)
    first = Account.objects.get()
    second_shop = amo.add_account("second")

    assert connect(second_shop).json() == "Success"

    first.refresh_from_db()
    assert (first.deleted, first.state) == (True, "disconnected")
    assert not Token.objects.filter(account=first).exists()
    now = caller().get("/account").json()
    assert now["AmocrmID"] == second_shop.id
    assert now["ID"] != first.pk


def test_a_deleted_account_can_be_replaced_by_a_new_one(connect, caller, flower_shop):
    connect(flower_shop)
    first = caller().get("/account").json()["ID"]

    assert caller().delete("/account").json() == "Success"
    assert caller().get("/account").status_code == 404
    assert not Token.objects.exists()
    assert caller().delete("/account/").json() == "Success"

    connect(flower_shop)
    assert caller().get("/account").json()["ID"] != first


def test_two_quiz_accounts_may_share_one_amocrm_account(connect, caller, flower_shop):
    connect(flower_shop, "shop")
    connect(flower_shop, "branch")
    bodies = [caller(name).get("/account").json() for name in ("shop", "branch")]
    assert bodies[0]["AmocrmID"] == bodies[1]["AmocrmID"]
    assert bodies[0]["ID"] != bodies[1]["ID"]


# -- returns that connect nothing ------------------------------------------------------------------


def test_an_address_works_once(returned):
    assert back_to_us(returned).status_code == 200
    again = back_to_us(returned)
    assert again.status_code == 400
    assert "only once" in again.json()


def test_a_state_that_is_missing_forged_or_unknown_is_refused(returned, amo):
    state = dict(parse_qsl(urlsplit(returned).query))["state"]
    forged = state[:-6] + "AAAAAA"
    said = [back_to_us(returned, state=given).json() for given in ("", forged, "%%%", "0" * 10_000, "я\x00")]
    assert "no state" in said[0]
    assert all("not issued by us" in text for text in said[1:])

    ConnectAttempt.objects.all().delete()
    assert "no longer know" in back_to_us(returned).json()
    assert not amo.journal.find("POST", "access_token")


def test_an_old_address_has_expired(returned):
    ConnectAttempt.objects.update(expires_at=timezone.now())
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "too long ago" in answer.json()


def test_an_old_signature_has_expired_too(returned, settings):
    settings.CONNECT_TTL = -settings.CONNECT_TTL
    assert "too long ago" in back_to_us(returned).json()


def test_the_secret_never_goes_to_a_strangers_host(returned, amo):
    for referer in ("evil.example", "flowers.amocrm.ru.evil.example", "user@flowers.amocrm.ru", "127.0.0.1"):
        ConnectAttempt.objects.update(used_at=None)
        answer = back_to_us(returned, referer=referer)
        assert answer.status_code == 400
        assert Account.objects.get().state == "connecting"
    assert not amo.journal.find("POST", "access_token")


def test_denied_consent_connects_nothing(amo, caller, flower_shop):
    link = caller().post("/account").json()["link"]
    answer = back_to_us(amo.consent(link, flower_shop, allow=False))
    assert answer.status_code == 400
    assert "not granted" in answer.json()
    assert ConnectAttempt.objects.get().outcome == "denied"
    assert caller().get("/account").status_code == 404


def test_missing_parameters_are_named(returned):
    answer = back_to_us(returned, code="")
    assert answer.status_code == 400
    assert "code" in answer.json()


def test_an_expired_code_says_start_again(returned, amo):
    amo.clock.advance(21 * 60)
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "expired" in answer.json()
    assert "expired" in ConnectAttempt.objects.get().outcome


def test_a_used_code_says_start_again(returned, amo, caller, flower_shop):
    code = dict(parse_qsl(urlsplit(returned).query))["code"]
    back_to_us(returned)
    fresh = amo.consent(caller().post("/account").json()["link"], flower_shop)
    answer = back_to_us(fresh, code=code)
    assert answer.status_code == 400
    assert "used already" in answer.json()
    assert Account.objects.get().state == "active"


def test_a_busy_amocrm_leaves_the_address_good(returned, amo):
    amo.faults.add("access_token", status=503)
    busy = back_to_us(returned)
    assert busy.status_code == 400
    assert "Reload this page" in busy.json()
    assert back_to_us(returned).json() == "Success"


def test_nothing_is_stored_when_amocrm_falls_silent_after_the_exchange(returned, amo, caller):
    amo.faults.add("/api/v4/account", action="timeout")
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "Connect" in answer.json()
    assert not Token.objects.exists()
    assert Account.objects.get().state == "connecting"
    assert ConnectAttempt.objects.get().outcome == "lost"


def test_our_own_wrong_secret_is_the_operators_business(returned, amo, caplog):
    amo.integration.client_secret = "another"
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "operator" in answer.json()
    assert "another" not in answer.content.decode()
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_an_account_deleted_meanwhile_is_not_revived(returned, caller, amo):
    caller().delete("/account")
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "disconnected" in answer.json()
    assert not amo.journal.find("POST", "access_token")


def test_an_account_deleted_during_the_exchange_is_not_revived_either(returned, caller, monkeypatch):
    identify = oauth._identify

    def slow(*what):
        caller().delete("/account")
        return identify(*what)

    monkeypatch.setattr(oauth, "_identify", slow)
    assert "disconnected" in back_to_us(returned).json()
    assert not Token.objects.exists()
    assert Account.objects.get().deleted


@pytest.mark.parametrize("body", ["[]", "{}", "null", '"?"', "", "<html>"])
def test_an_answer_of_amocrm_that_makes_no_sense_connects_nothing(returned, amo, body):
    amo.faults.add("/api/v4/account", status=200, body=body, content_type="application/json")
    assert back_to_us(returned).status_code == 400
    assert not Token.objects.exists()


def test_a_notice_of_a_widgets_installation_is_dropped(db):
    answer = Client().get("/webhook/create", {"from_widget": "1", "code": "x", "referer": "a.amocrm.ru"})
    assert (answer.status_code, answer.json()) == (200, "Success")


def test_a_head_request_uses_nothing_up(returned):
    parts = urlsplit(returned)
    assert Client().head(f"{parts.path}?{parts.query}").status_code == 200
    assert back_to_us(returned).json() == "Success"


@pytest.mark.parametrize(
    "query",
    [
        "state=%00&code=%00",
        "state=%ff%fe&referer=%ff",
        "state=" + "A" * 10_000,
        "state=a&state=b&code=1&code=2",
        "&".join(f"p{i}=1" for i in range(2000)),
        "%00=%00",
    ],
)
@pytest.mark.parametrize("path", ["/webhook/create", "/webhook/delete"])
def test_nothing_that_is_sent_is_answered_with_500(db, path, query):
    for accept in ("*/*", "text/html"):
        answer = Client(raise_request_exception=True).get(f"{path}?{query}", headers={"Accept": accept})
        assert 400 <= answer.status_code < 500


# -- what a browser sees ---------------------------------------------------------------------------


def test_a_browser_reads_which_account_was_connected(returned, browser, flower_shop):
    page = back_to_us(returned, browser)
    text = page.content.decode()
    assert page.status_code == 200
    assert flower_shop.name in text
    assert "amoCRM is connected" in text
    assert "postMessage" in text
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cross-Origin-Opener-Policy"] == "unsafe-none"
    nonce = re.search(r"script-src 'nonce-([^']+)'", page["Content-Security-Policy"])[1]
    assert text.count(f'nonce="{nonce}"') == 2


def test_a_russian_browser_reads_russian(returned):
    browser = Client(headers={"Accept": "text/html", "Accept-Language": "ru-RU,ru;q=0.9"})
    assert "Аккаунт amoCRM подключён" in back_to_us(returned, browser).content.decode()
    page = back_to_us(returned, browser)
    assert page.status_code == 400
    assert "работает он один раз" in page.content.decode()


def test_a_browser_sees_no_markup_that_came_with_the_address(returned, browser):
    page = back_to_us(returned, browser, referer="<script>alert(1)</script>")
    assert page.status_code == 400
    assert "<script>alert" not in page.content.decode()


def test_the_browser_goes_on_to_the_return_address_of_its_attempt(amo, flower_shop, settings, queued):
    from accounts.oauth import begin

    settings.RETURN_URLS = ["https://quiz.example/crm"]
    _, link = begin("shop", "amocrm", return_url="https://quiz.example/crm?done=1")
    answer = back_to_us(amo.consent(link, flower_shop))
    assert answer.status_code == 302
    assert answer["Location"] == "https://quiz.example/crm?done=1"


# -- uninstalled in amoCRM -------------------------------------------------------------------------


@pytest.fixture
def told(amo, flower_shop):
    """amoCRM's genuine call about the flower shop, as its sandbox signs it."""
    amo.integration.uninstall_url = "http://testserver/webhook/delete"
    calls: list[str] = []
    amo.courier = lambda method, url, *rest: calls.append(url) or 200

    def told() -> Any:
        amo.uninstall(flower_shop)
        return calls[-1]

    return told


def test_an_uninstalled_integration_disconnects_everybody_who_shared_it(connect, caller, flower_shop, told):
    connect(flower_shop, "shop")
    connect(flower_shop, "branch")

    answer = Client().get(told())

    assert (answer.status_code, answer.json()) == (200, "Success")
    assert answer["Cache-Control"] == "no-store"
    assert caller("shop").get("/account").status_code == 404
    assert caller("branch").get("/account").status_code == 404
    assert Client().get(told()).status_code == 200


def test_an_old_uninstall_call_changes_nothing_after_a_new_install(connect, caller, flower_shop, told):
    connect(flower_shop)
    old = told()
    connect(flower_shop)
    due = Token.objects.get().refresh_at

    assert Client().get(old).status_code == 200

    assert caller().get("/account").status_code == 200
    assert Token.objects.get().refresh_at < due


def test_a_false_uninstall_call_is_forbidden(connect, caller, flower_shop, told):
    connect(flower_shop)
    genuine = told()
    for false in ("/webhook/delete", genuine[:-1] + ("0" if genuine[-1] != "0" else "1")):
        answer = Client().get(false)
        assert answer.status_code == 403
        assert isinstance(answer.json(), str)
    assert Client().head(genuine).status_code == 200
    assert caller().get("/account").status_code == 200


def test_an_uninstall_call_that_can_not_be_verified_changes_nothing(connect, amo, caller, flower_shop, told):
    connect(flower_shop)
    call = told()
    amo.faults.add("/api/v4/account", status=502)
    assert Client().get(call).status_code == 200
    assert caller().get("/account").status_code == 200
