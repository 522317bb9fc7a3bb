"""Beat on a machine whose clock may be set, and for workers whose clocks may be others."""

from __future__ import annotations

from typing import Any

import structlog
from celery.beat import PersistentScheduler

from accounts import task_queue

log = structlog.stdlib.get_logger(__name__)
# Seconds by Redis' clock, in which no message is added to one that waits for a worker. Messages are beat's
# signs of life (``config.alive``), so it is half of what is waited for one.
PATIENCE = 30


class Timetable(PersistentScheduler):
    """What was last sent at a moment that is still to come is due: the clock was set back since, and Celery
    would send nothing until it has got there again. What nobody has taken yet is not sent once more."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        ahead = [one for one in self.schedule.values() if one.last_run_at > one.default_now()]
        for one in ahead:
            one.last_run_at = one.default_now()
        if ahead:
            self._heap = None  # the moments in it are by the former clock
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        if not _waits(entry.task):
            super().apply_entry(entry, producer)


def _waits(task: str) -> bool:
    """Is there a message for it that nobody took?"""
    try:
        return not task_queue.is_first(_key(task), PATIENCE)
    except Exception as exc:  # the broker is away, too, and says so itself
        log.warning("whether it waits is not known", task=task, error=type(exc).__name__)
        return False


def taken(task: str) -> None:
    """A worker begins a task: beat may ask for it again."""
    task_queue.taken(_key(task))


def _key(task: str) -> str:
    return f"beat:{task}"
