"""A dentist with a quiz, connected to Bitrix24: what its delivery stories begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
from django.test import Client

from accounts.models import Account
from accounts.redis_client import redis_client
from connectors.sandbox.bitrix24 import BitrixSandbox, Portal
from rules import provisioning
from tests.stories.conftest import QUIZ, Shop, passing


@dataclass
class Clinic(Shop):
    """The dentist's side and our side of one connected portal."""

    @property
    def box(self) -> BitrixSandbox:
        return cast("BitrixSandbox", self.amo)

    @property
    def portal(self) -> Portal:
        return cast("Portal", self.crm)

    @property
    def account(self) -> Account:
        return Account.objects.get(account_id="shop", crm="bitrix24", deleted=False)

    def place(self, pipeline: str = "Квизы", step: str = "Дозвон") -> dict[str, Any]:
        """A whole rule: the contract demands all nine of its properties."""
        line = next(one for one in self.portal.categories[2].values() if one.name == pipeline)
        stages = self.portal.statuses.by_entity[f"DEAL_STAGE_{line.id}" if line.id else "DEAL_STAGE"]
        return {
            "PerformerID": "",
            "PipelineID": line.id,
            "StageID": next(code for code, stage in stages.items() if stage.name == step),
            "TypeID": "SALE",
            "SourceID": "WEB",
            "FieldsRule": {},
            "TagsToAdd": {},
            "LeadFlag": False,
            "StatusID": "IN_PROCESS",
        }

    def field_id(self, name: str, entity: str = "CRM_DEAL") -> Any:
        return str(self.portal.field(name, entity).id)

    def user_id(self, last_name: str) -> str:
        return next(str(user.id) for user in self.portal.users.values() if user.last_name == last_name)

    def save_rule(self, **body: Any) -> Any:
        return self._rule("post", self.place() | body)

    def change_rule(self, **body: Any) -> Any:
        return self._rule("patch", body)

    def shown_rule(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.api.get(f"/bitrix/rules/{QUIZ}").json())

    def calls(self, method: str) -> list[Any]:
        """The requests that called a method, alone or within a batch."""
        return [one for one in self.box.journal if method in one.path or method.encode() in one.request.body]

    def _rule(self, verb: str, body: dict[str, Any]) -> Any:
        return getattr(self.api, verb)(f"/bitrix/rules/{QUIZ}", body, content_type="application/json")


@pytest.fixture
def clinic(
    transactional_db: None,
    b24: BitrixSandbox,
    dentist: Portal,
    connect_portal: Callable[..., Any],
    caller: Callable[..., Client],
) -> Clinic:
    """Connected and synced, with a rule for its quiz; wake-ups go nowhere, ``work()`` is the worker."""
    for key in redis_client().scan_iter("*wake:*"):
        redis_client().delete(key)
    assert connect_portal(dentist).status_code == 302
    clinic = Clinic(b24, dentist, caller("shop"))  # type: ignore[arg-type]
    clinic.read_lists()
    assert clinic.save_rule().status_code == 200
    provisioning.prepare_due()
    b24.journal.clear()
    return clinic


@pytest.fixture
def later_there(monkeypatch: pytest.MonkeyPatch, b24: BitrixSandbox) -> Callable[..., None]:
    """Time passes, for us and for Bitrix24."""
    return passing(monkeypatch, b24)
