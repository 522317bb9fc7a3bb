"""Staff connect an account of any CRM: by a link for its owner, or with the keys that open it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import Account, Token
from connectors.registry import CONNECTORS, connector_class
from connectors.sandbox.solos import SolosSandbox
from rules.models import Delivery
from tests.admin.test_pages import list_of, page_of
from tests.connectors.bridge import serve
from tests.connectors.solos.keeper import SOLOS_HOSTS

CONNECT = "/admin/accounts/account/connect/"


@pytest.fixture
def box(settings: Any, queued: list[Any]) -> Iterator[SolosSandbox]:
    """A local CRM whose accounts are opened by two keys."""
    box = SolosSandbox(courier=lambda *_: 200)
    options = replace(settings.CRM_OPTIONS["solos"], requests_per_second=0)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "solos": options}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, box, SOLOS_HOSTS)
        yield box


@pytest.fixture
def keeper(box: SolosSandbox) -> Any:
    """An account there."""
    return box.add_account("demo7")


def typed(keeper: Any, **changed: str) -> dict[str, str]:
    known = {"account_id": "windows", "crm": "solos", "base_url": f"https://{keeper.host}/"}
    return {**known, "token": keeper.token, "secret": keeper.secret, **changed}


def test_every_crm_is_offered_and_asks_for_what_it_needs(administrator: Client) -> None:
    shown = administrator.get(CONNECT).content.decode()
    for kind, entry in CONNECTORS.items():
        assert entry.label in shown
        can = connector_class(kind).can
        form = administrator.get(CONNECT, {"crm": kind}).context["form"]
        address = ["base_url"] if can.portal_first or can.credentials else []
        assert list(form.fields) == ["account_id", *address, *can.credentials]


def test_secrets_are_typed_blind(administrator: Client) -> None:
    html = administrator.get(CONNECT, {"crm": "solos"}).content.decode()
    fields = [line for line in html.split("<input") if 'type="password"' in line]
    assert len(fields) == 2
    assert all('autocomplete="off"' in field for field in fields)


def test_an_account_is_connected_by_its_keys(administrator: Client, keeper: Any) -> None:
    page = administrator.post(CONNECT, typed(keeper), follow=True)
    account = Account.objects.get(account_id="windows")
    assert (account.crm, account.state, account.host) == ("solos", "active", keeper.host)
    assert page.redirect_chain[-1][0] == page_of(account)
    assert "is connected; its lists are being read." in page.content.decode()
    assert "Connected by its keys." in administrator.get(page_of(account, "history")).content.decode()


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"secret": "wrong-secret-44"}, "token", "refuses the token and the secret"),
        ({"secret": ""}, "secret", "This field is required"),
        ({"token": "ключ"}, "token", "It is missing or no key"),
        ({"base_url": "https://evil.example/"}, "base_url", "evil.example"),
        ({"account_id": ""}, "account_id", "This field is required"),
    ],
)
def test_what_is_refused_is_said_at_its_field_and_nothing_is_kept(
    administrator: Client, keeper: Any, changed: dict[str, str], field: str, words: str
) -> None:
    page = administrator.post(CONNECT, typed(keeper, **changed))
    [said] = page.context["form"].errors[field]
    assert words in said
    assert "Bad Request" not in said
    assert not Account.objects.exists()
    html = page.content.decode()
    assert [secret for secret in (keeper.token, keeper.secret, "wrong-secret-44") if secret in html] == []


def test_new_keys_wake_an_account_that_was_refused(
    administrator: Client, keeper: Any, deliver: Callable[..., Delivery]
) -> None:
    administrator.post(CONNECT, typed(keeper))
    account = Account.objects.get(account_id="windows")
    Account.objects.filter(pk=account.pk).update(state="needs_reconnect", state_reason="refused")
    assert page_of(account, "reconnect") in administrator.get(page_of(account)).content.decode()

    form = administrator.get(page_of(account, "reconnect")).context["form"]
    assert (list(form.fields), form.initial) == (["base_url", "token", "secret"], {"base_url": keeper.host})
    administrator.post(page_of(account, "reconnect"), typed(keeper, account_id="somebody-else"))
    account.refresh_from_db()
    assert (account.state, Account.objects.filter(crm="solos").count()) == ("active", 1)


def test_keys_of_another_account_are_refused_at_the_address(
    administrator: Client, box: SolosSandbox, keeper: Any
) -> None:
    administrator.post(CONNECT, typed(keeper))
    account = Account.objects.get(account_id="windows")
    other = box.add_account("doors")
    page = administrator.post(CONNECT, typed(other))
    [said] = page.context["form"].errors["base_url"]
    assert said.startswith(f"These keys open “{other.host}”, but “{keeper.host}” is connected.")
    assert [row.pk for row in Account.objects.filter(account_id="windows")] == [account.pk]
    refused = account.events.first()
    assert refused is not None
    assert (refused.by, refused.who) == ("staff", "administrator")


def test_an_unknown_crm_is_asked_for_again(administrator: Client) -> None:
    assert administrator.post(CONNECT, {"crm": "none", "account_id": "x"}).context["kinds"]


def test_a_viewer_brings_no_keys(viewer: Client, keeper: Any) -> None:
    assert viewer.post(CONNECT, typed(keeper)).status_code == 403
    assert not Token.objects.exists()
    assert CONNECT not in viewer.get(list_of(Account)).content.decode()
