"""What only shows with several connections at a time, and what the operator's side calls directly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from accounts.consent import ConnectError
from accounts.models import Account, ConnectAttempt, Token
from accounts.oauth import begin, default_return_url
from connectors.hosts import HostNotAllowed


def at_once(times: int, act: Any) -> list[Any]:
    def one(_: int) -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.mark.django_db(transaction=True)
def test_ten_repeats_of_one_return_connect_once(amo, flower_shop, caller, queued):
    back = urlsplit(amo.consent(caller().post("/account").json()["link"], flower_shop))

    statuses = at_once(10, lambda: Client().get(f"{back.path}?{back.query}").status_code)

    assert sorted(statuses) == [200] + [400] * 9
    assert amo.journal.counts["POST /oauth2/access_token"] == 1
    assert Token.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_links_asked_for_at_once_are_for_one_account(amo, caller):
    links = at_once(10, lambda: caller().post("/account").json()["link"])
    assert len(set(links)) == 10
    assert Account.objects.count() == 1


@pytest.mark.django_db
def test_the_state_is_hashed_at_rest(amo):
    _, link = begin("shop", "amocrm")
    assert ConnectAttempt.objects.get().state_hash not in link
    assert len(ConnectAttempt.objects.get().state_hash) == 64


@pytest.mark.django_db
def test_only_listed_return_addresses_are_taken(amo, settings):
    settings.RETURN_URLS = ["https://quiz.example/crm"]
    begin("shop", "amocrm", return_url="https://quiz.example/crm/7?x=1")
    for other in (
        "https://quiz.example.evil.org/crm",
        "https://quiz.example/crm.evil",
        "javascript:alert(1)",
    ):
        with pytest.raises(ConnectError):
            begin("shop", "amocrm", return_url=other)
    assert default_return_url("amocrm") == "https://quiz.example/crm"


@pytest.mark.django_db
def test_without_a_list_of_addresses_a_browser_goes_on_to_a_page_of_ours(amo, settings, browser):
    settings.RETURN_URLS = []
    page = default_return_url("amocrm")
    begin("shop", "amocrm", return_url=page)
    assert "amoCRM is connected" in browser.get(page).content.decode()
    assert browser.get("/connected/nothing").status_code == 404


@pytest.mark.django_db
def test_a_portal_passes_the_list_of_hosts(amo):
    account, _ = begin("shop", "amocrm", portal="https://Flowers.amocrm.ru/")
    assert (account.host, account.subdomain) == ("flowers.amocrm.ru", "flowers")
    with pytest.raises(HostNotAllowed):
        begin("shop", "amocrm", portal="169.254.169.254")
