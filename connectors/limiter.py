"""One request rate per remote account, shared by every process that talks to it.

GCRA in a few lines of Lua on the server's own clock: exact, fair, one round trip. The limiter waits, it
never fails: without a server each process keeps to its share of the rate.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from connectors.errors import Stopped
from connectors.messages import message
from connectors.out_of_reach import OutOfReach

log = logging.getLogger(__name__)
T = TypeVar("T")

# Of an account's requests that wait, those of one process stand in a line whose head alone asks the server:
# all of them would be told the same moment, all but one in vain. Without a server the line keeps the pace.
AWAY = 5.0  # seconds; a server that hangs would hold the line up
_LINES: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

# KEYS[1] theoretical arrival time of the next request (microseconds), KEYS[2] the stop sign, KEYS[3] how many
# requests went in each of the last minutes.
# ARGV[1] microseconds between requests, ARGV[2] how far ahead of its time a request may go.
# Returns the microseconds to wait (0: go now, the slot is taken), or -1 where the account is stopped.
# A time further ahead than any request leaves behind was written by a server with another clock (a failover,
# a clock set back): it is cut, or everybody would wait for that clock.
GCRA = """
if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local furthest = now + ARGV[1] + ARGV[2]
local tat = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), furthest)
local early = tat - tonumber(ARGV[2]) - now
if early > 0 then return early end
redis.call('SET', KEYS[1], string.format('%.0f', tat + tonumber(ARGV[1])), 'PX', 600000)
local minute = math.floor(now / 60000000)
if redis.call('HINCRBY', KEYS[3], minute, 1) == 1 then
    redis.call('HDEL', KEYS[3], minute - 2, minute - 3)
    redis.call('PEXPIRE', KEYS[3], 180000)
end
return 0
"""


class RateLimiter:
    """What the HTTP client asks before every request. As it stands here there is no limit."""

    def wait(self) -> None:
        """Return when the next request may go. Raises ``Stopped`` once the stop sign is up."""

    def about_to_write(self) -> None:
        """The next request can't be repeated. Raises ``TryLater`` where it must not be sent any more."""

    def stop(self, reason: str) -> None:
        """Put the stop sign up for every process."""

    def resume(self) -> None:
        """Take the stop sign down."""

    def stopped(self) -> bool:
        """Is the stop sign up?"""
        return False

    def hold(self, what: str, seconds: float) -> None:
        """Nobody does ``what`` at this account for so long; the rest goes on."""

    def held(self, what: str) -> float:
        """Seconds for which ``what`` still waits; 0 where it may be done."""
        return 0.0

    def resting(self) -> Mapping[str, float]:
        """All that is held, with its seconds: for people."""
        return {}

    def used(self) -> tuple[int, int] | None:
        """(requests in the last whole minute, as many as the limit allows in one); None without a limit."""
        return None


class NoRateLimiter(RateLimiter):
    """For CRMs and tests without a limit."""


class WrappedRateLimiter(RateLimiter):
    """Another limiter; subclasses add what happens on top of it."""

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter

    def wait(self) -> None:
        self.limiter.wait()

    def about_to_write(self) -> None:
        self.limiter.about_to_write()

    def stop(self, reason: str) -> None:
        self.limiter.stop(reason)

    def resume(self) -> None:
        self.limiter.resume()

    def stopped(self) -> bool:
        return self.limiter.stopped()

    def hold(self, what: str, seconds: float) -> None:
        self.limiter.hold(what, seconds)

    def held(self, what: str) -> float:
        return self.limiter.held(what)

    def resting(self) -> Mapping[str, float]:
        return self.limiter.resting()

    def used(self) -> tuple[int, int] | None:
        return self.limiter.used()


class RedisRateLimiter(RateLimiter):
    """``per_second`` requests with at most ``burst`` of them ahead of their time, for ``key``.

    ``server`` is a Redis client. ``shares`` is the number of processes that talk to the CRMs: without the
    server each of them takes that part of the rate. ``sleep`` comes from outside so that tests don't wait.
    """

    STOP_FOR = 24 * 3600

    def __init__(
        self,
        server: Any,
        key: str,
        per_second: float,
        burst: int = 1,
        shares: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server
        self.slot, self.sign = f"pace:{key}", f"pace:{key}:stopped"
        self.minutes = f"pace:{key}:minutes"
        self.interval = int(1_000_000 / per_second)
        self.tolerance = self.interval * (burst - 1)
        self.shares = shares
        self.sleep = sleep
        self.reach = OutOfReach(AWAY)

    def wait(self) -> None:
        with self._line:
            while (microseconds := self._ask()) > 0:
                self.sleep(microseconds / 1_000_000)
        if microseconds < 0:
            raise Stopped(
                message("Requests to this account are stopped because the CRM blocked them"),
                code="blocked",
                remedy=message("Ask the CRM's support to lift the block, then resume the account."),
            )

    def stop(self, reason: str) -> None:
        self._told(lambda: self.server.set(self.sign, reason[:200], ex=self.STOP_FOR), None)

    def resume(self) -> None:
        self._told(lambda: self.server.delete(self.sign), None)

    def stopped(self) -> bool:
        return self._told(lambda: bool(self.server.exists(self.sign)), False)

    def hold(self, what: str, seconds: float) -> None:
        """The longest wish of all stands."""
        if seconds > self.held(what):
            self._told(lambda: self.server.set(f"{self.slot}:held:{what}", 1, px=int(seconds * 1000)), None)

    def held(self, what: str) -> float:
        left = self._told(lambda: int(self.server.pttl(f"{self.slot}:held:{what}")), 0)
        return max(left, 0) / 1000

    def resting(self) -> Mapping[str, float]:
        prefix = f"{self.slot}:held:"
        nothing: list[Any] = []
        found = self._told(lambda: list(self.server.scan_iter(match=f"{prefix}*", count=1000)), nothing)
        whats = sorted(_text(key).removeprefix(prefix) for key in found)
        return {what: seconds for what in whats if (seconds := self.held(what))}

    def used(self) -> tuple[int, int] | None:
        def last_minute() -> int:
            return int(self.server.hget(self.minutes, self.server.time()[0] // 60 - 1) or 0)

        sent = self._told(last_minute, None)
        return None if sent is None else (sent, 60_000_000 // self.interval)

    def _ask(self) -> int:
        keys, how_fast = (self.slot, self.sign, self.minutes), (self.interval, self.tolerance)
        if not self.reach.rests():
            try:
                return int(self.server.eval(GCRA, len(keys), *keys, *how_fast))
            except Exception:
                self.reach.was_silent()
                words = "the limiter is out of reach, a share of its rate is kept to"
                log.warning(words, extra={"limiter": self.slot})
        self.sleep(self.shares * self.interval / 1_000_000)
        return 0

    @cached_property
    def _line(self) -> threading.Lock:
        return _LINES.setdefault(self.slot, threading.Lock())

    def _told(self, ask: Callable[[], T], otherwise: T) -> T:
        """What the server says, ``otherwise`` where it is out of reach."""
        try:
            return ask()
        except Exception:
            log.warning("the limiter is out of reach", extra={"limiter": self.slot})
            return otherwise


def _text(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)
