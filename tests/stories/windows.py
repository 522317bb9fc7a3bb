"""A window company with a quiz, connected to solOS by its pair of keys: what its stories begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import responses
from django.test import Client

from accounts import states
from accounts.access import learn, redis_client
from accounts.models import Account, Token
from connectors.sandbox.solos import Account as SolosAccount
from connectors.sandbox.solos import SolosSandbox
from rules import prepare
from rules.models import Rule
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

    def enter_keys(self) -> None:
        """The owner brings the pair that the CRM shows now."""
        pair = {"access": self.keeper.token, "refresh": self.keeper.secret}
        Token.objects.update_or_create(account=self.account, defaults=pair)
        learn(self.account)
        states.activate(self.account)

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
def windows(transactional_db: None, sol_box: SolosSandbox, caller: Callable[..., Client]) -> Windows:
    """Connected and synced, with a rule for its quiz; wake-ups go nowhere, ``work()`` is the worker."""
    for key in redis_client().scan_iter("*wake:*"):
        redis_client().delete(key)
    keeper = sol_box.add_account("demo7")
    account = Account.objects.create(
        account_id="shop", crm="solos", host=keeper.host, remote_id=keeper.host, subdomain="demo7"
    )
    windows = Windows(sol_box, keeper, caller("shop"))  # type: ignore[arg-type]
    windows.enter_keys()
    windows.sync()
    Rule.objects.create(account=account, quiz_id=QUIZ, performer="2", choices={"reference_id": 4})
    prepare.prepare_due()
    sol_box.journal.clear()
    return windows


@pytest.fixture
def later_at_solos(monkeypatch: pytest.MonkeyPatch, sol_box: SolosSandbox) -> Callable[..., None]:
    """Time passes, for us and for solOS."""
    return passing(monkeypatch, sol_box)
