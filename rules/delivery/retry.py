"""The retry plan, as data. Long waits live in the database, never in a broker."""

from __future__ import annotations

import random
from datetime import timedelta

PLAN = (5, 30, 120, 600, 3600, 3 * 3600)  # seconds before the second, third ... try
THEN_EVERY = 12 * 3600
GIVE_UP_AFTER = 10 * 24 * 3600
LANE_RESTS = (5, 15, 60, 300, 900)  # seconds a silent CRM's lane rests after 1, 2, 3 ... failures
JITTER = 0.2


def pause_after(
    tries: int,
    failing_for: timedelta = timedelta(0),
    asked: float | None = None,
    luck: float | None = None,
) -> timedelta | None:
    """How long to wait after ``tries`` tries over ``failing_for``; None when a person must decide.

    ``asked`` is the CRM's own wish in seconds (Retry-After): never sooner than that. ``luck`` in 0..1
    spreads tries that failed together.
    """
    if failing_for.total_seconds() >= GIVE_UP_AFTER:
        return None
    planned = PLAN[tries - 1] if tries <= len(PLAN) else THEN_EVERY
    return timedelta(seconds=max(_spread(planned, luck), asked or 0))


def lane_rest(failures: int, asked: float | None = None, luck: float | None = None) -> timedelta:
    """How long the whole lane of an account rests after its CRM was silent ``failures`` times in a row."""
    planned = LANE_RESTS[min(failures, len(LANE_RESTS)) - 1]
    return timedelta(seconds=max(_spread(planned, luck), asked or 0))


def _spread(seconds: float, luck: float | None) -> float:
    luck = random.random() if luck is None else luck  # noqa: S311 - spreads load, guards nothing
    return seconds * (1 + JITTER * luck)
