"""A CRM that says of leads what a test wrote down, and a quiz whose answer was delivered to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.amocrm.connector import AmoConnector
from connectors.lead_status import ChangeNotice, LeadStatus
from rules.models import Delivery
from rules.outcomes import following


class ScriptedCrm:
    """Says of leads what a test wrote down, and remembers who was asked about."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.asked: list[list[str]] = []
        self.while_asked: Any = lambda: None

    def follow(self, connector: Any, leads: Any) -> list[Any]:
        self.asked.append([lead.remote_id for lead in leads])
        self.while_asked()
        return [self.says.get(lead.remote_id) for lead in leads]


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> ScriptedCrm:
    scripted = ScriptedCrm()
    monkeypatch.setattr(AmoConnector, "can", replace(AmoConnector.can, follow=2, hooks=True))
    monkeypatch.setattr(AmoConnector, "follow", lambda self, leads: scripted.follow(self, leads))
    monkeypatch.setattr(AmoConnector, "subscribe", lambda self, url, contacts: None)
    monkeypatch.setattr(AmoConnector, "read_hook", classmethod(lambda cls, form: read(form)))
    return scripted


def read(form: Any) -> ChangeNotice:
    records = frozenset(form["leads"].split(",")) if form.get("leads") else None
    return ChangeNotice(form.get("account", ""), form.get("secret", ""), records)


@pytest.fixture
def delivered(quiz, crm) -> Any:
    quiz.post()
    quiz.work()
    return quiz


def lead_of(shop: Any) -> str:
    return Delivery.objects.latest("pk").remote_id


def standing(lead: str, **said: Any) -> LeadStatus:
    return LeadStatus("lead", lead, **said)


def look(shop: Any) -> int:
    """What beat and a worker do."""
    looked = 0
    for account in following._due():
        looked += following.follow(account)
    return looked


def shown(shop: Any) -> Any:
    return shop.api.get(f"/deliveries/{Delivery.objects.latest('pk').pk}").json()["outcome"]
