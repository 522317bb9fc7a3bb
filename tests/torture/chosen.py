"""Killing a worker at a chosen point of a delivery, with nothing but what can be seen from outside.

After the claim: the local CRM holds the request before it does its work. After the CRM's commit: it holds the
reply. Before the settlement: a lock of ours holds the very statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import psycopg

from tests.torture.moods import WRITES
from tests.torture.schedule import Blow
from tests.torture.sockets import talking_to
from tests.torture.world import Course, World, after, until

HOLD = 5.0  # seconds that a local CRM keeps a request
DOWN = 1.0
WORK = 0.3  # seconds in which a local CRM has surely done what it was asked for


def after_claim(world: World, blow: Blow) -> Course:
    """The work is done later, or never: a connection that breaks in time, or too late."""
    action = "delay" if blow.luck < 0.5 else "reset"
    yield from _while_held(world, blow, action, 0.0)


def after_commit(world: World, blow: Blow) -> Course:
    yield from _while_held(world, blow, "reset_after", WORK)


def _while_held(world: World, blow: Blow, action: str, wait: float) -> Course:
    victim = world.customers[blow.whom]
    held = world.moods.add(victim.kind, **WRITES[victim.kind], host=victim.host, action=action, delay=HOLD)
    if not (yield from until(lambda: world.moods.hits(victim.kind, held), world.find)):
        world.missed[blow.what] += 1
        return
    yield from after(wait)
    if world.watch.sending(victim.id):
        yield from fell(world, _workers_of(world, victim.port), blow.what)
    else:
        world.missed[blow.what] += 1


def before_settle(world: World, blow: Blow) -> Course:
    """Its backend may outlive the worker and settle all the same, or go with it."""
    victim = world.customers[blow.whom]
    world.moods.add(victim.kind, **WRITES[victim.kind], host=victim.host, action="delay", delay=HOLD / 2)
    if not (yield from until(lambda: world.watch.sending(victim.id), world.find)):
        world.missed[blow.what] += 1
        return
    name = yield from _killed_at_the_settlement(world, blow, world.watch.sending(victim.id))
    if name:
        yield from fell(world, [name], blow.what)
    else:
        world.missed[blow.what] += 1


def _killed_at_the_settlement(world: World, blow: Blow, rows: Sequence[int]) -> Iterator[None]:
    """The worker's name; empty where none came, or PostgreSQL itself was hit meanwhile."""
    name = ""
    with suppress(psycopg.Error), world.watch.connection() as lock:
        pid, name = yield from _at_the_settlement(world, lock, rows)
        world.cast.kill(name)
        if pid and blow.luck < 0.5:
            lock.execute("SELECT pg_terminate_backend(%s)", [pid])
    return name


def _at_the_settlement(world: World, lock: psycopg.Connection, rows: Sequence[int]) -> Iterator[None]:
    """Hold the rows until a worker wants to settle them: its backend and its name; 0 and "" if none came.

    The journal's statements queue for the same rows and are let through, one by one.
    """
    lock.execute("SET lock_timeout = '5s'")  # they may be a frozen worker's, whom we are to wake
    found: list[tuple[int, str, bool]] = []

    def somebody_waits() -> bool:
        found[:] = world.watch.blocked(lock.info.backend_pid)
        return bool(found)

    for _ in range(20):
        lock.execute("BEGIN")
        lock.execute("SELECT id FROM rules_delivery WHERE id = ANY(%s) FOR UPDATE", [list(rows)])
        if not (yield from until(somebody_waits, world.find)):
            break
        pid, name, settles = found[0]
        if settles and name in world.cast.workers:
            return pid, name
        lock.execute("COMMIT")
    return 0, ""


def _workers_of(world: World, port: int) -> list[str]:
    """The workers that have a connection to an account; all of them where that can't be told."""
    playing = {name: world.cast.playing[name] for name in world.cast.workers if name in world.cast.playing}
    talking = talking_to(port, [child.pid for child in playing.values()])
    return [name for name, child in playing.items() if child.pid in talking] or list(playing)


def fell(world: World, names: Sequence[str], what: str) -> Course:
    for name in names:
        world.cast.kill(name)
    world.hurt[what] += 1
    yield from after(DOWN)
    for name in names:
        world.cast.start(name)
