"""What hostile callers meet: a shop with everything, and a stranger with a token of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from django.test import Client

from tests.hostile.tenants import fill_shop, open_accounts


@pytest.fixture
def neighbours(db: None, queued: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop has everything, the spy connected the same CRMs and has nothing in them. Nobody is woken."""
    monkeypatch.setattr("rules.views.deliveries.wake_lanes", lambda lanes: None)
    fill_shop()
    open_accounts("spy")


@pytest.fixture
def spy(neighbours: None, caller: Callable[..., Client]) -> Client:
    return caller("spy")


@pytest.fixture
def owner(neighbours: None, caller: Callable[..., Client]) -> Client:
    """The shop itself."""
    return caller("shop")


@pytest.fixture
def crm_silent() -> Iterator[None]:
    """No CRM answers, whatever we would ask."""
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield
