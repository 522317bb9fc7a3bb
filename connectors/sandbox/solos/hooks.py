"""Outgoing webhooks: form-encoded, flat; which events and keys there are is a switch (6.25)."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from connectors.sandbox.solos.model import Account
from connectors.sandbox.solos.moments import moment

if TYPE_CHECKING:
    from connectors.sandbox.solos.sandbox import SolosSandbox

# (method, url, headers, body, timeout) -> status; 0 when there was no answer in time
Courier = Callable[[str, str, dict[str, str], bytes, float], int]
TIMEOUT = 2.0
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def call_out(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


class Sender:
    """One try each. Nothing leaves until somebody pumps."""

    def __init__(self, box: SolosSandbox) -> None:
        self._box = box
        self.queue: deque[tuple[str, bytes]] = deque()

    def plan(self, account: Account, event: str, module: str, number: int) -> None:
        if not account.hook_url:
            return
        known = {"event": event, "module": module, "id": number, "moment": moment(self._box.clock.now())}
        keys = self._box.switches["webhook_keys"]
        body = urlencode({keys[word]: value for word, value in known.items() if keys.get(word)})
        self.queue.append((account.hook_url, body.encode()))

    def pump(self) -> int:
        with self._box.lock:
            due, self.queue = list(self.queue), deque()
        for url, body in due:
            self._box.courier("POST", url, dict(HEADERS), body, TIMEOUT)
        return len(due)
