"""A florist with a quiz, connected to Envybox by a key: what its stories begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import responses
from django.test import Client

from accounts.models import Account
from accounts.redis_client import redis_client
from connectors.sandbox.envybox import Crm, EnvySandbox
from rules import provisioning
from tests.connectors.bridge import serve
from tests.stories.conftest import QUIZ, Shop, passing

HOSTS = r"https://[\w-]+\.envycrm\.com/"


@dataclass
class Florist(Shop):
    """The florist's side and our side of one account."""

    @property
    def box(self) -> EnvySandbox:
        return cast("EnvySandbox", self.amo)

    @property
    def envy(self) -> Crm:
        return cast("Crm", self.crm)

    @property
    def account(self) -> Account:
        return Account.objects.get(account_id="shop", crm="envybox", deleted=False)

    def connect(self, **changed: str) -> Any:
        body = {"base_url": f"https://{self.envy.host}/", "api_key": self.envy.key} | changed
        return self.api.post("/envybox/account", body, content_type="application/json")

    def place(self, pipeline: str = "Квизы", step: str = "Дозвон") -> dict[str, Any]:
        line = self.envy.line(pipeline)
        return {"PipelineID": str(line.id), "StepID": str(line.named(step).id)}

    def field_id(self, name: str, entity: Any = 3) -> Any:
        return str(self.envy.input(name, entity).id)

    def save_rule(self, **body: Any) -> Any:
        return self._rule("post", self.place() | {"LeadFlag": False} | body)

    def change_rule(self, **body: Any) -> Any:
        return self._rule("patch", body)

    def shown_rule(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.api.get(f"/envybox/rules/{QUIZ}").json())

    def _rule(self, verb: str, body: dict[str, Any]) -> Any:
        return getattr(self.api, verb)(f"/envybox/rules/{QUIZ}", body, content_type="application/json")


@pytest.fixture
def envy(settings: Any) -> Iterator[EnvySandbox]:
    """Envybox. Nobody waits for our own pace."""
    box = EnvySandbox()
    options = replace(settings.CRM_OPTIONS["envybox"], requests_per_second=0)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "envybox": options}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, box, HOSTS)
        yield box


@pytest.fixture
def newcomer(
    transactional_db: None, envy: EnvySandbox, caller: Callable[..., Client], queued: list[Any]
) -> Florist:
    """Not connected yet."""
    for key in redis_client().scan_iter("*wake:*"):
        redis_client().delete(key)
    return Florist(envy, envy.add_account("florist"), caller("shop"))  # type: ignore[arg-type]


@pytest.fixture
def florist(newcomer: Florist) -> Florist:
    """Connected and synced, with a rule for its quiz; wake-ups go nowhere, ``work()`` is the worker."""
    assert newcomer.connect().status_code == 200
    newcomer.read_lists()
    assert newcomer.save_rule().status_code == 200
    provisioning.prepare_due()
    newcomer.box.journal.clear()
    return newcomer


@pytest.fixture
def later_at_envybox(monkeypatch: pytest.MonkeyPatch, envy: EnvySandbox) -> Callable[..., None]:
    """Time passes, for us and for Envybox."""
    return passing(monkeypatch, envy)
