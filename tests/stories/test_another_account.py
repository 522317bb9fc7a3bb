"""Who connects is asked which CRM account it is: a wrong one changes nothing, and is told so."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections
from django.test import Client

from accounts import tokens
from accounts.models import Account, AccountEvent, Token
from tests.stories.returning import back_to_us


def seen(owner: Any) -> Any:
    token = Token.objects.get()
    return owner.account().json(), owner.rule().json(), (token.access, token.refresh, token.account_id)


@pytest.mark.parametrize("state", ["active", "needs_reconnect", "paused"])
def test_another_account_changes_nothing_and_is_told(owner, state):
    Account.objects.update(state=state)
    before = seen(owner)

    refused = owner.other()

    assert refused.status_code in (400, 409)
    assert "Nothing was changed" in refused.json()
    assert "disconnect" in refused.json()
    assert seen(owner) == before
    account = Account.objects.get()
    assert account.state == state
    event = AccountEvent.objects.filter(account=account).first()
    assert (event.before, event.after, event.by) == (state, state, "owner")
    assert event.reason.startswith("Another account was chosen: ")


def test_keys_of_another_account_are_a_conflict(owner_of):
    assert owner_of("envybox").other().status_code == 409


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Nothing was changed."), ("ru", "Ничего не изменилось.")],
)
def test_a_browser_reads_which_was_chosen_and_which_is_connected(quiz, amo, language, words):
    browser = Client(headers={"Accept": "text/html", "Accept-Language": language})
    bakery = amo.add_account("bakery")
    page = back_to_us(amo.consent(quiz.api.post("/account").json()["link"], bakery), browser)
    text = page.content.decode()
    assert page.status_code == 400
    assert words in text
    inner = str.maketrans("«»", "„“") if language == "ru" else {}  # of «ООО „Ромашка“»
    assert all(shop.name.translate(inner) in text for shop in (bakery, quiz.crm))
    assert all(shop.host in text for shop in (bakery, quiz.crm))  # as both have the same name


def test_of_two_consents_at_once_that_choose_different_accounts_one_wins(
    amo, caller, transactional_db, queued
):
    shops = [amo.add_account(f"shop{number}") for number in range(6)]
    returns = [urlsplit(amo.consent(caller().post("/account").json()["link"], shop)) for shop in shops]

    def come_back(address: Any) -> int:
        try:
            return Client().get(f"{address.path}?{address.query}").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(shops)) as pool:
        statuses = sorted(pool.map(come_back, returns))

    assert statuses == [200] + [400] * 5
    assert Account.objects.count() == 1
    account = Account.objects.get()
    assert (account.state, Token.objects.get().account_id) == ("active", account.pk)
    assert account.events.filter(reason__contains="Another account was chosen").count() == 5


def test_a_disconnecting_that_meets_a_consent_waits_and_leaves_no_token(
    amo, flower_shop, caller, transactional_db, queued, monkeypatch
):
    back = amo.consent(caller().post("/account").json()["link"], flower_shop)
    put, deleted = tokens.put, []

    def delete() -> Any:
        try:
            return caller().delete("/account").json()
        finally:
            connections.close_all()

    def put_while_somebody_disconnects(*pair: Any) -> None:
        deleted.append(pool.submit(delete))
        until_somebody_waits()
        put(*pair)

    monkeypatch.setattr(tokens, "put", put_while_somebody_disconnects)
    with ThreadPoolExecutor(1) as pool:
        assert back_to_us(back).status_code == 200
        assert deleted[0].result() == "Success"
    assert (Account.objects.get().state, Token.objects.count()) == ("disconnected", 0)


def until_somebody_waits() -> None:
    """For a lock in our database."""
    waiting = (
        "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone():
                return
    raise AssertionError("Nobody waits")


# -- history ------------------------------------------------------------------------------------------------


def told(account: Account) -> list[tuple[str, str, str]]:
    return list(account.events.order_by("pk").values_list("before", "after", "by"))


def test_history_says_what_happened_and_by_whom(quiz, connect):
    account = quiz.account
    quiz.api.delete("/account")
    connect(quiz.crm)
    assert told(account) == [
        ("connecting", "active", "owner"),
        ("active", "disconnected", "owner"),
        ("disconnected", "connecting", "owner"),
        ("connecting", "active", "owner"),
    ]
    assert account.events.get(after="disconnected").reason == "Its owner disconnected it over REST"


def test_a_removal_in_the_crm_is_told_as_its_doing(quiz, amo):
    amo.integration.uninstall_url = "http://testserver/webhook/delete"
    amo.courier = lambda method, url, *rest: Client().get(url.removeprefix("http://testserver")).status_code
    account = quiz.account
    amo.uninstall(quiz.crm)
    gone = account.events.first()
    assert (gone.after, gone.by, gone.reason) == (
        "disconnected",
        "crm",
        "The integration was removed in amoCRM",
    )


def test_the_admin_says_who_paused_resumed_and_disconnected(quiz, admin_client):
    account = quiz.account
    page = f"/admin/accounts/account/{account.pk}"
    for action, more in (("pause", {"reason": "moving house"}), ("resume", {}), ("disconnect", {})):
        admin_client.post(f"{page}/{action}/", {"confirmed": "yes", **more})
    assert list(account.events.order_by("-pk").values_list("after", "by", "who", "reason")[:3]) == [
        ("disconnected", "staff", "admin", "Disconnected in the admin"),
        ("active", "staff", "admin", ""),
        ("paused", "staff", "admin", "moving house"),
    ]
    html = admin_client.get(f"{page}/change/").content.decode()
    assert "moving house" in html
    assert "Its owner agreed on the consent page" in html
