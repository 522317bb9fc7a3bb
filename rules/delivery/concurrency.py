"""Bulkheads: what slow accounts may take of a worker process, so that they never take the last of it.

A lane is drained in a thread of its own, for which a thread of the worker waits for ``PATIENCE`` at most:
most are done by then. What lasts longer goes on by itself, and is counted. Of each CRM a process has only so
many such long lanes at a time, fewest where it is known beforehand that they are long; others come again with
the next sweep. So a worker always has threads for lanes that are done in a moment.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection

from accounts import db_clock
from accounts.worker_threads import worker

log = structlog.stdlib.get_logger(__name__)
PATIENCE = 1.0  # seconds that a thread of the worker waits for a lane
LONG = 5.0  # seconds: who lasted longer is expected to do so again; a busy machine makes nobody slow
REMEMBERED = 60.0  # seconds: then who lasted is let in like an unknown one, should it have been our own load
MOST_KNOWN = 50_000  # accounts that a process remembers
LONG_BATCH = 60.0  # seconds under way, after which an account's next batch is half as wide
NARROWEST = 8  # of a connector's whole batch, the part that a slow account is left with
CROWD = 3  # lanes of a process at a time, from which on each of them takes less at a time
UNDER_WAY = 1000  # leads that a crowd has under way together: drafting them takes a process some seconds


class Turns:
    """At most so many threads of this process at a time."""

    def __init__(self, at_once: Callable[[], int]) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Is it ours? False where enough others are at it: beat asks again in a moment."""
        with self._lock:
            mine = self._taken < self._at_once()
            self._taken += mine
        try:
            yield mine
        finally:
            with self._lock:
                self._taken -= mine


class Silences:
    """Which CRMs have been silent to one account after the other: their unknown accounts are expected to
    last, so that an outage of a CRM with many accounts holds the threads up only once."""

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


class RestingRules:
    """Rules whose leads wait for something of ours, by account: none of them is taken before that time. What
    one lead of a rule meets all of them meet, so a queue of thousands is not drafted every few seconds."""

    def __init__(self) -> None:
        self._until: dict[int, dict[int, datetime]] = {}

    def rest(self, account_id: int, rule_id: int, seconds: float) -> None:
        until = db_clock.now() + timedelta(seconds=seconds)
        self._until[account_id] = {**self._until.get(account_id, {}), rule_id: until}

    def of(self, account_id: int) -> dict[int, datetime]:
        """The account's rules that rest, and until when."""
        known = self._until.pop(account_id, None)
        if known is None:
            return {}
        now = db_clock.now()
        left = {rule: until for rule, until in known.items() if until > now}
        if left:
            self._until[account_id] = left
        return left


@dataclass(slots=True)
class Habit:
    """What a process has measured of an account. ``long``: its last stay outlasted ``LONG``, None where there
    was none; ``ended``: when that was. ``answered``: when its CRM last did. ``width``: of a connector's whole
    batch, the part sent at a time."""

    kind: str = ""
    long: bool | None = None
    ended: float = 0.0
    answered: float | None = None
    width: float = 1.0

    @property
    def expected(self) -> bool | None:
        """Will its next stay be long? None where nobody knows."""
        return None if self.long and time.monotonic() - self.ended > REMEMBERED else self.long

    @property
    def answers(self) -> bool:
        """Has its CRM answered lately?"""
        return self.answered is not None and time.monotonic() - self.answered < REMEMBERED


