"""How the threads of a worker process are shared by what it has to do.

A worker may consume all queues or some. Each kind of work but deliveries gets an equal part of the threads,
so that a slow CRM's lists, looks or renewals never take the last of them. Deliveries share what is left by
rules of their own (``rules.delivery.concurrency``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

import structlog
from celery import shared_task
from structlog.contextvars import bind_contextvars

T = TypeVar("T")

log = structlog.stdlib.get_logger(__name__)
LINE = 1000  # jobs of a kind that wait in a process; what comes beyond is found again by beat


class Worker:
    """This process: how many ``threads`` it has, for how many ``queues``, and whether it is to end."""

    threads, queues = 16, 5

    def __init__(self) -> None:
        self.ends = threading.Event()

    def part(self) -> int:
        """The threads for one kind of work beside deliveries."""
        return max(1, self.threads // self.queues)


worker = Worker()


class JobShare:
    """At most so many threads work at one kind of job at a time.

    A job that comes while all of them are busy waits in line, once however often it is asked for, and its
    thread goes back to other work; whoever gets done next does it. A line dies with its process: what
    waits in it stands in the database, too.
    """

    def __init__(self, most: Callable[[], int] = worker.part) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._line: dict[Hashable, Callable[[], object]] = {}
        self._busy = 0

    def do(self, key: Hashable, job: Callable[[], object]) -> bool:
        """Do the job now, and then what came meanwhile; False where it waits in line.

        Nothing is raised: a job that fails is logged, and the next one is begun.
        """
        with self._lock:
            if self._busy >= self._most():
                if len(self._line) < LINE:
                    self._line[key] = partial(copy_context().run, job)
                return False
            self._busy += 1
        turn: Callable[[], object] | None = job
        while turn is not None:
            try:
                turn()
            except Exception:
                log.exception("a job in the background failed", job=key)
            turn = self._next()
        return True

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if self._line and not worker.ends.is_set():
                return self._line.pop(next(iter(self._line)))
            self._busy -= 1
            return None


sync = JobShare()
maintenance = JobShare()
events = JobShare()


def in_time(rows: Iterable[T], seconds: float) -> Iterator[T]:
    """Those that can be begun within so many seconds: one that hangs must not keep a thread for ever."""
    until = time.monotonic() + seconds
    for row in rows:
        if time.monotonic() > until:
            return
        yield row


def task_of(name: str, work: Callable[[], object], share: JobShare = maintenance) -> Any:
    """A Celery task that asks for nothing: ``work`` by the threads of its kind. ``name`` as beat has it."""

    def run() -> None:
        share.do(name, work)

    return shared_task(run, name=name)


def task_for(name: str, what: str, work: Callable[[int], object], share: JobShare | None = None) -> Any:
    """A Celery task for one row, ``what`` in our log: ``work`` at once, or by the threads of its kind."""

    def run(key: int) -> None:
        bind_contextvars(**{what: key})
        if share:
            share.do((name, key), partial(work, key))
        else:
            work(key)

    return shared_task(run, name=name)
