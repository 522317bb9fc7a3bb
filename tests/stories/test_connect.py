"""A quiz account's owner connects amoCRM, through the HTTP API alone."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Token
from tests.stories.returning import back_to_us

pytestmark = pytest.mark.django_db


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


def test_another_amocrm_account_takes_the_place_of_a_disconnected_one(connect, amo, caller, flower_shop):
    connect(flower_shop)
    first = caller().get("/account").json()["ID"]

    assert caller().delete("/account").json() == "Success"
    assert caller().get("/account").status_code == 404
    assert not Token.objects.exists()
    assert caller().delete("/account/").json() == "Success"

    second = amo.add_account("second")
    assert connect(second).json() == "Success"
    now = caller().get("/account").json()
    assert (now["AmocrmID"], now["ID"] == first) == (second.id, False)


def test_two_quiz_accounts_may_share_one_amocrm_account(connect, caller, flower_shop):
    connect(flower_shop, "shop")
    connect(flower_shop, "branch")
    bodies = [caller(name).get("/account").json() for name in ("shop", "branch")]
    assert bodies[0]["AmocrmID"] == bodies[1]["AmocrmID"]
    assert bodies[0]["ID"] != bodies[1]["ID"]


# -- returns that connect nothing ------------------------------------------------------------------


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


def test_who_opens_the_address_of_a_success_anew_reads_that_it_is_connected(returned, caller):
    browser = Client(headers={"Accept": "text/html", "Accept-Language": "ru"})
    back_to_us(returned, browser)
    again = back_to_us(returned, browser)
    assert (again.status_code, "Аккаунт amoCRM подключён" in again.content.decode()) == (200, True)
    caller().delete("/account")
    again = back_to_us(returned, browser)
    assert (again.status_code, "работает он один раз" in again.content.decode()) == (400, True)


def test_a_browser_sees_no_markup_that_came_with_the_address(returned, browser):
    page = back_to_us(returned, browser, referer="<script>alert(1)</script>")
    assert page.status_code == 400
    assert "<script>alert" not in page.content.decode()


def test_the_browser_goes_on_to_the_return_address_of_its_attempt(
    amo, flower_shop, settings, queued, browser
):
    from accounts.oauth import begin

    settings.RETURN_URLS = ["https://quiz.example/crm"]
    _, link = begin("shop", "amocrm", return_url="https://quiz.example/crm?done=1")
    refused = back_to_us(amo.consent(link, flower_shop, allow=False), browser)
    assert '<a href="https://quiz.example/crm?done=1">' in refused.content.decode()
    _, link = begin("shop", "amocrm", return_url="https://quiz.example/crm?done=1")
    answer = back_to_us(amo.consent(link, flower_shop))
    assert answer.status_code == 302
    assert answer["Location"] == "https://quiz.example/crm?done=1"


# -- uninstalled in amoCRM -------------------------------------------------------------------------
