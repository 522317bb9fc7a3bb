"""Lanes that keep a worker process busy, for tests of what it leaves to the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from accounts.worker_threads import worker
from rules.delivery import concurrency

STRANGERS = 900_000  # ids of accounts that there are not


@contextmanager
def crowded(kind: str, count: int | None = None) -> Iterator[None]:
    """So many long lanes of a CRM (as many as the worker has threads) are being drained."""
    end = threading.Event()
    stays = [threading.Event() for _ in range(worker.threads if count is None else count)]

    def linger(account_id: int) -> None:
        assert concurrency.lanes.admits(account_id, kind, probing=False)
        stays[account_id - STRANGERS].set()
        end.wait()

    lanes = [
        threading.Thread(target=concurrency.lanes.run, args=(STRANGERS + number, linger))
        for number in range(len(stays))
    ]
    patience, concurrency.PATIENCE = concurrency.PATIENCE, 0.001
    try:
        for lane, stay in zip(lanes, stays, strict=True):
            lane.start()
            assert stay.wait(30)
        for lane in lanes:
            lane.join()
        concurrency.PATIENCE = patience
        yield
    finally:
        concurrency.PATIENCE = patience
        end.set()
        assert concurrency.lanes.close(30)
        worker.ends.clear()
