"""The main run: answers by the thousand while everything breaks that can, and the verdict after it."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings

from config.demo.children import Child
from config.demo.environment import Environment, alone, crm_ports, is_free
from config.demo.errors import DemoFailed
from config.demo.scenario import scenarios, variables_of
from config.embedded.place import free_port
from config.endings import Ended, listen_for_endings
from tests.torture.blows import strike
from tests.torture.cast import Cast
from tests.torture.crowd import Post, plan_posts, write_posts
from tests.torture.customers import Customer, how_many, make_customers
from tests.torture.moods import Moods
from tests.torture.people import People
from tests.torture.schedule import KINDS, ROUND, Blow, plan_blows
from tests.torture.servers import Servers, the_servers
from tests.torture.skewed import SECONDS
from tests.torture.thinking import think
from tests.torture.verdict import FOLLOWED, Books, Figures, judge, read_books, read_start, report
from tests.torture.watch import Watch
from tests.torture.world import World

HOSTS = tuple(f"127.0.7.{number}" for number in range(1, 100))
WORKERS, FEW_WORKERS = 4, 2
FIND, FIND_SOON = 30.0, 15.0  # seconds until a blow gives up finding its moment
ANSWERS_A_SECOND = 20
SHORTEST = 14.0  # seconds of storm
TELL_EVERY = 10.0
LOOK_EVERY = 1.0
PAUSE = 0.05
STILL = 8.0  # seconds until what a local CRM was holding back has been done
# A run that must be over in a minute doesn't wait as long for what will not come.
SHORT = {
    "LANE_LEASE_SECONDS": "10",
    **{f"{crm}_READ_TIMEOUT": "3" for crm in ("AMOCRM", "BITRIX24", "ENVYBOX", "SOLOS")},
}
SLOW_SHORT = 2.0  # seconds: within the time-outs
QUICK = {"AMOCRM_REQUESTS_PER_SECOND": "40"}  # where ``Moods.admit_more`` has raised the local limit


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    listen_for_endings()
    try:
        with the_world(chosen) as world:
            return Run(world, chosen).play()
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        sys.exit(end.status)


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="torture answers", description=__doc__)
    parser.add_argument("--answers", type=int, default=10_000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the crowd and of the blows (%(default)s)")
    parser.add_argument(
        "--round", type=float, default=ROUND, help="seconds in which everything happens once (%(default)s)"
    )
    parser.add_argument("--json", type=Path, help="where the figures go, too")
    parser.add_argument("--short", action="store_true", help="shorter time-outs, and people in a hurry")
    parser.add_argument("--name", default="torture", help="of its folder under .local (%(default)s)")
    parser.add_argument("--patience", type=float, default=2400, help="seconds to drain at most (%(default)s)")
    return parser.parse_args(arguments)


@contextmanager
def the_world(chosen: Namespace) -> Iterator[World]:
    """Servers, processes and local CRMs at work; nobody is connected yet."""
    folder = settings.BASE_DIR / ".local" / chosen.name
    with alone(folder), the_servers(folder, "quiz_crm_torture") as servers:
        place = (free_port(), free_host(), servers.database_url, servers.redis_url)
        environment = Environment(chosen.name, folder, *place)
        env = {**variables_of(environment, scenarios()), **(SHORT | QUICK if chosen.short else {})}
        workers = FEW_WORKERS if chosen.short else WORKERS
        with Cast(environment, env, settings.BASE_DIR, workers, clocks_of(workers)) as cast:
            cast.open()
            customers = make_customers(environment, how_many(chosen.answers), env["JWT_KEY"])
            world = world_of(environment, servers, cast, customers, FIND_SOON if chosen.short else FIND)
            if chosen.short:
                world.lease, world.slow = float(SHORT["LANE_LEASE_SECONDS"]), SLOW_SHORT
            yield world


def clocks_of(workers: int) -> dict[str, float]:
    """The last worker's clock is behind; of more than two the first one's is ahead."""
    clocks = {f"worker{workers}": -SECONDS}
    return {**clocks, "worker1": SECONDS} if workers > 2 else clocks


def world_of(
    environment: Environment, servers: Servers, cast: Cast, customers: Sequence[Customer], find: float
) -> World:
    watch = Watch(servers.database_url)
    return World(
        environment, servers, cast, watch, Moods(environment), {one.id: one for one in customers}, find
    )


def free_host() -> str:
    """Beside every demo and other runs that start at this moment: each takes any of many addresses."""
    for host in random.sample(HOSTS, len(HOSTS)):
        if all(is_free(host, port) for port in crm_ports()):
            return host
    raise DemoFailed(f"The local CRMs need an address of {HOSTS[0]} to {HOSTS[-1]}, and all are taken.")


@dataclass
class Run:
    """One run, from the first consent to the verdict."""

    world: World
    chosen: Namespace
    begun: float = field(default_factory=time.monotonic)
    told: float = 0.0
    looked: float = 0.0

    def play(self) -> int:
        self.people = People(self.world)
        if self.chosen.short:
            self.world.moods.admit_more("amocrm")
        self.prepare()
        length = max(SHORTEST, self.chosen.answers / ANSWERS_A_SECOND)
        posts = self.plan_posts(length)
        blows = plan_blows(self.by_crm(), length, self.chosen.seed, self.chosen.round)
        self.say(f"{len(posts)} posts and {len(blows)} blows in {length:.0f} s, seed {self.chosen.seed}")
        self.storm(posts, blows)
        drained = self.drain()
        snapshots = read_books(self.world, posts)
        figures = judge(snapshots, self.world, self.people, self.start, drained)
        return self.tell(snapshots, figures)

    # -- before -------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Every account connected, mirrored, and with a rule."""
        customers = self.world.customers.values()
        for customer in customers:
            customer.connect(self.world.environment)
        self.say(f"{len(customers)} accounts are connected")
        patience, what = 60 + 3 * len(customers), "the lists of all accounts"
        self.world.cast.children.wait(self.all_synced, patience, what, LOOK_EVERY / 4)
        for customer in customers:
            customer.performer = customer.scenario.save_rule(customer.service).performer
            think(customer)
        self.start = read_start(self.world)
        self.say("their lists are read, their rules are saved")

    def plan_posts(self, length: float) -> list[Post]:
        customers = self.world.customers.values()
        returning = {one.id for one in customers if one.joins}
        accounts = [one.id for one in customers]
        return plan_posts(self.chosen.answers, accounts, length, self.chosen.seed, returning)

    def all_synced(self) -> bool:
        found = self.world.watch.accounts()
        return len(found) == len(self.world.customers) and all(account.synced for account in found)

    def by_crm(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for customer in self.world.customers.values():
            found.setdefault(customer.kind, []).append(customer.id)
        return found

    # -- the storm ----------------------------------------------------------------------------------------

    def storm(self, posts: Sequence[Post], blows: Sequence[Blow]) -> None:
        """Until every answer is accepted and every blow is over."""
        clients = self.start_clients(posts)
        for crm in self.by_crm():
            self.world.moods.lose_replies(crm, self.chosen.seed)
        left, begun = list(blows), time.monotonic()
        while left or self.world.courses or clients.status is None:
            while left and time.monotonic() - begun >= left[0].at:
                self.world.begin(strike(self.world, left.pop(0)))
            self.world.go_on()
            self.look()
            time.sleep(PAUSE)
        if clients.status:
            raise clients.failed("gave up")
        self.busy = {crm: self.world.moods.refusals(crm) for crm in self.by_crm()}

    def start_clients(self, posts: Sequence[Post]) -> Child:
        folder, children = self.world.environment.folder, self.world.cast.children
        write_posts(posts, folder / "posts.jsonl")
        tokens = {one.id: one.service.token for one in self.world.customers.values()}
        (folder / "tokens.json").write_text(json.dumps(tokens))
        child = children.start(
            "clients", "-m", "tests.torture.clients", str(folder), self.world.environment.url
        )
        child.serves = False
        return child

    # -- after --------------------------------------------------------------------------------------------

    def drain(self) -> float:
        """Seconds from the end of all faults until nothing is left to be done, or patience is over."""
        for crm in self.by_crm():
            self.world.moods.end(crm)
        for name in ("web", "beat", *self.world.cast.workers):
            self.world.cast.start(name)
        self.say("the faults have stopped")
        begun = time.monotonic()
        while time.monotonic() - begun < self.chosen.patience:
            if self.look(calm=time.monotonic() - begun > STILL):
                break
            time.sleep(PAUSE)
        return time.monotonic() - begun

    # -- all the time -------------------------------------------------------------------------------------

    def look(self, calm: bool = False) -> bool:
        """The people look around now and then; True if nothing is left. ``calm``: no CRM holds work back."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return False
        self.looked = time.monotonic()
        self.world.ended.update(self.world.cast.supervise())
        well = self.people.look_after_accounts()
        undone = self.world.watch.undone()
        if calm:
            self.people.look_after_leads(undone)
            if self.chosen.short:
                self.people.hurry(undone)
        self.progress()
        left = [one for one in undone if one.state != "held" or one.because in FOLLOWED]
        return calm and well and not left

    def progress(self) -> None:
        if time.monotonic() - self.told > TELL_EVERY:
            self.told = time.monotonic()
            states = ", ".join(
                f"{count} {state}" for state, count in sorted(self.world.watch.states().items())
            )
            self.say(f"{self.world.watch.answers()} answers; {states}; {sum(self.world.hurt.values())} blows")

    def say(self, words: str) -> None:
        print(f"{time.monotonic() - self.begun:6.0f} s  {words}", flush=True)

    # -- the verdict --------------------------------------------------------------------------------------

    def tell(self, snapshots: Books, figures: Figures) -> int:
        print(f"\n{report(figures)}\n")
        for title, counted in (("Blows", self.world.hurt), ("In vain", self.world.missed)):
            print(f"{title}: {listed(counted)}")
        print(f"Never hit: {', '.join(self.never_hit()) or 'none'}")
        print(f"Clocks off: {listed(self.world.cast.clocks)}")
        print(f"Processes that ended by themselves: {listed(self.world.ended)}")
        print(f"People: {listed(self.people.did)}")
        for words in details(snapshots):
            print(words)
        print(f"\n{figures.sentence()}")
        if self.chosen.json:
            self.chosen.json.write_text(json.dumps(self.as_dict(figures), indent=1))
        return 0 if figures.holds else 1

    def never_hit(self) -> list[str]:
        """Moments of the schedule that this run was too short, or had no luck, to find."""
        return [what for what in KINDS if not self.world.hurt[what]]

    def as_dict(self, figures: Figures) -> dict[str, object]:
        chosen = {"answers": self.chosen.answers, "seed": self.chosen.seed, "cores": os.cpu_count()}
        counted = {
            "blows": self.world.hurt,
            "in_vain": self.world.missed,
            "never_hit": self.never_hit(),
            "people": self.people.did,
            "ended": self.world.ended,
        }
        return {**chosen, **asdict(figures), "holds": figures.holds, **counted}


def listed(counted: Mapping[str, float]) -> str:
    return ", ".join(f"{what} {count:g}" for what, count in sorted(counted.items()) if count) or "none"


def details(snapshots: Books) -> Iterator[str]:
    """The first of each kind of what went wrong, to be looked up in the logs."""
    for account, answer in snapshots.lost()[:20]:
        yield f"lost: answer {answer} of {account}"
    for title, rows in (
        ("doubled", snapshots.doubled()),
        ("on a lead of somebody else", snapshots.astray_notes()),
        ("made beside an open lead", snapshots.passed_by()),
        ("task wrong", snapshots.tasks_wrong()),
    ):
        for row in rows[:20]:
            own, joined = (
                ", ".join(str(lead["id"]) for lead in leads)
                for leads in (snapshots.of(row), snapshots.joined(row))
            )
            what = f"delivery {row.pk} ({row.crm}, {row.uid}) of {row.customer}"
            yield f"{title}: {what}, leads {own or 'none'}, joined {joined or 'none'}"
    yield from (f"note doubled: {mark}" for mark in snapshots.notes_doubled()[:20])
    for row in snapshots.stuck()[:20]:
        yield f"stuck: delivery {row.pk} ({row.crm}) is {row.state} {row.because} {row.error}"
    reasons = Counter(f"{row.crm} {row.because}: {row.error}" for row in snapshots.held())
    yield from (f"held: {count} {words}" for words, count in reasons.items())
    yield from (f"refused: {line}" for line in snapshots.doubts[:20])
