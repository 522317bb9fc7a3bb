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
from tests.benchmarks.ground import Figures, Ground, a_visit, machine, say, the_ground
from tests.benchmarks.load import Load, put_load, request
from tests.benchmarks.rounds import in_turns, ratio, spread

# Of the bare view.
TABLE = "CREATE TABLE bare_row (id bigserial PRIMARY KEY, payload jsonb NOT NULL, created_at timestamptz)"
SERVER = ("-c", "python:config.gunicorn")  # as the Dockerfile says
PLACE = 1_000_000  # answers' numbers have seven digits
AT_ONCE = 100
START_SECONDS = 45


@dataclass
class Bench:
    """The two servers; requests are built beforehand, each with a number of its own."""

    token: str
    ours: tuple[str, int]
    bare: tuple[str, int]
    connections: int
    seconds: float

    def __post_init__(self) -> None:
        self.numbers = count(PLACE)
        self.one = json.dumps(a_visit(PLACE), ensure_ascii=False)

    def single(self, address: tuple[str, int]) -> Load:
        return checked(put_load(address, self._singles(), self.connections, self._over))

    def lists(self, address: tuple[str, int]) -> Load:
        return checked(put_load(address, self._lists(), self.connections, self._over))

    def _over(self, load: Load) -> bool:
        return load.seconds > self.seconds

    def _body(self) -> str:
        return self.one.replace(str(PLACE), str(next(self.numbers)))

    def _singles(self) -> Iterator[bytes]:
        while True:
            yield request("/answers", self.token, self._body().encode())

    def _lists(self) -> Iterator[bytes]:
        while True:
            body = ",".join(self._body() for _ in range(AT_ONCE))
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
            bench.single(side)
        single = in_turns(
            chosen.rounds, lambda _: bench.single(bench.ours), lambda _: bench.single(bench.bare)
        )
        many = [bench.lists(bench.ours) for _ in range(2)]
        return report(bench, single, many)


def prepare(ground: Ground, connections: int, seconds: float) -> Bench:
    ground.rest()
    with ground.database() as database:
        database.execute(TABLE)
    ours = serve(ground, "web-deployed", "config.wsgi")
    bare = serve(ground, "web-bare", "tests.benchmarks.bare")
    return Bench(ground.service.token, ours, bare, connections, seconds)


def serve(ground: Ground, name: str, application: str) -> tuple[str, int]:
    """A server of its own on a free port, with the workers that the service is deployed with."""
    port = free_port()
    ground.children.start(name, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *SERVER)
    ground.children.wait(lambda: listens(port), START_SECONDS, f"{name} to answer")
    return "127.0.0.1", port


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


def report(bench: Bench, single: list[tuple[Load, Load]], many: list[Load]) -> Figures:
    rates = [(ours.per_second, bare.per_second) for ours, bare in single]
    listed = median(load.per_second for load in many) * AT_ONCE
    rows = [
        row("POST /answers, one answer", [ours for ours, _ in single]),
        row("bare view, the same body", [bare for _, bare in single]),
        row(f"POST /answers, {AT_ONCE} answers", many),
    ]
    head = ("", "requests/s", "p50 ms", "p95 ms", "p99 ms", "client's share of a core")
    size = len(bench.one.encode())
    say(
        f"\nIntake: bodies of {size} bytes over {bench.connections} connections, gunicorn"
        f" {' '.join(SERVER[:4])}, {len(single)} rounds of {bench.seconds:g} s each; {machine()}\n\n"
        f"{table(head, rows)}\n\n"
        f"ours / bare: {ratio(rates):.2f} ({spread(rates)}); {listed:.0f} answers/s in lists of {AT_ONCE}"
    )
    slow = median(ours.percentile(95) for ours, _ in single)
    return [
        (
            "answers accepted one by one, beside a bare Django view that INSERTs one row",
            f"{median(ours for ours, _ in rates):.0f}/s, {ratio(rates):.2f} of the bare view's; "
            f"p95 {slow * 1000:.0f} ms with {bench.connections} clients",
        ),
        (f"answers accepted, {AT_ONCE} in a request", f"{listed:.0f}/s"),
    ]


def row(name: str, loads: list[Load]) -> tuple[str, ...]:
    milliseconds = (median(load.percentile(p) for load in loads) * 1000 for p in (50, 95, 99))
    return (
        *(name, f"{median(load.per_second for load in loads):.0f}"),
        *(f"{value:.1f}" for value in milliseconds),
        f"{max(load.busy for load in loads):.0%}",
    )
