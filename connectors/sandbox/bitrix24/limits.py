"""The leaky bucket and the operating budget of a portal (reference 2.7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.bitrix24.errors import system
from connectors.sandbox.bitrix24.model import Portal

ENTERPRISE = (250, 5.0)
NOT_COUNTED = 0.1
MINUTE, MINUTES = 60, 10
Key = tuple[int, str, str]  # portal, app or webhook, method


class Limits:
    def __init__(self) -> None:
        self._levels: dict[tuple[int, str], tuple[float, float]] = {}
        self._minutes: dict[Key, deque[list[float]]] = {}  # [minute, first call, seconds]

    def admit(self, portal: Portal, client: str, now: float, switches: Mapping[str, Any]) -> None:
        """One HTTP request, whatever is in it, into the bucket of (portal, source address)."""
        if not switches["limits"] or portal.profile == "box":
            return
        capacity, drain = switches["bucket"], switches["drain"]
        if portal.profile == "enterprise":
            capacity, drain = ENTERPRISE
        level, at = self._levels.get((portal.id, client), (0.0, now))
        now = max(now, at)  # requests are not always worked on as they came
        level = max(0.0, level - (now - at) * drain)
        full = level + 1 > capacity
        self._levels[portal.id, client] = (level if full else level + 1, now)
        if full:
            raise system(switches, "QUERY_LIMIT_EXCEEDED")

    def check(self, key: Key, now: float, switches: Mapping[str, Any]) -> None:
        """Before the call: the one that crosses the limit still finishes."""
        if switches["limits"] and self.spent(key, now) >= switches["operating_limit"]:
            raise system(switches, "OPERATION_TIME_LIMIT")

    def spent(self, key: Key, now: float) -> float:
        return sum(bucket[2] for bucket in self._live(key, now))

    def charge(self, key: Key, now: float, cost: float) -> None:
        if cost <= NOT_COUNTED:
            return
        buckets, minute = self._live(key, now), now // MINUTE
        if not buckets or buckets[-1][0] != minute:
            buckets.append([minute, now, 0.0])
        buckets[-1][2] += cost

    def _live(self, key: Key, now: float) -> deque[list[float]]:
        """Buckets leave ten minutes after their first call, as operating_reset_at promises."""
        buckets = self._minutes.setdefault(key, deque())
        while buckets and now >= buckets[0][1] + MINUTE * MINUTES:
            buckets.popleft()
        return buckets

    def fields(self, key: Key, now: float) -> dict[str, Any]:
        buckets = self._live(key, now)
        first = buckets[0][1] if buckets else now
        spent = sum(bucket[2] for bucket in buckets)
        return {"operating_reset_at": int(first) + MINUTE * MINUTES, "operating": round(spent, 6)}
