"""The test clock: real time plus an offset, or frozen; everything a sandbox dates asks it."""

from __future__ import annotations

import time


class Clock:
    """Real time until a test moves it. A frozen clock is moved by waiting, too, so no test sleeps."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.frozen_at: float | None = None

    def now(self) -> float:
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    def unix(self) -> int:
        return int(self.now())

    def advance(self, seconds: float) -> None:
        if self.frozen_at is None:
            self.offset += seconds
        else:
            self.frozen_at += seconds

    def set(self, moment: float) -> None:
        self.advance(moment - self.now())

    def freeze(self, moment: float | None = None) -> None:
        self.frozen_at = self.now() if moment is None else moment

    def thaw(self) -> None:
        if self.frozen_at is not None:
            self.offset, self.frozen_at = self.frozen_at - time.time(), None

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        if self.frozen_at is None:
            time.sleep(seconds)
        else:
            self.advance(seconds)

    def reset(self) -> None:
        self.offset, self.frozen_at = 0.0, None
