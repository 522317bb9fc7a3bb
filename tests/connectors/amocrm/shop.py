"""The flower shop: an account in the local amoCRM and our connector for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.amocrm.auth import AmoSignIn
from connectors.amocrm.connector import AmoConnector
from connectors.amocrm.options import AmoOptions
from connectors.auth import Bearer, Tokens
from connectors.base import Remote
from connectors.draft import FieldValue, Option, Target
from connectors.hosts import HostPolicy
from connectors.limiter import NoRateLimiter
from connectors.sandbox.amocrm import Account, AmoSandbox
from tests.connectors.cast import Store

HOSTS = HostPolicy(("amocrm.ru", "amocrm.com", "kommo.com"))
AMO_HOSTS = r"https://[^/]+\.(amocrm\.ru|amocrm\.com|kommo\.com)/"


@dataclass
class FlowerShop:
    """A shop on amoCRM: the sandbox, its account, and our connector for it."""

    amo: AmoSandbox
    account: Account
    store: Store
    options: AmoOptions
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def connector(self) -> AmoConnector:
        remote = Remote(f"https://{self.account.host}", str(self.account.id), self.facts)
        return AmoConnector(remote, Bearer(self.store), NoRateLimiter(), self.options, HOSTS)

    @property
    def leads(self) -> list[dict[str, Any]]:
        return [row for row in self.amo.ledger() if row["account_id"] == self.account.id]

    def prepare(self) -> None:
        """What happens once when an account is connected."""
        self.facts = {**self.connector.identify().facts, **self.connector.prepare()}
        self.amo.journal.clear()

    def target(self, name: str, entity: str = "leads") -> Target:
        found = self.account.fields[entity].named(name)
        options = tuple(Option(str(e.id), e.value, e.code or "") for e in found.enums or ())
        return Target(entity, str(found.id), found.name, found.type, found.code or "", options)

    def value(self, name: str, text: str | tuple[str, ...], entity: str = "leads") -> FieldValue:
        return FieldValue(self.target(name, entity), f"{name}?", text)

    def step(self, pipeline: str = "Квизы", step: str = "Дозвон") -> tuple[str, str]:
        funnel = next(p for p in self.account.pipelines.values() if p.name == pipeline)
        return str(funnel.id), str(next(s for s in funnel.statuses if s.name == step).id)

    def user(self, name: str) -> str:
        return str(next(u.id for u in self.account.users.values() if u.name.startswith(name)))

    def sent(self, route: str = "POST /api/v4/leads/complex") -> list[Any]:
        method, path = route.split(" ")
        return [entry.json for entry in self.amo.journal.find(method, f"{path}$")]


def options_of(amo: AmoSandbox) -> AmoOptions:
    ours = amo.integration
    return AmoOptions(ours.client_id, ours.client_secret, ours.redirect_uri)


def connect(
    amo: AmoSandbox, account: Account, options: AmoOptions, sign_in: AmoSignIn, user: Any = None
) -> FlowerShop:
    issued = amo.issue_tokens(account, user)
    tokens = Tokens(
        issued["access_token"], issued["refresh_token"], issued["server_time"] + issued["expires_in"]
    )
    store = Store(tokens, lambda stale: sign_in.refresh(account.host, stale).tokens)
    return FlowerShop(amo, account, store, options)
