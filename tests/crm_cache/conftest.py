"""A connected account, a CRM that lists what it is told to, and the wake-ups that were sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from connectors.rows import Row
from crm_cache import refresh, runs


class ListingCrm:
    """Stands where a connector does: pages of rows by list, an exception in place of a page."""

    def __init__(self) -> None:
        self.pages: dict[str, list[Sequence[Row] | Exception]] = {}
        self.walked: list[str] = []
        self.learned = 0
        self.refuses_to_be_learned: Exception | None = None

    def fetch(self, what: str) -> Iterator[Sequence[Row]]:
        self.walked.append(what)
        for page in self.pages.get(what, []):
            if isinstance(page, Exception):
                raise page
            yield page

    def learn(self, account: Account) -> None:
        self.learned += 1
        if self.refuses_to_be_learned:
            raise self.refuses_to_be_learned


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> ListingCrm:
    crm = ListingCrm()
    monkeypatch.setattr(refresh, "connector_for", lambda account: crm)
    monkeypatch.setattr(refresh, "learn", crm.learn)
    return crm


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The accounts for which workers were woken; no message leaves the test."""
    woken: list[int] = []
    monkeypatch.setattr(runs, "start", woken.extend)
    return woken


@pytest.fixture
def connected(db: None) -> Any:
    """Makes connected accounts: ``connected("shop")``."""

    def connected(account_id: str = "shop", **values: Any) -> Account:
        facts = {
            "crm": "amocrm",
            "remote_id": "31000001",
            "host": "shop.amocrm.ru",
            "subdomain": "shop",
            "country": "RU",
            "user_id": "9100001",
            "state": Account.State.ACTIVE,
            "connected_at": timezone.now(),
        }
        return Account.objects.create(account_id=account_id, **(facts | values))

    return connected


@pytest.fixture
def shop(connected: Any) -> Account:
    return connected("shop")
