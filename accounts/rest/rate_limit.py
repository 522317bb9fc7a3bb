"""How many requests a quiz account may send us in a minute, counted in Redis over all processes.

Whoever is far from the limit is counted in portions: a process tells Redis of its requests a few times a
second, and until then adds them to what Redis said last. Near the limit each request is counted there.
Whoever can't be counted is let in: answers are taken without Redis, too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.redis_client import redis_client
from accounts.rest.authentication import Caller
from connectors.out_of_reach import OutOfReach

log = structlog.stdlib.get_logger(__name__)
WINDOW = 60  # seconds
PORTION_SECONDS = 0.25
# Of the limit: what all processes have not told then is far less than the tenth that is left.
EXACTLY_FROM = 0.9
MOST_PORTIONS = 10_000
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


@dataclass(slots=True)
class _Portion:
    """Of an account's requests: Redis' count of a window when it was last told, and ours since."""

    window: int
    told: int
    told_at: float  # by time.monotonic()
    since: int = 0


class _Portions:
    """What Redis was not told of yet, by account."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.known: dict[str, _Portion] = {}

    def add(self, account_id: str, window: int, limit: int) -> int | None:
        """One more; how many there are, or None where Redis is to be told."""
        with self.lock:
            one = self.known.get(account_id)
            if one is None or one.window != window or time.monotonic() - one.told_at > PORTION_SECONDS:
                return None
            if one.told + one.since + 1 > limit * EXACTLY_FROM:
                return None
            one.since += 1
            return one.told + one.since

    def take(self, account_id: str, window: int) -> int:
        """How many are to be told. Those of an earlier window count nowhere any more."""
        with self.lock:
            one = self.known.get(account_id)
            if one is None or one.window != window:
                return 0
            since, one.since = one.since, 0
            return since

    def tell(self, account_id: str, window: int, count: int) -> None:
        with self.lock:
            if len(self.known) >= MOST_PORTIONS:
                self.known.clear()
            since = one.since if (one := self.known.get(account_id)) and one.window == window else 0
            self.known[account_id] = _Portion(window, count, time.monotonic(), since)


portions = _Portions()


def count(account_id: str) -> Allowance | None:
    """One more request of the account; None where nobody can say how many there were."""
    limit, now = settings.API_RATE, time.time()
    if not limit or redis.rests():
        return None
    window, seconds = int(now // WINDOW), WINDOW - int(now % WINDOW)
    used = portions.add(account_id, window, limit)
    if used is None:
        key = f"{settings.REDIS_PREFIX}rate:{account_id}:{window}"
        try:
            pipeline = redis_client().pipeline(transaction=False)
            pipeline.incrby(key, portions.take(account_id, window) + 1)
            pipeline.expire(key, 2 * WINDOW)
            used = int(pipeline.execute()[0])
        except Exception as exc:
            redis.was_silent()
            log.warning("requests are not counted", error=type(exc).__name__)
            return None
        portions.tell(account_id, window, used)
    return Allowance(limit, used, seconds)


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
