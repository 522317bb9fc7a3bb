"""Connecting by key asks ``can.credentials``, never which CRM it is."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import keys
from accounts.models import Account, Token
from accounts.rest.errors import ApiError
from connectors.base import Identity
from connectors.errors import NeedsReconnect, OurMistake, TryLater
from connectors.registry import connector_class

HOST = "shop.envycrm.com"


class Twofold:
    """A CRM that is opened by two secrets."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def identify(self) -> Identity:
        if self.error:
            raise self.error
        return Identity("77", "Shop", HOST, facts={"a": 1})


@pytest.fixture
def two_keys(monkeypatch: pytest.MonkeyPatch, queued: list[Any], db: None) -> dict[str, Any]:
    """Envybox, as if it wanted a token and a secret; ``error`` is what it answers."""
    world: dict[str, Any] = {"error": None, "pairs": []}

    def at(kind: str, host: str, store: Any) -> Twofold:
        world["pairs"].append(store.current())
        return Twofold(world["error"])

    cls = connector_class("envybox")
    monkeypatch.setattr(cls, "can", type(cls.can)(credentials=("token", "secret")))
    monkeypatch.setattr(keys, "connector_at", at)
    return world


def connect(**changed: str) -> Account:
    return keys.connect_by_key("shop", "envybox", HOST, {"token": "t-1", "secret": "s-2"} | changed)


def test_two_secrets_are_kept_as_a_pair_that_never_expires(two_keys):
    account = connect()
    token = Token.objects.get(account=account)
    assert (token.access, token.refresh, token.expires_at, token.refresh_at) == ("t-1", "s-2", None, None)
    assert (account.state, account.remote_id, account.facts["a"]) == ("active", "77", 1)


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (NeedsReconnect("no"), "token"),
        (TryLater("busy"), "base_url"),
        (OurMistake("our"), "base_url"),
        (KeyError("nonsense"), "base_url"),
    ],
)
def test_whatever_goes_wrong_names_a_field_and_stores_nothing(two_keys, error, field):
    two_keys["error"] = error
    with pytest.raises(ApiError) as caught:
        connect()
    assert (caught.value.field, caught.value.status_code, Account.objects.count()) == (field, 400, 0)


def test_half_of_the_keys_are_none(two_keys):
    with pytest.raises(ApiError) as caught:
        connect(secret=" ")
    assert (caught.value.field, two_keys["pairs"]) == ("secret", [])


def test_a_crm_with_a_consent_page_has_no_keys(db):
    with pytest.raises(ApiError, match="not connected by a key"):
        keys.connect_by_key("shop", "amocrm", "shop.amocrm.ru", {})