class Stay:
    """One lane being drained, in a thread of its own."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.over = threading.Event()
        self.kind = ""  # of its CRM, once it was let in
        self.sent = False  # a lane without anything to send says nothing of its CRM


# So many long lanes of a CRM may there be, in multiples of a worker's threads, when a lane is let in that is
# known to be long, unknown, or known to be done in a moment. They wait for the network, which costs some
# hundred kilobytes each; the bound is for a CRM that fails with thousands of accounts.
ROOM = {True: 1, None: 4, False: 6}


class LaneRoom:
    """The lanes that are drained in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._habits: OrderedDict[int, Habit] = OrderedDict()
        self._long: dict[int, Stay] = {}
        self._stays: dict[int, Stay] = {}  # by thread
        self._turned_away: dict[str, float] = {}  # when an account of a CRM last was

    def run(self, account_id: int, drain: Callable[[int], object]) -> None:
        """Drain a lane; returns when that is done, or lasts. What lasts ends with the process: ``close``."""
        habit = self._habits.get(account_id, Habit())
        if habit.kind and not self._has_room(habit.kind, habit.expected):
            return
        stay = Stay(account_id)
        context = copy_context()  # what log records say of this task
        thread = threading.Thread(
            target=context.run, args=(self._live, stay, drain), name=f"lane-{account_id}"
        )
        thread.start()
        if not stay.over.wait(0 if habit.long else PATIENCE):
            with self._lock:
                if not stay.over.is_set():
                    self._long[id(stay)] = stay

    def admits(self, account_id: int, kind: str, probing: bool) -> bool:
        """May this lane be drained now? A CRM that was silent is expected to be so again; what is silent to
        others says nothing of an account that was served in a moment."""
        habit = self._habits.get(account_id)
        known = habit.expected if habit else None
        if probing or (known is None and kind in silences):
            known = True
        if not self._has_room(kind, known):
            return False
        if stay := self._stays.get(threading.get_ident()):
            stay.kind = kind
        return True

    def measured(self, account_id: int, kind: str, seconds: float, answered: bool = True) -> None:
        """A batch was under way for so long, and the CRM answered, or was silent."""
        habit = self._habit(account_id, kind)
        width = self._part(habit)
        habit.width = min(1.0, max(1 / NARROWEST, width / 2 if seconds > LONG_BATCH else width * 2))
        habit.answered = time.monotonic() if answered else None
        if stay := self._stays.get(threading.get_ident()):
            stay.sent = True

    def width(self, account_id: int, whole: int, batches: int = 1) -> int:
        """How many leads an account is sent in a batch, where its CRM takes ``whole`` of them and so many
        batches at a time: fewer where one takes so long that a lane could not end its slice.

        In a crowd all lanes have ``UNDER_WAY`` together, and one whose CRM has not answered lately begins
        narrow, and gets wider with each answer: thousands of drafts at a time would keep this process from
        those who want one.
        """
        share = UNDER_WAY // crowd // batches if (crowd := self._crowd()) else whole
        return max(1, min(int(whole * self._part(self._habits.get(account_id))), share))

    def batches(self, account_id: int, most: int) -> int:
        """How many batches of an account may be under way: in a crowd a single one while it is narrow."""
        return 1 if self._crowd() and self._part(self._habits.get(account_id)) < 1 else most

    def _part(self, habit: Habit | None) -> float:
        """Of the whole batch of an account."""
        width = habit.width if habit else 1.0
        return min(width, 1 / NARROWEST) if self._crowd() and not (habit and habit.answers) else width

    def _crowd(self) -> int:
        """How many lanes are being drained, where they are many."""
        lanes = len(self._stays)
        return lanes if lanes >= CROWD else 0

    def close(self, seconds: float) -> bool:
        """Begin nothing more and wait for what is under way: the process ends. True where all is over."""
        worker.ends.set()
        until = time.monotonic() + seconds
        with self._lock:
            stays = list(self._stays.values())
        return all(stay.over.wait(max(0.0, until - time.monotonic())) for stay in stays)

    def _live(self, stay: Stay, drain: Callable[[int], object]) -> None:
        begun = time.monotonic()
        with self._lock:
            self._stays[threading.get_ident()] = stay
        try:
            drain(stay.account_id)
        except Exception:
            log.exception("draining the lane broke", account=stay.account_id)
        finally:
            connection.close()
            if stay.sent:
                habit, now = self._habit(stay.account_id, stay.kind), time.monotonic()
                habit.long, habit.ended = now - begun > LONG, now
            with self._lock:
                stay.over.set()
                self._long.pop(id(stay), None)
                self._stays.pop(threading.get_ident(), None)

    def crowded(self, kind: str) -> bool:
        """Was an account of this CRM turned away lately, so that others are to leave as soon as they can?"""
        return time.monotonic() - self._turned_away.get(kind, -REMEMBERED) < REMEMBERED

    def _has_room(self, kind: str, expected: bool | None) -> bool:
        with self._lock:
            long = Counter(stay.kind for stay in self._long.values())
        has_room = long[kind] < ROOM[expected] * worker.threads
        if not has_room:
            self._turned_away[kind] = time.monotonic()
        return has_room

    def _habit(self, account_id: int, kind: str) -> Habit:
        with self._lock:
            habit = self._habits.pop(account_id, None) or Habit(kind)
            self._habits[account_id] = habit
            if len(self._habits) > MOST_KNOWN:
                self._habits.popitem(last=False)
            return habit


silences = Silences()
resting = RestingRules()
lanes = LaneRoom()
looks = Turns(worker.part)  # at what became of leads
