"""The local solOS: customers' own CRMs, each under its own address (reference: whole).

Written from the vendor's page of May 2021 (API v2) and its public samples of 2024 (API v1); what is
UNCONFIRMED there is a switch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox.core import Reply, Request, Sandbox
from connectors.sandbox.solos import controls, gate
from connectors.sandbox.solos.errors import Refused
from connectors.sandbox.solos.hooks import Courier, Sender, call_out
from connectors.sandbox.solos.ledger import ledger
from connectors.sandbox.solos.model import Account
from connectors.sandbox.solos.seed import seed
from connectors.sandbox.solos.switches import CHOICES, DEFAULTS

DOMAIN = "solos.pro"
HTML = {502: "Bad Gateway", 504: "Gateway Time-out"}
WORDS = {401: "access denied", 403: "access denied", 404: "not found", 429: "too many requests"}


class SolosSandbox(Sandbox):
    kind = "solos"
    title = "solOS"
    base_port = 8170
    tls_names = (f"*.{DOMAIN}",)
    switch_defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    switch_choices: ClassVar[Mapping[str, tuple[Any, ...]]] = CHOICES

    def __init__(self, courier: Courier = call_out) -> None:
        super().__init__()
        self.courier = courier
        self._empty()

    def _empty(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.sender = Sender(self)
        self.ports = {}

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._empty()

    def add_account(self, subdomain: str = "", *, port: int | None = None, **options: Any) -> Account:
        """Seeded; options: projects (how many), any attribute of Account."""
        with self.lock:
            number = len(self.accounts) + 1
            projects = options.pop("projects", 12)
            account = Account(number, subdomain or f"demo{number}", port=port, **options)
            if self.owns_account(account.host):
                raise ValueError(f"the host {account.host} is taken")
            seed(account, self.clock.now(), projects)
            self.accounts[number] = account
            if port is not None:
                self.ports[port] = account
            return account

    # -- a request -------------------------------------------------------------------------------

    def owns_host(self, hostname: str) -> bool:
        return hostname.endswith("." + DOMAIN) or self.owns_account(hostname) is not None

    def owns_account(self, hostname: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.host == hostname), None)

    def owner_of(self, request: Request) -> Account | None:
        """By a vendor's or an own name, else by the port that the request came in at."""
        if self.owns_host(request.hostname):
            return self.owns_account(request.hostname)
        found: Account | None = self.ports.get(request.port or 80)
        return found

    def answer(self, request: Request) -> Reply:
        return gate.answer(self, request)

    def error_reply(self, status: int, request: Request) -> Reply:
        """What stands before the CRM answers HTML; nothing is documented."""
        if status in HTML:
            title = f"{status} {HTML[status]}"
            return Reply.html(status, f"<html><head><title>{title}</title></head><body>{title}</body></html>")
        return Refused(status, WORDS.get(status, "internal error")).reply(self.switches["error_key"])

    # -- what people do and see ------------------------------------------------------------------

    def act(self, account: Account, operation: str, **arguments: Any) -> Any:
        """An action of the CRM's own interface: ``controls.ACTIONS``."""
        with self.lock:
            return controls.act(self, account, operation, **arguments)

    def revoke(self, account: Account) -> None:
        with self.lock:
            account.revoke()

    def happened(self, account: Account, event: str, module: str, number: int) -> None:
        self.sender.plan(account, event, module, number)

    def ledger(self) -> list[dict[str, Any]]:
        with self.lock:
            return [row for account in self.accounts.values() for row in ledger(account)]

    def pump(self) -> int:
        return self.sender.pump()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        return controls.run(self, operation, arguments)
