"""The local Envybox CRM: accounts that a key opens (reference: whole).

Written from the vendor's document and public client code as of November 2026; what is UNCONFIRMED there is
a switch here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox.core import Reply, Request, Sandbox
from connectors.sandbox.envybox import controls, gate
from connectors.sandbox.envybox.creation import catch_up
from connectors.sandbox.envybox.errors import KNOWN
from connectors.sandbox.envybox.hooks import Courier, Hooks, call_out
from connectors.sandbox.envybox.ledger import ledger
from connectors.sandbox.envybox.methods import find
from connectors.sandbox.envybox.model import Crm
from connectors.sandbox.envybox.seed import seed
from connectors.sandbox.envybox.switches import CHOICES, DEFAULTS

SUFFIX = "envycrm.com"


class EnvySandbox(Sandbox):
    kind = "envybox"
    title = "Envybox"
    base_port = 8150
    tls_names = (f"*.{SUFFIX}", SUFFIX)
    switch_defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    switch_choices: ClassVar[Mapping[str, tuple[Any, ...]]] = CHOICES

    def __init__(self, courier: Courier = call_out) -> None:
        super().__init__()
        self.hooks = Hooks(courier)
        self._empty()

    def _empty(self) -> None:
        self.crms: dict[int, Crm] = {}
        self.by_host: dict[str, Crm] = {}
        self.ports = {}
        self.hooks.waiting = []

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._empty()

    def add_account(self, subdomain: str = "", *, port: int | None = None, **options: Any) -> Crm:
        """Seeded; options: key, own_host (white label), any attribute of Crm."""
        with self.lock:
            number = len(self.crms) + 1
            key = options.pop("key", "") or secrets.token_hex(16)
            crm = Crm(number, subdomain or f"demo{number}", key, port=port, **options)
            if crm.host in self.by_host:
                raise ValueError(f"the host {crm.host} is taken")
            self.crms[number] = self.by_host[crm.host] = crm
            if port is not None:
                self.ports[port] = crm
            seed(crm)
            return crm

    def owns_host(self, hostname: str) -> bool:
        return hostname == SUFFIX or hostname.endswith(f".{SUFFIX}") or hostname in self.by_host

    def owner_of(self, request: Request) -> Crm | None:
        """By name, by port, or by the key alone at the vendor's bare host (1.1, OBS)."""
        host = request.hostname
        if host in self.by_host:
            return self.by_host[host]
        if host == SUFFIX:
            key = request.params.get("api_key")
            return next((crm for crm in self.crms.values() if crm.key == key), None)
        return None if self.owns_host(host) else self.ports.get(request.port or 80)

    def answer(self, request: Request) -> Reply:
        return gate.answer(self, request)

    def error_reply(self, status: int, request: Request) -> Reply:
        """What stands before the CRM answers HTML; the CRM itself an envelope."""
        if status == 401:
            return Reply.json(401, {"status_code": 401, "message": KNOWN["WRONG_KEY"][1]})
        body = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>nginx</body></html>"
        return Reply.html(status, body)

    def route_of(self, request: Request) -> str:
        name = gate.method_name(self, request.path)
        return f"{request.method} {find(name)[0] if name else request.path}"

    def happened(self, crm: Crm, event: str, number: int) -> None:
        self.hooks.happened(crm, event, number)

    def revoke(self, crm: Crm) -> str:
        """The owner makes a new key in the settings; returns it."""
        with self.lock:
            crm.key = secrets.token_hex(16)
            return crm.key

    def ledger(self) -> list[dict[str, Any]]:
        with self.lock:
            for crm in self.crms.values():
                catch_up(self, crm)
            return [row for crm in self.crms.values() for row in ledger(crm)]

    def pump(self) -> int:
        with self.lock:
            for crm in self.crms.values():
                catch_up(self, crm)
        return self.hooks.pump()

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        return controls.run(self, operation, arguments)
