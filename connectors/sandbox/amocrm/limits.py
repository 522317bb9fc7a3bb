"""7 requests a second per integration and account, 50 per account; then 429, then a block (reference 6.1)."""

from __future__ import annotations

from collections import deque
from typing import Any

from connectors.sandbox.amocrm.hal import nginx, problem
from connectors.sandbox.core import Reply, Switches


class Window:
    """At most `most` requests in any one second. Refused requests don't count against the window."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def admits(self, now: float, most: int) -> bool:
        while self._times and self._times[0] <= now - 1:
            self._times.popleft()
        if len(self._times) >= most:
            return False
        self._times.append(now)
        return True


class Limits:
    def __init__(self) -> None:
        self._windows: dict[Any, Window] = {}
        self._refused: dict[Any, deque[float]] = {}

    def check(self, key: tuple[int, str], now: float, switches: Switches) -> str:
        """ok | busy | abuse"""
        most = switches["rate_integration"], switches["rate_account"]
        for which, bound in ((key, most[0]), (key[0], most[1])):
            if not self._windows.setdefault(which, Window()).admits(now, bound):
                return self._count_refusal(key, now, switches["abuse_after"])
        return "ok"

    def _count_refusal(self, key: tuple[int, str], now: float, abuse_after: int) -> str:
        refused = self._refused.setdefault(key, deque())
        while refused and refused[0] <= now - 60:
            refused.popleft()
        refused.append(now)
        return "abuse" if abuse_after and len(refused) > abuse_after else "busy"

    def forget(self, account_id: int) -> None:
        for book in (self._windows, self._refused):
            for key in [
                key for key in book if account_id in (key, key[0] if isinstance(key, tuple) else None)
            ]:
                del book[key]


def busy(switches: Switches) -> Reply:
    """HTML was seen on amocrm.ru, JSON is documented for Kommo; Retry-After is UNCONFIRMED."""
    wait = switches["retry_after"]
    headers = {"Retry-After": str(wait)} if wait else {}
    if switches["rate_body"] == "html":
        reply = nginx(429, "Too Many Requests")
    else:
        reply = problem(429, "Too many requests", **({"retry_after": wait} if wait else {}))
    return Reply(reply.status, {**reply.headers, **headers}, reply.body)


def blocked() -> Reply:
    return nginx(403, "Forbidden")
