"""When what has failed is tried again: of deliveries and of webhooks alike."""

from __future__ import annotations

import random

PLAN = (5, 30, 120, 600, 3600, 3 * 3600)  # seconds before the second, third ... try
THEN_EVERY = 12 * 3600
JITTER = 0.2


def planned(tries: int) -> float:
    """Seconds to wait after so many tries, one at least."""
    return PLAN[tries - 1] if tries <= len(PLAN) else THEN_EVERY


def spread(seconds: float, luck: float | None = None) -> float:
    """``luck`` in 0..1 spreads tries that failed together."""
    luck = random.random() if luck is None else luck  # noqa: S311 - spreads load, guards nothing
    return seconds * (1 + JITTER * luck)
