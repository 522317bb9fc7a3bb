"""Counts of what happens, of all processes together: a hash in Redis, which ``/metrics`` reads.

A process adds up by itself and hands over every few seconds, so that counting costs a request or a lead
nothing. While Redis is away it keeps what it has; what a killed process had not handed over is lost.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

import structlog
from django.conf import settings

from accounts.redis_client import redis_client

log = structlog.stdlib.get_logger(__name__)
EVERY = 2.0  # seconds between two hand-overs
AWAY = 30.0  # seconds without a try after Redis was out of reach
NOTHING = 0.001  # seconds that asking the limiter takes by itself
FRESH = 60.0  # seconds for which what a process said of itself counts
BUCKETS: Mapping[str, tuple[float, ...]] = {
    "delivery_seconds": (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400),
    "task_seconds": (0.05, 0.1, 0.3, 1, 3, 10, 30, 100),
}
Labels = tuple[tuple[str, str], ...]


class Counters:
    """One a process. Nothing here raises."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()
        self._next = 0.0

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; its names and labels are in ``config.metrics``."""
        with self._lock:
            self._counts[_field(name, *labels.items())] += amount  # type: ignore[assignment]
        self._hand_over_in_time()

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add to a histogram with the ``BUCKETS`` of its name; ``value`` is in seconds."""
        with self._lock:
            self._counts[_field(f"{name}_sum", *labels.items())] += value  # type: ignore[assignment]
            for bound, field in _buckets(name, *labels.items()):
                if value <= bound:
                    self._counts[field] += 1
        self._hand_over_in_time()

    def busy(self, queue: str, change: int) -> None:
        """So many more threads of this process work for a queue."""
        with self._lock:
            self._busy[queue] += change
        self._hand_over_in_time()

    def hand_over(self, last: bool = False) -> None:
        """What was counted since the last time, to Redis. ``last``: the process ends, its log is closed."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            said = json.dumps({"at": time.time(), "busy": dict(self._busy)}) if self._busy else ""
            self._next = time.monotonic() + EVERY
        if not counts and (last or not said):
            return
        try:
            with redis_client().pipeline(transaction=False) as pipe:
                for field, amount in counts.items():
                    pipe.hincrbyfloat(_key("counters"), field, amount)
                if said:
                    pipe.hset(_key("processes"), f"{socket.gethostname()}:{os.getpid()}", said)
                pipe.execute()
        except Exception as exc:
            with self._lock:
                self._counts.update(counts)
                self._next = time.monotonic() + AWAY
            if not last:
                log.warning("counts wait for Redis", error=type(exc).__name__)

    def _hand_over_in_time(self) -> None:
        if time.monotonic() >= self._next:
            self.hand_over()


def _key(name: str) -> str:
    return f"{settings.REDIS_PREFIX}metrics:{name}"


@lru_cache(maxsize=4096)
def _field(name: str, *labels: tuple[str, str]) -> str:
    return json.dumps([name, sorted(labels)])


@lru_cache(maxsize=4096)
def _buckets(name: str, *labels: tuple[str, str]) -> tuple[tuple[float, str], ...]:
    """Of a histogram each bound with its field."""
    bounds = (*BUCKETS[name], float("inf"))
    return tuple((bound, _field(f"{name}_bucket", *labels, ("le", str(bound)))) for bound in bounds)


def read() -> Iterator[tuple[str, Labels, float]]:
    """(name, labels, value) of every counter, of all processes. Raises what Redis raises."""
    for field, value in redis_client().hgetall(_key("counters")).items():
        name, labels = json.loads(field)
        yield name, tuple((key, told) for key, told in labels), float(value)


def busy_threads() -> dict[str, int]:
    """By queue, of all processes that said something within ``FRESH`` seconds. Raises what Redis raises."""
    found: Counter[str] = Counter()
    for process, said in redis_client().hgetall(_key("processes")).items():
        told = json.loads(said)
        if time.time() - told["at"] > FRESH:
            redis_client().hdel(_key("processes"), process)
        else:
            found.update(told["busy"])
    return dict(found)


def note_request(crm: str, status: int, waited: float) -> None:
    """What ``connectors.http`` tells of each request."""
    counters.count("crm_requests", crm=crm, status=str(status))
    if waited > NOTHING:
        counters.count("limiter_wait_seconds", waited, crm=crm)


counters = Counters()
atexit.register(counters.hand_over, last=True)
