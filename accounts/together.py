"""Work of several threads that one of them does for all: group commit, as databases do it for transactions.

Whoever comes while nothing is under way does their work at once. Who comes meanwhile waits for its end, and
then goes with all who wait by then. Under load a statement of the database thus serves several requests; a
request alone waits for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Work = TypeVar("Work")
PATIENCE = 0.1  # seconds: what takes longer waits for something itself, and nobody waits for it


class _Turn(Generic[Work]):
    """One thread's work, and the gate at which it waits."""

    __slots__ = ("gate", "is_done", "leads", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.gate = Lock()
        self.gate.acquire()
        self.is_done = self.leads = False


class Together(Generic[Work]):
    """``act`` does the work of several at once, or fails and may be called again for each; it is given
    ``most`` at a time. ``begin`` gets what it needs: whoever fails in that takes nobody along."""

    def __init__(
        self, act: Callable[[Sequence[Work]], None], most: int, begin: Callable[[], object] = lambda: None
    ) -> None:
        self.act, self.most, self.begin = act, most, begin
        self.lock = Lock()
        self.waiting: list[_Turn[Work]] = []
        self.leader: _Turn[Work] | None = None
        self.begun = 0.0

    def do(self, work: Work) -> None:
        """Have it done. Raises what ``act`` raises of this work alone: where it fails for several, each is
        done anew by its own thread."""
        turn = _Turn(work)
        with self.lock:
            if self.leader is None or time.monotonic() - self.begun > PATIENCE:
                self._lead(turn)
            else:
                self.waiting.append(turn)
        if not turn.leads:
            self._wait(turn)
        if turn.leads:
            self._do_all(turn)
        if not turn.is_done:
            self.act([work])

    def _lead(self, turn: _Turn[Work] | None) -> None:
        """The next one; called with the lock."""
        self.leader, self.begun = turn, time.monotonic()
        if turn:
            turn.leads = True

    def _wait(self, turn: _Turn[Work]) -> None:
        """Until it is done, has failed, or is to lead."""
        if turn.gate.acquire(timeout=PATIENCE):
            return
        with self.lock:
            if turn in self.waiting:
                self.waiting.remove(turn)
                self._lead(turn)
        if not turn.leads:  # somebody has taken it along
            turn.gate.acquire()

    def _do_all(self, mine: _Turn[Work]) -> None:
        """The work of this thread and of those who wait."""
        others: list[_Turn[Work]] = []
        are_done = False
        try:
            self.begin()
            with self.lock:
                others, self.waiting = self.waiting[: self.most - 1], self.waiting[self.most - 1 :]
            self.act([mine.work, *(one.work for one in others)])
            are_done = True
        except Exception:
            if not others:
                raise
        finally:
            mine.is_done = are_done
            following = None
            with self.lock:
                if self.leader is mine:  # nobody has lost patience meanwhile
                    following = self.waiting.pop(0) if self.waiting else None
                    self._lead(following)
            for one in others:
                one.is_done = are_done
                one.gate.release()
            if following:
                following.gate.release()
