"""Outgoing notices of an account: form-encoded, undocumented, optional (reference 5.8, OBS)."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.envybox.model import Crm

Courier = Callable[[str, str, dict[str, str], bytes, float], int]
PATIENCE = 5.0


def call_out(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return int(answer.status)
    except OSError:
        return 0


@dataclass
class Hooks:
    courier: Courier
    waiting: list[tuple[str, bytes]] = field(default_factory=list)

    def happened(self, crm: Crm, event: str, number: int) -> None:
        if crm.webhook_url:
            self.waiting.append((crm.webhook_url, urlencode(form(crm, event, number)).encode()))

    def pump(self) -> int:
        due, self.waiting = self.waiting, []
        for url, body in due:
            self.courier("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, body, PATIENCE)
        return len(due)


def form(crm: Crm, event: str, number: int) -> dict[str, Any]:
    if event == "create_deal":
        deal = crm.deals[number]
        return {"event": event, "deal[id]": number, "deal[client_id]": deal.client_id}
    service = crm.leads[number].service
    named = {f"lead[values][main][inputs][{name}][value]": value for name, value in service.items()}
    return {"event": event, "lead[id]": number, **named}
