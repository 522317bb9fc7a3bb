"""The retry plan, as data. Long waits live in the database, never in a broker."""

from __future__ import annotations

from datetime import timedelta

from accounts.retry_plan import planned, spread

GIVE_UP_AFTER = 10 * 24 * 3600
LANE_RESTS = (5, 15, 60, 300, 900)  # seconds a silent CRM's lane rests after 1, 2, 3 ... failures


def pause_after(
    tries: int, failing_for: timedelta = timedelta(0), asked: float | None = None, luck: float | None = None
) -> timedelta | None:
    """How long to wait after ``tries`` tries over ``failing_for``; None when a person must decide.

    ``asked`` is the CRM's own wish in seconds (Retry-After): never sooner than that. ``luck`` in 0..1
    spreads tries that failed together.
    """
    if failing_for.total_seconds() >= GIVE_UP_AFTER:
        return None
    return timedelta(seconds=max(spread(planned(tries), luck), asked or 0))


def lane_rest(failures: int, asked: float | None = None, luck: float | None = None) -> timedelta:
    """How long the whole lane of an account rests after its CRM was silent ``failures`` times in a row."""
    rest = LANE_RESTS[min(failures, len(LANE_RESTS)) - 1]
    return timedelta(seconds=max(spread(rest, luck), asked or 0))
