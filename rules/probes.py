"""Silent CRMs take turns: only a few of a process's threads wait for them at a time.

Asking a CRM that hangs costs a thread its whole timeout. With more such accounts than threads, healthy ones
would find nobody at work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 4  # a quarter of a worker's usual threads
_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def turn(probing: bool) -> Iterator[bool]:
    """False where a lane is to be probed and enough others are: the sweep asks again in a moment."""
    if not probing:
        yield True
        return
    mine = _turns.acquire(blocking=False)
    try:
        yield mine
    finally:
        if mine:
            _turns.release()
