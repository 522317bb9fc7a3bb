"""The first page and page 4,000 of lists with a million rows, over HTTP, in turns.

Users, steps, fields and tags of one account, and a caller's deliveries; some other accounts have rows too.
"""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from statistics import median

from config.demo.report import table
from tests.benchmarks.ground import Figures, Ground, address_of, machine, say, the_ground
from tests.benchmarks.load import Load, put_load, request
from tests.benchmarks.rounds import in_turns, ratio, spread

DEEP = 4000
SEEDING_SECONDS = 1200
LISTS = {  # what a caller asks for
    "users": "/users",
    "steps": "/steps",
    "steps of a pipeline": "/steps?pipelineID=7",
    "fields": "/fields",
    "tags": "/tags",
    "deliveries": "/deliveries",
    "deliveries of a quiz": "/deliveries?quizID=4201",
    "deliveries that are held": "/deliveries?state=held",
}


@dataclass(frozen=True)
class Measured:
    """A list's pages in seconds, (page 4,000, page 1) of each round."""

    name: str
    pairs: list[tuple[float, float]]

    @property
    def first(self) -> float:
        return median(first for _, first in self.pairs)

    @property
    def deep(self) -> float:
        return median(deep for deep, _ in self.pairs)

    def row(self) -> tuple[str, ...]:
        milliseconds = (f"{seconds * 1000:.1f}" for seconds in (self.first, self.deep))
        return (self.name, *milliseconds, f"{ratio(self.pairs):.2f}", spread(self.pairs))


def main(arguments: list[str]) -> Figures:
    parser = ArgumentParser(description="Page 1 and page 4,000 of long lists.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each list (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--requests", type=int, default=8, help="for a page, a round (%(default)s)")
    chosen = parser.parse_args(arguments)
    with the_ground("amocrm") as ground:
        ground.rest()
        say(f"Storing {chosen.rows} rows in each list")
        seed = ("-m", "tests.benchmarks.seed", str(chosen.rows))
        say(ground.children.run("seed", *seed, seconds=SEEDING_SECONDS).strip())
        found = [measure(ground, name, chosen.rounds, chosen.requests) for name in LISTS]
        return report(found, chosen.rows)


def measure(ground: Ground, name: str, rounds: int, requests: int) -> Measured:
    page = partial(fetch, ground, LISTS[name], requests)
    page(1), page(DEEP)  # from the disk, once
    pairs = in_turns(rounds, lambda _: page(DEEP), lambda _: page(1))
    return Measured(name, pairs)


def fetch(ground: Ground, path: str, requests: int, page: int) -> float:
    """Seconds for a page of 25 rows, the median of some requests one after the other."""
    asked = f"{path}{'&' if '?' in path else '?'}page={page}&size=25"
    one = request(asked, ground.service.token, method="GET")
    load = put_load(address_of(ground.environment.url), repeat(one, requests), 1, never)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"{asked} was answered {dict(load.statuses)}")
    return median(load.took)


def never(load: Load) -> bool:
    return False


def report(found: list[Measured], rows: int) -> Figures:
    head = ("list", "page 1, ms", f"page {DEEP:,}, ms", "ratio", "rounds")
    say(f"\nLists of {rows:,} rows, 25 a page; {machine()}\n\n{table(head, [one.row() for one in found])}")
    slowest = max(found, key=lambda one: one.deep)
    plain = [one for one in found if one.name in ("users", "steps", "fields", "tags", "deliveries")]
    span = sorted(ratio(one.pairs) for one in plain)
    firsts = sorted(one.first * 1000 for one in plain)
    return [
        (
            f"a list of {rows:,} rows, page {DEEP:,} beside page 1",
            f"{span[0]:.2f} to {span[-1]:.2f} times as long; page 1 {firsts[0]:.0f} to {firsts[-1]:.0f} ms,"
            f" the slowest of all {slowest.deep * 1000:.0f} ms ({slowest.name})",
        )
    ]
