"""Answers taken in a second, beside a bare Django view that INSERTs one row under the same server.

Both are up at once and loaded in turns. Nobody delivers meanwhile: what is measured is the taking in.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median

from config.demo.environment import free_port
from config.demo.http import ask
from config.demo.report import table
from tests.benchmarks.cores import postgres, spent
from tests.benchmarks.ground import Figures, Ground, a_visit, an_ordinary_visit, machine, say, the_ground
from tests.benchmarks.load import Load, paced, put_load, request
from tests.benchmarks.rounds import ratio, spread

# Of the bare view.
TABLE = "CREATE TABLE bare_row (id bigserial PRIMARY KEY, payload jsonb NOT NULL, created_at timestamptz)"
SERVER = ("-c", "python:config.gunicorn")  # as the Dockerfile says
PLACE = 1_000_000  # answers' numbers have seven digits
AT_ONCE = 100
START_SECONDS = 45
SHARE = 0.8  # of the full load, at which latencies say what a caller waits


@dataclass
class Side:
    """A server: where it listens, and its first process."""

    address: tuple[str, int]
    process: int


@dataclass
class Measured:
    """A load, and what of a core each answer cost: of the web server's, and of PostgreSQL's."""

    load: Load
    web: float
    database: float


@dataclass
class Bench:
    """The two servers; requests are built beforehand, each with a number of its own."""

    token: str
    ours: Side
    bare: Side
    postgres: int
    connections: int
    seconds: float

    def __post_init__(self) -> None:
        self.numbers = count(PLACE)
        self.best = json.dumps(a_visit(PLACE), ensure_ascii=False)
        # Ordinary ones repeat after so many: their texts differ in their numbers alone.
        self.ordinary = [json.dumps(an_ordinary_visit(PLACE + n), ensure_ascii=False) for n in range(12)]

    def single(self, side: Side, ordinary: bool, rate: float = 0) -> Measured:
        requests = self._singles(ordinary)
        return self._measured(side, paced(requests, rate) if rate else requests, 1)

    def lists(self, side: Side, ordinary: bool) -> Measured:
        return self._measured(side, self._lists(ordinary), AT_ONCE)

    def _measured(self, side: Side, requests: Iterator[bytes], answers: int) -> Measured:
        before = spent(side.process), spent(self.postgres)
        load = checked(put_load(side.address, requests, self.connections, self._over))
        web, database = spent(side.process) - before[0], spent(self.postgres) - before[1]
        total = len(load.took) * answers
        return Measured(load, web / total, database / total)

    def _over(self, load: Load) -> bool:
        return load.seconds > self.seconds

    def _body(self, ordinary: bool) -> str:
        number = next(self.numbers)
        if not ordinary:
            return self.best.replace(str(PLACE), str(number))
        like = number % len(self.ordinary)
        return self.ordinary[like].replace(str(PLACE + like), str(number))

    def _singles(self, ordinary: bool) -> Iterator[bytes]:
        while True:
            yield request("/answers", self.token, self._body(ordinary).encode())

    def _lists(self, ordinary: bool) -> Iterator[bytes]:
        while True:
            body = ",".join(self._body(ordinary) for _ in range(AT_ONCE))
            yield request("/answers", self.token, f"[{body}]".encode())


def main(arguments: list[str]) -> Figures:
    parser = ArgumentParser(description="POST /answers beside a bare view.")
    parser.add_argument("--rounds", type=int, default=6, help="of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round (%(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="kept alive (%(default)s)")
    chosen = parser.parse_args(arguments)
    with the_ground("amocrm") as ground:
        bench = prepare(ground, chosen.connections, chosen.seconds)
        for side in (bench.ours, bench.bare):  # imports and first connections are nobody's pace
            bench.single(side, ordinary=True)
        rounds = [a_round(bench, number) for number in range(chosen.rounds)]
        usual = median(one["one, ordinary"].load.per_second for one in rounds)
        loaded = bench.single(bench.ours, ordinary=True, rate=SHARE * usual)
        return report(bench, rounds, loaded)


def a_round(bench: Bench, number: int) -> dict[str, Measured]:
    """Everything once, forwards and backwards in turns, so that whatever else the machine does hits all."""
    turns = [
        ("one, ordinary", lambda: bench.single(bench.ours, ordinary=True)),
        ("bare view", lambda: bench.single(bench.bare, ordinary=True)),
        ("one, best case", lambda: bench.single(bench.ours, ordinary=False)),
        ("lists, ordinary", lambda: bench.lists(bench.ours, ordinary=True)),
        ("lists, best case", lambda: bench.lists(bench.ours, ordinary=False)),
    ]
    return {name: measure() for name, measure in (turns[::-1] if number % 2 else turns)}


def prepare(ground: Ground, connections: int, seconds: float) -> Bench:
    ground.rest()
    with ground.database() as database:
        database.execute(TABLE)
    ours = serve(ground, "web-deployed", "config.wsgi")
    bare = serve(ground, "web-bare", "tests.benchmarks.bare")
    with ground.database() as database:
        server = postgres(database)
    return Bench(ground.service.token, ours, bare, server, connections, seconds)


def serve(ground: Ground, name: str, application: str) -> Side:
    """A server of its own on a free port, with the workers that the service is deployed with."""
    port = free_port()
    place = ("--bind", f"127.0.0.1:{port}")
    child = ground.children.start(name, "-m", "gunicorn", application, *place, *SERVER)
    ground.children.wait(lambda: listens(port), START_SECONDS, f"{name} to answer")
    return Side(("127.0.0.1", port), child.process.pid)


def listens(port: int) -> bool:
    try:
        return ask("GET", f"http://127.0.0.1:{port}/healthz").status > 0
    except OSError:
        return False


def checked(load: Load) -> Load:
    """Only what was stored counts."""
    if set(load.statuses) != {202}:
        raise RuntimeError(f"Not everything was accepted: {dict(load.statuses)}")
    return load


def report(bench: Bench, rounds: list[dict[str, Measured]], loaded: Measured) -> Figures:
    found = {name: [one[name] for one in rounds] for name in rounds[0]}
    usual, bare = found["one, ordinary"], found["bare view"]
    rows = [row(name, loads, AT_ONCE if "list" in name else 1) for name, loads in found.items()]
    rows.append(row(f"one, ordinary, at {SHARE:.0%}", [loaded], 1))
    rates, best = beside(usual, bare), beside(found["one, best case"], bare)
    # What a core does is less its neighbours' business than what a second is.
    work = [(sum(cost(theirs)), sum(cost(ours))) for theirs, ours in zip(bare, usual, strict=True)]
    size = sum(len(body.encode()) for body in bench.ordinary) // len(bench.ordinary)
    say(
        f"\nIntake: bodies of {size} bytes over {bench.connections} connections, gunicorn"
        f" {' '.join(SERVER[:4])}, {len(rounds)} rounds of {bench.seconds:g} s each; {machine()}\n\n"
        f"{table(HEAD, rows)}\n\n"
        f"ours / bare: {ratio(rates):.2f} ({spread(rates)}), best case {ratio(best):.2f} ({spread(best)});"
        f" by what of a core an answer costs: {ratio(work):.2f} ({spread(work)})"
    )
    web, database = (median(part) * 1000 for part in zip(*map(cost, usual), strict=True))
    slow = median(one.load.percentile(95) for one in usual) * 1000
    lists = [
        median(one.load.per_second for one in found[f"lists, {kind}"]) * AT_ONCE
        for kind in ("ordinary", "best case")
    ]
    return [
        (
            "answers accepted one by one, beside a bare Django view that INSERTs one row",
            f"{median(ours for ours, _ in rates):.0f}/s, {ratio(rates):.2f} of the bare view's (best case"
            f" {ratio(best):.2f}); p95 {slow:.0f} ms with {bench.connections} clients",
        ),
        (
            "what of a core such an answer costs",
            f"web {web:.2f} ms, PostgreSQL {database:.2f} ms; a bare view costs {ratio(work):.2f} of it",
        ),
        (f"p99 at {SHARE:.0%} of that load", f"{loaded.load.percentile(99) * 1000:.0f} ms"),
        (f"answers accepted, {AT_ONCE} in a request", f"{lists[0]:.0f}/s (best case {lists[1]:.0f}/s)"),
    ]


HEAD = ("", "answers/s", "p50 ms", "p95 ms", "p99 ms", "ms of a core: web", "PostgreSQL", "client busy")


def cost(one: Measured) -> tuple[float, float]:
    return one.web, one.database


def beside(ours: list[Measured], bare: list[Measured]) -> list[tuple[float, float]]:
    return [(one.load.per_second, two.load.per_second) for one, two in zip(ours, bare, strict=True)]


def row(name: str, found: list[Measured], answers: int) -> tuple[str, ...]:
    loads = [one.load for one in found]
    milliseconds = (median(load.percentile(p) for load in loads) * 1000 for p in (50, 95, 99))
    costs = (median(part) * 1000 for part in zip(*map(cost, found), strict=True))
    return (
        *(name, f"{median(load.per_second for load in loads) * answers:.0f}"),
        *(f"{value:.1f}" for value in milliseconds),
        *(f"{value:.2f}" for value in costs),
        f"{max(load.busy for load in loads):.0%}",
    )
