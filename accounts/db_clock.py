"""The database's clock: leases and due times are read by many machines, so no machine's own clock counts.

The moment is asked for once in a while; in between this machine only counts how long ago that was, by a clock
that nobody sets. What a machine takes for the time of day makes no difference.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

KEPT = 10.0  # seconds until the database is asked again: two crystals drift apart less than 1 ms in that time
QUICK = 0.02  # seconds: an answer that took longer says less exactly when it was given
TRIES = 3
_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


@dataclass(frozen=True, slots=True)
class Reading:
    """The database's moment, and this machine's counter just before it was asked."""

    moment: datetime
    counted: float
    took: float


_last: dict[str, Reading] = {}


def now() -> datetime:
    """The database's moment, at most ``QUICK`` ahead. Raises the database's own errors."""
    last = _last.get("reading")
    if last is None or not 0 <= elapsed() - last.counted < KEPT:
        last = _last["reading"] = _read()
    return last.moment + timedelta(seconds=elapsed() - last.counted)


def elapsed() -> float:
    """Seconds since some moment in the past, counted evenly whatever happens to the time of day."""
    return time.clock_gettime(_COUNTER)


def _read() -> Reading:
    best = _ask()
    for _ in range(TRIES - 1):
        if best.took > QUICK:
            best = min(best, _ask(), key=lambda one: one.took)
    return best


def _ask() -> Reading:
    with connection.cursor() as cursor:
        begun = elapsed()
        cursor.execute("SELECT clock_timestamp()")
        took = elapsed() - begun
        [moment] = cursor.fetchone()
    return Reading(moment, begun, took)
