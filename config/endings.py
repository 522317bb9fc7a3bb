"""Ctrl-C, a terminal that closes, a polite kill: each ends a command once, and everything gets stopped."""

from __future__ import annotations

import signal
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal came; ``status`` is what we shall exit with."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def listen_for_endings() -> None:
    for number in ENDINGS:
        signal.signal(number, end)


def end(number: int, frame: FrameType | None) -> None:
    """Once: whoever presses Ctrl-C again must not keep the processes from being stopped."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise Ended(number)
