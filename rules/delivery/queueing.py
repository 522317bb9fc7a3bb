"""Asking for a lane to be drained: one message a lane in the queue, however many answers came.

The database row is the truth. A wake-up may be lost (the sweep finds the row) or doubled (the lane's lease
lets one worker in), so nothing here raises. Tasks are named, not imported: they import what wakes lanes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from threading import Lock, Timer

import structlog

from accounts import task_queue

log = structlog.stdlib.get_logger(__name__)
PAUSE = 0.05  # seconds
FLAG_SECONDS = 10  # a message may be stuck in a worker whose threads all wait for silent CRMs


def wake_lanes(account_ids: Iterable[int]) -> None:
    """Queue a drain for each account that has none queued."""
    for account_id in account_ids:
        if task_queue.broker.rests():
            return
        try:
            if task_queue.is_first(_key(account_id), FLAG_SECONDS):
                task_queue.ask("rules.tasks.drain", account_id)
        except Exception as exc:
            task_queue.broker.was_silent()
            log.warning("wake-up lost, the sweep will find it", account=account_id, error=type(exc).__name__)


class _Pauses:
    """Lanes that this process woke a moment ago. Who is asked for meanwhile is woken once the moment is over:
    under load most answers would ask Redis for nothing but that their lane has been woken already."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.woken: set[int] = set()
        self.asked: set[int] = set()

    def begin(self, account_ids: Collection[int]) -> set[int]:
        """Those of the lanes that are to be woken now."""
        with self.lock:
            now = {one for one in account_ids if one not in self.woken}
            self.asked.update(one for one in account_ids if one not in now)
            if now and not self.woken:
                Timer(PAUSE, self._end).start()
            self.woken |= now
        return now

    def _end(self) -> None:
        with self.lock:
            self.woken, self.asked = self.asked, set()
            lanes = list(self.woken)
            if lanes:
                Timer(PAUSE, self._end).start()
        wake_lanes(lanes)


pauses = _Pauses()


def wake_soon(account_ids: Collection[int]) -> None:
    """The same at once, or within ``PAUSE`` for a lane that this process has just woken."""
    wake_lanes(pauses.begin(account_ids))


def answer_wake_up(account_id: int) -> None:
    """The drain has begun: answers from now on ask for another one."""
    task_queue.taken(_key(account_id))


def _key(account_id: int) -> str:
    return f"wake:{account_id}"


def ask_to_prepare(rule_id: int) -> None:
    """Queue a rule's preparation; ``prepare_at`` in its row finds it again if this is lost."""
    task_queue.ask("rules.tasks.prepare_rule", rule_id)


def ask_to_look_again(account_id: int) -> None:
    """Queue a second look at what ever was unclear; beat finds it again if this is lost."""
    task_queue.ask("rules.tasks.look_again", account_id)


def ask_to_follow(account_id: int, seconds: float = 0) -> None:
    """Queue a look at what became of an account's leads; beat finds them again if this is lost."""
    task_queue.ask("rules.tasks.follow", account_id, seconds=seconds)
