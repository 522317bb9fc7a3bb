"""The blows themselves, each a course that lasts until everybody is on their feet again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import psycopg
import redis

from config.demo.http import tell
from tests.torture.chosen import after_claim, after_commit, before_settle
from tests.torture.customers import lose_a_field, lose_a_person, move_away
from tests.torture.frozen import cut_exchange, freeze, freeze_before_first_byte
from tests.torture.moods import ALL, FORBIDDEN, MOODS, SLOW
from tests.torture.owners import choose_another, delete_step, disconnect, save_rule
from tests.torture.schedule import CUT_EXCHANGE, FIRST_BYTE, Blow
from tests.torture.world import Course, World, after

DOWN = 1.0  # seconds that a killed process is missing


def strike(world: World, blow: Blow) -> Course:
    """One blow; in vain where another one has just laid its victim low."""
    try:
        if blow.what in MOODS:
            yield from mood(world, blow, MOODS[blow.what])
        else:
            yield from BLOWS[blow.what](world, blow)
    except (OSError, redis.RedisError, psycopg.Error):
        world.missed[blow.what] += 1


def mood(world: World, blow: Blow, fault: Mapping[str, object]) -> Course:
    victim = world.customers[blow.whom]
    if blow.what == SLOW:
        fault = {**fault, "delay": world.slow}
    world.moods.add(victim.kind, path=ALL[victim.kind], host=victim.host, **fault)
    world.hurt[blow.what] += 1
    yield


def kill(world: World, blow: Blow, name: str = "") -> Course:
    name = name or world.cast.workers[int(blow.luck * len(world.cast.workers))]
    world.cast.kill(name)
    world.hurt[blow.what] += 1
    yield from after(DOWN)
    world.cast.start(name)


def flush(world: World, blow: Blow) -> Course:
    world.servers.flush_redis(world.environment.redis_prefix)
    world.hurt[blow.what] += 1
    yield


def restart_redis(world: World, blow: Blow) -> Course:
    world.servers.stop_redis()
    world.hurt[blow.what] += 1
    yield from after(DOWN)
    world.servers.start_redis()


def crash_postgres(world: World, blow: Blow) -> Course:
    world.servers.crash_postgres()
    world.hurt[blow.what] += 1
    yield


def expire(world: World, blow: Blow) -> Course:
    victim = world.customers[blow.whom]
    tell(world.environment.control_url, victim.kind, "expire", account=victim.remote)
    world.hurt[blow.what] += 1
    yield


def revoke(world: World, blow: Blow) -> Course:
    """The account's owner comes back by himself once he is told: ``people.attend``."""
    victim = world.customers[blow.whom]
    tell(world.environment.control_url, victim.kind, "revoke", account=victim.remote)
    world.hurt[blow.what] += 1
    yield


def change(world: World, blow: Blow, happen: Callable[..., str]) -> Course:
    """In the CRM; a second time there may be nothing left to lose."""
    with suppress(StopIteration):
        happen(world.customers[blow.whom], world.environment)
        world.hurt[blow.what] += 1
    yield


def rename(world: World, blow: Blow) -> Course:
    move_away(world.customers[blow.whom], world.environment, random.Random(blow.luck))
    world.hurt[blow.what] += 1
    yield


BLOWS: Mapping[str, Callable[[World, Blow], Course]] = {
    "worker killed": kill,
    "worker killed after claim": after_claim,
    "worker killed after commit": after_commit,
    "worker killed before settle": before_settle,
    "worker frozen": freeze,
    FIRST_BYTE: freeze_before_first_byte,
    CUT_EXCHANGE: cut_exchange,
    "web killed": partial(kill, name="web"),
    "beat killed": partial(kill, name="beat"),
    "Redis flushed": flush,
    "Redis restarted": restart_redis,
    "PostgreSQL crashed": crash_postgres,
    "403 HTML": partial(mood, fault=FORBIDDEN),
    "tokens expired": expire,
    "tokens revoked": revoke,
    "field deleted": partial(change, happen=lose_a_field),
    "responsible deactivated": partial(change, happen=lose_a_person),
    "renamed": rename,
    "account disconnected": disconnect,
    "another account chosen": choose_another,
    "rule saved": save_rule,
    "step deleted": delete_step,
}
