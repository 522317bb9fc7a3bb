"""A window company with a quiz, connected to solOS by its pair of keys: what its stories begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import responses
from django.test import Client

from accounts.models import Account
from accounts.redis_client import redis_client
from connectors.sandbox.solos import Account as SolosAccount
from connectors.sandbox.solos import SolosSandbox
from rules import provisioning
from tests.connectors.bridge import serve
from tests.connectors.solos.keeper import SOLOS_HOSTS
from tests.stories.conftest import QUIZ, Shop, passing


@dataclass
class Windows(Shop):
    """The company's side and our side of one connected account."""

    @property
    def box(self) -> SolosSandbox:
        return cast("SolosSandbox", self.amo)

    @property
    def keeper(self) -> SolosAccount:
        return cast("SolosAccount", self.crm)

    @property
    def account(self) -> Account:
        return Account.objects.get(account_id="shop", crm="solos", deleted=False)

    @property
    def creations(self) -> int:
        """How often a lead was asked for."""
        return self.box.journal.counts["POST /api/post/"]

    def connect(self, **changed: str) -> Any:
        """The owner brings the pair that the CRM shows now."""
        pair = {"token": self.keeper.token, "secret": self.keeper.secret}
        body = {"base_url": f"https://{self.keeper.host}/", **pair} | changed
        return self.api.post("/solos/account", body, content_type="application/json")

    def save_rule(self, **body: Any) -> Any:
        return self._rule("post", {"PerformerID": "2", "SourceID": "4"} | body)

    def change_rule(self, **body: Any) -> Any:
        return self._rule("patch", body)

    def shown_rule(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.api.get(f"/solos/rules/{QUIZ}").json())

    def _rule(self, verb: str, body: dict[str, Any]) -> Any:
        return getattr(self.api, verb)(f"/solos/rules/{QUIZ}", body, content_type="application/json")

    def shown(self) -> dict[str, Any]:
        """The delivery as the API tells it."""
        return cast("dict[str, Any]", self.api.get(f"/deliveries/{self.delivery.pk}").json())


@pytest.fixture
def sol_box(settings: Any) -> Iterator[SolosSandbox]:
    """solOS. Nobody waits for our own pace."""
    box = SolosSandbox(courier=lambda *_: 200)
    options = replace(settings.CRM_OPTIONS["solos"], requests_per_second=0)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "solos": options}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, box, SOLOS_HOSTS)
        yield box


@pytest.fixture
def stranger(
    transactional_db: None, sol_box: SolosSandbox, caller: Callable[..., Client], queued: list[Any]
) -> Windows:
    """Not connected yet."""
    for key in redis_client().scan_iter("*wake:*"):
        redis_client().delete(key)
    return Windows(sol_box, sol_box.add_account("demo7"), caller("shop"))  # type: ignore[arg-type]


@pytest.fixture
def windows(stranger: Windows) -> Windows:
    """Connected and synced, with a rule for its quiz; wake-ups go nowhere, ``work()`` is the worker."""
    assert stranger.connect().status_code == 200
    stranger.read_lists()
    assert stranger.save_rule().json() == "Success"
    provisioning.prepare_due()
    stranger.box.journal.clear()
    return stranger


@pytest.fixture
def later_at_solos(monkeypatch: pytest.MonkeyPatch, sol_box: SolosSandbox) -> Callable[..., None]:
    """Time passes, for us and for solOS."""
    return passing(monkeypatch, sol_box)
