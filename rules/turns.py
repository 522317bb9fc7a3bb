"""Some work takes turns: only a few of a process's threads are at it at a time.

Asking a CRM that hangs costs a thread its whole timeout, and looking what became of leads may take a while.
With more such accounts than threads, new answers for healthy ones would find nobody at work.
"""

from __future__ import annotations

import threading
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


probes = Turns()  # of lanes whose CRM was silent last time
looks = Turns()  # at what became of leads
