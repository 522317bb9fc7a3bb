"""Processes that stop without dying, past their lease, and connections that end in the worst moment.

A machine that is paused or moved stops a worker anywhere: at random, or when it has written down that it is
about to send and before the first byte of that. A failover ends a connection while a CRM exchanges tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import psycopg

from config.demo.http import tell
from tests.torture.chosen import HOLD
from tests.torture.moods import TOKENS
from tests.torture.schedule import Blow
from tests.torture.world import Course, World, after, until

BEYOND = 5.0  # seconds that a frozen worker stays so after its lease has run out
BEGINNING = "write_begun_at"  # as in rules.delivery.outbox
EXCHANGING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'idle in transaction' AND pid IN (SELECT pid FROM pg_locks "
    "WHERE relation = 'accounts_token'::regclass AND mode = 'RowShareLock')"
)


def freeze(world: World, blow: Blow) -> Course:
    """Any worker, at any moment."""
    name = world.cast.workers[int(blow.luck * len(world.cast.workers))]
    yield from _frozen(world, blow, name)


def freeze_before_first_byte(world: World, blow: Blow) -> Course:
    """Whoever claims next: it has said that it is about to send, and does so when it wakes."""
    with suppress(psycopg.Error), world.watch.connection() as lock:
        if name := (yield from _about_to_send(world, lock)):
            yield from _frozen(world, blow, name, lock)
            return
    world.missed[blow.what] += 1


def _about_to_send(world: World, lock: psycopg.Connection) -> Iterator[None]:
    """Until a worker wants to say that it sends what it has claimed: its name, "" where none came.

    What is due is held until a worker wants to claim it; then the claim is let through, and we stand right
    behind it. Whatever else waits for us is let through, too.
    """

    def somebody_waits() -> list[tuple[int, str, bool]]:
        return world.watch.blocked(lock.info.backend_pid)

    for _ in range(20):
        if not (yield from until(world.watch.due, world.find)):
            return ""
        rows = world.watch.due()
        _hold(lock, rows)
        if (yield from until(somebody_waits, world.find / 4)):
            lock.execute("COMMIT")
            _hold(lock, rows)
            yield from until(somebody_waits, world.find / 4)
            for pid, name, _ in somebody_waits():
                said = world.watch.rows("SELECT query FROM pg_stat_activity WHERE pid = %s", pid)
                if said and BEGINNING in said[0][0] and name in world.cast.workers:
                    return name
        lock.execute("COMMIT")
    return ""


def _hold(lock: psycopg.Connection, rows: Sequence[int]) -> None:
    lock.execute("BEGIN")
    lock.execute("SELECT id FROM rules_delivery WHERE id = ANY(%s) FOR UPDATE", [list(rows)])


def _frozen(world: World, blow: Blow, name: str, lock: psycopg.Connection | None = None) -> Course:
    """Its statement, if it waits for ``lock``, is done and committed by PostgreSQL; the worker learns of it
    when it wakes."""
    child = world.cast.freeze(name)
    if lock is not None:
        lock.execute("COMMIT")
    if child is None:
        world.missed[blow.what] += 1
        return
    world.hurt[blow.what] += 1
    yield from after(world.lease + BEYOND)
    world.cast.thaw(child)


def cut_exchange(world: World, blow: Blow) -> Course:
    """The tokens expire, the CRM takes its time with new ones, and PostgreSQL ends the connection of it."""
    victim = world.customers[blow.whom]
    world.moods.add(victim.kind, path=TOKENS[victim.kind], action="delay", delay=HOLD / 2, times=1)
    tell(world.environment.control_url, victim.kind, "expire", account=victim.remote)
    found: list[int] = []

    def exchanging() -> bool:
        found[:] = [pid for (pid,) in world.watch.rows(EXCHANGING)]
        return bool(found)

    if (yield from until(exchanging, world.find)):
        world.watch.rows("SELECT pg_terminate_backend(%s)", found[0])
        world.hurt[blow.what] += 1
    else:
        world.missed[blow.what] += 1
