"""A connected account of solOS, and whoever keeps its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.auth import Tokens
from connectors.base import Remote
from connectors.limiter import NoRateLimiter
from connectors.registry import host_policy
from connectors.sandbox.solos import Account, SolosSandbox
from connectors.solos.auth import KeyPair
from connectors.solos.client import Client
from connectors.solos.connector import SolosConnector
from connectors.solos.options import SolosOptions
from tests.connectors.cast import Store

SOLOS_HOSTS = r"https://[\w.-]+\.solos\.pro/"


class Keeper:
    """``connector`` is a fresh one each time, as tasks build their own; ``facts`` are what was learned."""

    def __init__(self, box: SolosSandbox, account: Account) -> None:
        self.box, self.account = box, account
        self.options = SolosOptions()
        self.store = Store(Tokens(account.token, account.secret))
        self.facts: Mapping[str, Any] = {}

    @property
    def connector(self) -> SolosConnector:
        remote = Remote(f"https://{self.account.host}", self.account.host, self.facts)
        hosts = host_policy(self.options, frozenset())
        return SolosConnector(remote, KeyPair(self.store), NoRateLimiter(), self.options, hosts)

    @property
    def client(self) -> Client:
        return self.connector.client()

    def choose(self, **options: Any) -> None:
        """The operator sets options."""
        self.options = replace(self.options, **options)

    def learn(self) -> None:
        """As connecting and every full sync do."""
        self.facts = {**self.facts, **self.connector.identify().facts}
        self.facts = {**self.facts, **self.connector.prepare()}

    def act(self, operation: str, **arguments: Any) -> Any:
        """Somebody does something in solOS (``controls.ACTIONS``)."""
        return self.box.act(self.account, operation, **arguments)

    def convert(self, lead_id: str, **how: Any) -> int:
        """Somebody makes a project of a lead; its id."""
        return int(self.act("convert", lead_id=int(lead_id), **how)["id"])

    def project_of(self, lead_id: str) -> int:
        return int(self.account.leads[int(lead_id)].project_id or 0)
