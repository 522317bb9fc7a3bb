"""What an operator does with accounts, through the functions that everybody uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Lane, Token
from crm_cache.models import SyncRun
from rules.models import Delivery
from tests.admin.test_pages import list_of, page_of

ACTIONS = ("sync_now", "reconnect", "pause", "disconnect")


def state(account: Account) -> str:
    account.refresh_from_db()
    return account.state


def yes(client: Client, account: Account, action: str, **more: str) -> Any:
    return client.post(page_of(account, action), {"confirmed": "yes", **more}, follow=True)


def test_pausing_asks_why_and_says_what_will_wait(
    operator: Client, shop: Account, deliver: Callable[..., Delivery]
) -> None:
    assert "Nothing waits now." in operator.get(page_of(shop, "pause")).content.decode()
    deliver("waiting")
    assert (
        "1 waiting delivery will be held until then." in operator.get(page_of(shop, "pause")).content.decode()
    )
    assert "This field is required" in yes(operator, shop, "pause").content.decode()
    assert state(shop) == "active"
    yes(operator, shop, "pause", reason="They asked for it")
    assert (state(shop), shop.state_reason) == ("paused", "They asked for it")


def test_resuming_shows_why_it_was_paused(operator: Client, shop: Account) -> None:
    yes(operator, shop, "pause", reason="They asked for it")
    asked = operator.get(page_of(shop, "resume")).content.decode()
    assert "It was paused: They asked for it" in asked
    assert "Nothing is held for it now." in asked
    assert "is resumed." in yes(operator, shop, "resume").content.decode()
    assert state(shop) == "active"


def test_disconnecting_says_what_becomes_of_its_deliveries(
    administrator: Client, shop: Account, deliver: Callable[..., Delivery]
) -> None:
    for one in ("waiting", "waiting", "held"):
        deliver(one)
    html = administrator.get(page_of(shop, "disconnect")).content.decode()
    assert "2 waiting deliveries will be held, 1 held already" in html
    assert "goes on by itself once the same account of the CRM is connected again" in html
    assert state(shop) == "active"
    yes(administrator, shop, "disconnect")
    assert (state(shop), shop.deleted) == ("disconnected", True)
    assert not Token.objects.exists()


def test_what_somebody_else_did_first_is_told(operator: Client, shop: Account) -> None:
    Account.objects.update(state="needs_reconnect")
    html = yes(operator, shop, "pause", reason="x").content.decode()
    assert "Nothing was changed" in html
    assert state(shop) == "needs_reconnect"


def test_syncing_asks_for_every_list(operator: Client, shop: Account) -> None:
    assert SyncRun.objects.filter(state="waiting").count() == 0
    yes(operator, shop, "sync_now")
    assert SyncRun.objects.filter(account=shop, state="waiting").count() == 5


def test_chosen_accounts_are_synced_and_idle_ones_left_alone(operator: Client, shop: Account) -> None:
    idle = Account.objects.create(account_id="idle", crm="amocrm", state="paused")
    chosen = {"action": "sync_chosen", "_selected_action": [shop.pk, idle.pk]}
    html = operator.post(list_of(Account), chosen, follow=True).content.decode()
    assert "1 account is not active and left alone." in html
    assert not SyncRun.objects.filter(account=idle).exists()


def test_connecting_gives_a_link_to_the_consent_page(administrator: Client, amo: Any) -> None:
    url = f"{list_of(Account)}connect/"
    assert administrator.get(url).status_code == 200
    page = administrator.post(url, {"account_id": "new-shop", "crm": "amocrm"})
    assert page.context["url"].startswith("https://www.amocrm.ru/oauth")
    assert Account.objects.get(account_id="new-shop").state == "connecting"


def test_reconnecting_knows_the_account(administrator: Client, amo: Any, shop: Account) -> None:
    assert not administrator.get(page_of(shop, "reconnect")).context["form"].fields
    page = administrator.post(page_of(shop, "reconnect"), {"account_id": "somebody-else", "crm": "solos"})
    assert page.context["url"].startswith("https://www.amocrm.ru/oauth")
    assert (state(shop), Account.objects.count()) == ("active", 1)


def test_only_what_the_state_allows_is_offered(administrator: Client, shop: Account) -> None:
    offered = administrator.get(page_of(shop)).content.decode()
    assert [a for a in (*ACTIONS, "resume") if page_of(shop, a) in offered] == list(ACTIONS)
    Account.objects.update(state="disconnected", deleted=True)
    offered = administrator.get(page_of(shop)).content.decode()
    assert [a for a in (*ACTIONS, "resume") if page_of(shop, a) in offered] == ["reconnect"]
    Account.objects.create(account_id=shop.account_id, crm=shop.crm, remote_id="another", state="active")
    assert page_of(shop, "reconnect") not in administrator.get(page_of(shop)).content.decode()


def test_some_choices_are_all_that_is_to_edit(operator: Client, shop: Account) -> None:
    form = operator.get(page_of(shop)).context["adminform"].form
    assert list(form.fields) == ["send_again", "contact_directory", "reconcile"]
    operator.post(page_of(shop), {"send_again": "on", "name": "Mine now", "state": "paused"})
    shop.refresh_from_db()
    assert (shop.send_again, shop.name, shop.state) == (True, "Flower shop", "active")
    assert not shop.reconcile


@pytest.mark.parametrize("action", [*ACTIONS, "resume"])
def test_a_viewer_does_nothing_to_accounts(viewer: Client, shop: Account, action: str) -> None:
    assert page_of(shop, action) not in viewer.get(page_of(shop)).content.decode()
    assert viewer.get(page_of(shop, action)).status_code == 403
    assert yes(viewer, shop, action, reason="x").status_code == 403
    assert state(shop) == "active"


def test_the_first_page_names_accounts_that_stand_still(operator: Client, shop: Account) -> None:
    Lane.objects.update(failures=2)
    assert "1 active account" in operator.get(reverse("admin:index")).content.decode()
    assert operator.get(f"{list_of(Account)}?attention=silent").context["cl"].result_count == 1
    Account.objects.update(state="paused", state_reason="They asked for it")
    assert "They asked for it" in operator.get(reverse("admin:index")).content.decode()
    assert operator.get(f"{list_of(Account)}?attention=person").context["cl"].result_count == 1


def test_a_viewer_neither_edits_nor_connects(viewer: Client, shop: Account) -> None:
    assert viewer.post(page_of(shop), {"send_again": "on"}).status_code == 403
    assert viewer.get(f"{list_of(Account)}connect/").status_code == 403


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("правило 5", "Правило 5"),
        ("amoCRM Ремонт", "amoCRM Ремонт"),
        ("https://a.example/", "https://a.example/"),
    ],
)
def test_a_page_is_headed_by_names_as_their_owners_write_them(name: str, shown: str) -> None:
    page = render_to_string("unfold/helpers/header_title.html", {"parts": [{"title": name, "link": ""}]})
    assert f">{shown}</span>" in page
