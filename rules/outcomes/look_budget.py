"""What looks may take of a CRM account's limit: a tenth, by everybody together.

Kept as a moment in Redis until which nobody looks: each request of a look moves it by the time in which a
tenth of the limit allows one. Without Redis the pace itself is kept by each process (``connectors.limiter``),
and looks are not counted.
"""

from __future__ import annotations

import structlog
from django.conf import settings

from accounts.crm_settings import options_for
from accounts.models import Account
from accounts.redis_client import redis_client
from connectors.limiter import RateLimiter, WrappedRateLimiter

log = structlog.stdlib.get_logger(__name__)
SHARE = 0.1


class LookBudget:
    """Of one account; quiz accounts that share it share the budget."""

    def __init__(self, account: Account) -> None:
        per_second = getattr(options_for(account.crm), "requests_per_second", 0)
        self.milliseconds = 1000 / (per_second * SHARE) if per_second else 0.0
        self.key = f"{settings.REDIS_PREFIX}looks:{account.crm}:{account.remote_id or account.host}"

    def wait(self) -> float:
        """Seconds until somebody may look again; 0 where one may now."""
        if not self.milliseconds:
            return 0.0
        try:
            return max(int(redis_client().pttl(self.key)), 0) / 1000
        except Exception as exc:
            log.warning("looks are not counted", error=type(exc).__name__)
            return 0.0

    def spend(self, requests: int) -> None:
        """So many were sent."""
        cost = int(requests * self.milliseconds)
        if not cost:
            return
        try:
            redis_client().set(self.key, 1, px=int(self.wait() * 1000) + cost)
        except Exception as exc:
            log.warning("looks are not counted", error=type(exc).__name__)


class CountingRateLimiter(WrappedRateLimiter):
    """A connector's pace that counts the requests."""

    def __init__(self, limiter: RateLimiter) -> None:
        super().__init__(limiter)
        self.count = 0

    def wait(self) -> None:
        super().wait()
        self.count += 1
