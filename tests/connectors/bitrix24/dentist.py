"""The dentist: a portal in the local Bitrix24 and our connector for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.auth import Bearer, Tokens
from connectors.base import Remote
from connectors.bitrix24.auth import BitrixSignIn
from connectors.bitrix24.connector import BitrixConnector
from connectors.bitrix24.options import BitrixOptions
from connectors.draft import FieldValue, Option, Target
from connectors.hosts import HostPolicy
from connectors.limiter import NoRateLimiter, RateLimiter
from connectors.registry import host_policy
from connectors.sandbox.bitrix24 import BitrixSandbox, Portal
from tests.connectors.cast import Store

BITRIX_HOSTS = r"https://([^/]+\.bitrix24\.(ru|de)|oauth\.bitrix24\.tech|oauth\.bitrix\.info)/"


@dataclass
class Dentist:
    """A dentist on Bitrix24: the sandbox, the portal, and our connector for it."""

    box: BitrixSandbox
    portal: Portal
    store: Store
    options: BitrixOptions
    hosts: HostPolicy
    facts: dict[str, Any] = field(default_factory=dict)
    limiter: RateLimiter = field(default_factory=NoRateLimiter)

    @property
    def connector(self) -> BitrixConnector:
        remote = Remote(f"https://{self.portal.host}", self.portal.member_id, self.facts)
        return BitrixConnector(remote, Bearer(self.store), self.limiter, self.options, self.hosts)

    @property
    def leads(self) -> list[dict[str, Any]]:
        return [row for row in self.box.ledger() if row["account_id"] == self.portal.id]

    @property
    def contacts(self) -> list[Any]:
        return list(self.portal.tables["contact"].values())

    def prepare(self) -> None:
        """What happens once when an account is connected."""
        self.facts |= {**self.connector.identify().facts, **self.connector.prepare()}
        self.box.journal.clear()

    def target(self, label: str, entity: str = "CRM_DEAL") -> Target:
        rows = [row for row in self.portal.fields[entity].values() if row.label == label]
        found = rows[0]
        options = tuple(Option(str(option.id), option.value) for option in found.options)
        return Target(entity, str(found.id), found.label, found.type, found.name, options, found.multiple)

    def value(self, label: str, text: str | tuple[str, ...], entity: str = "CRM_DEAL") -> FieldValue:
        return FieldValue(self.target(label, entity), f"{label}?", text)

    def add_person(self, kind: str = "contact", phone: str = "", email: str = "", **fields: Any) -> str:
        """Somebody whom the portal knew before us."""
        fields |= {name: [{"VALUE": text}] for name, text in (("PHONE", phone), ("EMAIL", email)) if text}
        fields |= {"TITLE": "Ромашка"} if kind == "company" else {"NAME": "Анна"}
        return str(
            self.connector.http_client().call("POST", f"/crm.{kind}.add", json={"fields": fields})["result"]
        )

    def move(self, kind: str, remote_id: str, step: str, **fields: Any) -> None:
        """To a step by the end of its code: pipelines prefix their own."""
        number = self.portal.tables[kind][int(remote_id)].props.get("CATEGORY_ID")
        step = f"C{number}:{step}" if number else step
        moved = {"kind": kind, "id": remote_id, "step_id": step, "fields": fields}
        self.box.control("move_record", moved)

    def forget(self, kind: str, remote_id: str) -> None:
        self.box.control("delete_record", {"kind": kind, "id": remote_id})

    def methods(self) -> list[str]:
        """The methods that were called since the journal was cleared."""
        return [entry.path.removeprefix("/rest/") for entry in self.box.journal]


def options_of(box: BitrixSandbox) -> BitrixOptions:
    ours = box.integration
    return BitrixOptions(ours.client_id, ours.client_secret, ours.redirect_uri)


def policy(options: BitrixOptions) -> HostPolicy:
    return host_policy(options, frozenset())


def connect(box: BitrixSandbox, portal: Portal, options: BitrixOptions, user: Any = None) -> Dentist:
    issued = box.issue_tokens(portal, user)
    sign_in = BitrixSignIn(options, policy(options))
    tokens = Tokens(issued["access_token"], issued["refresh_token"], issued["expires"])
    facts = {"server_endpoint": issued["server_endpoint"], "rest_path": "/rest/"}
    store = Store(tokens, lambda stale: sign_in.refresh(portal.host, stale, facts).tokens)
    return Dentist(box, portal, store, options, policy(options), facts)
