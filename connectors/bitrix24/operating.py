"""The portal's time budget: each method may take so many seconds of its work in ten minutes (reference 2.7).

apidocs.bitrix24.com: settings/performance/limits
"""

from __future__ import annotations

from typing import Any

from connectors.bitrix24.speed import Speed
from connectors.limiter import RateLimiter

NEAR = 0.8
LONGEST = 600.0
WRITES = ("crm.deal.add", "crm.lead.add", "crm.contact.add", "crm.company.add")


class OperatingBudget:
    """Holds a method back once most of its budget is used, for every process that shares the pace."""

    def __init__(self, limiter: RateLimiter, limit: float, speed: Speed | None = None) -> None:
        self.limiter = limiter
        self.limit = limit
        self.speed = speed or Speed()

    def wait_for(self, method: str) -> float:
        return self.limiter.held(method) if self.limit else 0.0

    def note(self, method: str, time: Any) -> None:
        """Absent where the portal keeps no such count."""
        if not isinstance(time, dict):
            return
        self.speed.note(method, _number(time.get("duration")))
        if not self.limit:
            return
        used, reset, now = (_number(time.get(key)) for key in ("operating", "operating_reset_at", "finish"))
        if used >= NEAR * self.limit and reset > now > 0:
            self.limiter.hold(method, min(reset - now, LONGEST))

    def takes(self, method: str) -> float:
        return self.speed.of(method)

    def held_methods(self) -> tuple[str, ...]:
        """What a person should know: the methods that wait."""
        return tuple(method for method in WRITES if self.wait_for(method))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
