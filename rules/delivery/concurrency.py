"""Some work takes turns: only a few of a process's threads are at it at a time.

Asking a CRM that hangs costs a thread its whole timeout, and looking what became of leads may take a while.
With more such accounts than threads, new answers for healthy ones would find nobody at work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 4  # a quarter of a worker's usual threads


class Turns:
    """At most ``at_once`` threads of this process at a time."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def take(self, needed: bool = True) -> Iterator[bool]:
        """Is it ours? False where enough others are at it: beat asks again in a moment."""
        mine = needed and self._free.acquire(blocking=False)
        try:
            yield mine or not needed
        finally:
            if mine:
                self._free.release()


class Silences:
    """Which CRMs have been silent to one account after the other: theirs are probed, too, whatever their
    own lanes say, so that an outage of a CRM with many accounts holds the threads up only once."""

    IN_A_ROW, REMEMBERED = 3, 60.0  # accounts; seconds

    def __init__(self) -> None:
        self._met: dict[str, tuple[tuple[int, float], ...]] = {}  # (account, moment) of each kind

    def heard(self, kind: str) -> None:
        self._met.pop(kind, None)

    def met(self, kind: str, account_id: int) -> None:
        """An account counts once, however often it is tried."""
        others = [one for one in self._met.get(kind, ()) if one[0] != account_id]
        self._met[kind] = (*others[1 - self.IN_A_ROW :], (account_id, time.monotonic()))

    def __contains__(self, kind: str) -> bool:
        met = self._met.get(kind, ())
        return len(met) == self.IN_A_ROW and time.monotonic() - met[0][1] < self.REMEMBERED


silences = Silences()
probes = Turns()  # of lanes whose CRM was silent last time
looks = Turns()  # at what became of leads
