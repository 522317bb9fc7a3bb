"""Owners of connected accounts, one of each CRM, who disconnect, connect again, or choose a wrong account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.registry import CONNECTORS
from tests.stories.conftest import QUIZ, Shop


@dataclass
class Owner:
    """``again`` connects the account they had, ``other`` tries another one of the same CRM."""

    shop: Shop
    prefix: str
    again: Callable[[], Any]
    other: Callable[[], Any]

    def account(self) -> Any:
        return self.shop.api.get(f"{self.prefix}/account")

    def rule(self) -> Any:
        return self.shop.api.get(f"{self.prefix}/rules/{QUIZ}")

    def disconnect(self) -> None:
        assert self.shop.api.delete(f"{self.prefix}/account").json() == "Success"

    def accounts(self) -> list[dict[str, Any]]:
        return self.shop.api.get("/accounts").json()["items"]


@pytest.fixture
def owner_of(transactional_db: None, request: pytest.FixtureRequest) -> Callable[[str], Owner]:
    """The owner of an account of this CRM, with a rule for their quiz."""

    def consent(prefix: str, fixture: str, connects: str, add: Callable[[Any], Any]) -> Owner:
        shop, connect = request.getfixturevalue(fixture), request.getfixturevalue(connects)
        return Owner(shop, prefix, lambda: connect(shop.crm), lambda: connect(add(shop.amo)))

    def keys(prefix: str, fixture: str, other: Callable[[Any], dict[str, str]]) -> Owner:
        shop = request.getfixturevalue(fixture)
        return Owner(shop, prefix, shop.connect, lambda: shop.connect(**other(shop.amo.add_account("tulip"))))

    makers: dict[str, Callable[[], Owner]] = {
        "amocrm": lambda: consent("", "quiz", "connect", lambda box: box.add_account("tulip")),
        "bitrix24": lambda: consent(
            "/bitrix", "clinic", "connect_portal", lambda box: box.add_portal("tulip")
        ),
        "envybox": lambda: keys(
            "/envybox", "florist", lambda new: {"base_url": new.host, "api_key": new.key}
        ),
        "solos": lambda: keys(
            "/solos", "windows", lambda new: {"base_url": new.host, "token": new.token, "secret": new.secret}
        ),
    }
    assert set(makers) == set(CONNECTORS)
    return lambda kind: makers[kind]()


@pytest.fixture(params=CONNECTORS)
def owner(request: pytest.FixtureRequest, owner_of: Callable[[str], Owner]) -> Owner:
    """One of each CRM in turn."""
    return owner_of(request.param)
