"""A server that failed is left alone for a moment: nobody waits for its time-out again and again."""

from __future__ import annotations

import time


class OutOfReach:
    """Of one server and process: ``seconds`` without asking it after it was silent."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.rests_until = 0.0  # by ``time.monotonic()``

    def rests(self) -> bool:
        return time.monotonic() < self.rests_until

    def was_silent(self) -> None:
        self.rests_until = time.monotonic() + self.seconds
