"""The single command under kill -9: answers come in, and now and then everything dies at once.

A small installation with its own PostgreSQL and Valkey; the local CRMs and the clients are processes apart,
which outlive it. The verdict is the main run's.
"""

from __future__ import annotations

import random
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings

from config.demo.environment import Environment, alone, free_port
from config.demo.errors import DemoFailed
from config.demo.scenario import scenarios, variables_of
from config.embedded import VARIABLES
from config.endings import Ended, listen_for_endings
from tests.torture.answers import SHORT, Run, free_host
from tests.torture.cast import Cast
from tests.torture.customers import make_customers
from tests.torture.house import House, move_in
from tests.torture.moods import WRITES, Moods
from tests.torture.people import People
from tests.torture.servers import Servers
from tests.torture.verdict import judge, read_books
from tests.torture.watch import Watch
from tests.torture.world import World, after, until

APART = 12.0  # seconds of answers for each death
HOLD = 4.0  # seconds that a local CRM keeps the request at which everything dies
FIND = 15.0  # seconds until a death gives up waiting for its moment
WORK = 0.3  # seconds in which a local CRM has surely done what it was asked for
UP_SECONDS = 120.0
BREATH = 0.02
SERVERS_ONLY = "but for the command"
MOMENTS = (
    *("after the CRM's commit", "at any moment", "before the CRM's commit", "while it starts"),
    SERVERS_ONLY,
)
HELD = {"before the CRM's commit": "delay", "after the CRM's commit": "reset_after"}
# Each death leaves every lane to whoever died: with the usual lease little would be on its way at the next.
LEASE = {"LANE_LEASE_SECONDS": "10"}


@dataclass(frozen=True)
class Death:
    """``after`` so many seconds since the command was up, or since it was started where it dies starting."""

    moment: str
    after: float
    with_servers: bool

    @property
    def name(self) -> str:
        if self.moment == SERVERS_ONLY:
            return "only the servers killed"
        return f"killed {self.moment}{' with its servers' if self.with_servers else ''}"


def plan_deaths(count: int, seed: int) -> list[Death]:
    """Every moment in turn, in an order of chance; every other time PostgreSQL and Valkey die as well."""
    dice = random.Random(f"deaths {seed}")
    moments = [MOMENTS[number % len(MOMENTS)] for number in range(count)]
    dice.shuffle(moments)
    return [
        Death(moment, round(dice.uniform(0.2, 4.0), 2), number % 2 == 1)
        for number, moment in enumerate(moments)
    ]


class Alone(Run):
    """The main run, with deaths instead of blows."""

    @property
    def house(self) -> House:
        return cast("House", self.world.cast)

    def play(self) -> int:
        self.people = People(self.world)
        self.prepare()
        length = (APART / 2 if self.chosen.short else APART) * self.chosen.deaths
        posts = self.plan_posts(length)
        deaths = plan_deaths(self.chosen.deaths, self.chosen.seed)
        self.say(f"{len(posts)} posts and {len(deaths)} deaths, seed {self.chosen.seed}")
        self.die_again_and_again(posts, deaths)
        drained = self.drain()
        snapshots = read_books(self.world, posts)
        return self.tell(snapshots, judge(snapshots, self.world, self.people, self.start, drained))

    def die_again_and_again(self, posts: Any, deaths: Sequence[Death]) -> None:
        clients = self.start_clients(posts)
        for death in deaths:
            for _ in self.course(death):
                self.look()
                time.sleep(BREATH)
        self.house.children.wait(lambda: clients.status is not None, 300, "the clients")
        if clients.status:
            raise clients.failed("gave up")

    def course(self, death: Death) -> Iterator[None]:
        """Wait for the moment, kill everything, start it again."""
        if death.moment != "while it starts" and not (yield from until(self.house.is_up, UP_SECONDS)):
            raise DemoFailed(f"The command did not come up again; see {self.world.environment.folder}.")
        yield from after(death.after)
        if death.moment in HELD and not (yield from self._held(death)):
            self.world.missed[death.name] += 1
        else:
            self.world.hurt[death.name] += 1
        if death.moment == SERVERS_ONLY:
            self.house.kill_servers()
        else:
            self.house.kill(death.with_servers)
            self.house.start()

    def _held(self, death: Death) -> Iterator[None]:
        """Until any local CRM has a writing request in its hands. True once one has."""
        moods, crms = self.world.moods, list(self.by_crm())
        fault = {"action": HELD[death.moment], "delay": HOLD}
        held = {crm: moods.add(crm, **WRITES[crm], **fault) for crm in crms}
        found = yield from until(lambda: any(moods.hits(crm, held[crm]) for crm in crms), FIND)
        if found:
            yield from after(WORK)
        for crm in crms:
            moods.end(crm)
        return found


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    listen_for_endings()
    try:
        with a_house(chosen) as world:
            return Alone(world, chosen).play()
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        return end.status


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="torture alone", description=__doc__)
    parser.add_argument("--answers", type=int, default=300, help="how many (%(default)s)")
    parser.add_argument("--deaths", type=int, default=12, help="how often everything dies (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the answers and deaths (%(default)s)")
    parser.add_argument("--short", action="store_true", help="shorter time-outs, and people in a hurry")
    parser.add_argument("--name", default="alone", help="of its folder under .local (%(default)s)")
    parser.add_argument("--patience", type=float, default=600, help="seconds to drain at most (%(default)s)")
    return parser.parse_args([*arguments])


@contextmanager
def a_house(chosen: Namespace) -> Iterator[World]:
    """The command at work beside the local CRMs; nobody is connected yet."""
    chosen.json = None
    folder = settings.BASE_DIR / ".local" / chosen.name
    with alone(folder):
        home = folder / "home"
        move_in(home)
        environment = Environment(chosen.name, folder, free_port(), free_host(), "", "")
        env = {**variables_of(environment, scenarios()), **LEASE, **(SHORT if chosen.short else {})}
        for name in VARIABLES:
            del env[name]
        with House(environment, env, home) as house:
            house.open()
            servers = Servers(house.place.database_url, house.place.redis_url, house.place, home)
            customers = make_customers(environment, 1, env["JWT_KEY"])
            named = {one.id: one for one in customers}
            watch = Watch(servers.database_url)
            yield World(environment, servers, cast("Cast", house), watch, Moods(environment), named)
