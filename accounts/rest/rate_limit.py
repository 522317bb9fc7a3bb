"""How many requests a quiz account may send us in a minute, counted in Redis over all processes.

Whoever can't be counted is let in: answers are taken without Redis, too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.out_of_reach import OutOfReach
from accounts.redis_client import redis_client
from accounts.rest.authentication import Caller

log = structlog.stdlib.get_logger(__name__)
WINDOW = 60  # seconds
REDIS_RESTS = 5.0  # seconds without counting, after Redis was out of reach: requests don't wait for it


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window: ``limit`` requests, ``used`` of them, ``seconds`` until the next window."""

    limit: int
    used: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers has them in separate fields."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "RateLimit-Reset": str(self.seconds),
        }


redis = OutOfReach(REDIS_RESTS)


def count(account_id: str) -> Allowance | None:
    """One more request of the account; None where nobody can say how many there were."""
    limit, now = settings.API_RATE, time.time()
    if not limit or redis.rests():
        return None
    key = f"{settings.REDIS_PREFIX}rate:{account_id}:{int(now // WINDOW)}"
    try:
        pipeline = redis_client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, 2 * WINDOW)
        used = int(pipeline.execute()[0])
    except Exception as exc:
        redis.was_silent()
        log.warning("requests are not counted", error=type(exc).__name__)
        return None
    return Allowance(limit, used, WINDOW - int(now % WINDOW))


class AccountRate(BaseThrottle):
    """Refuses what is beyond ``API_RATE`` with 429; ``request.allowance`` is what the headers say."""

    allowance: Allowance | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Caller):
            return True
        self.allowance = count(request.user.account_id)
        view.allowance = self.allowance
        return self.allowance is None or self.allowance.used <= self.allowance.limit

    def wait(self) -> float | None:
        return float(self.allowance.seconds) if self.allowance else None
