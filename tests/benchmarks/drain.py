"""The engine's leads a second, beside a loop that sends the same requests and does nothing else.

The local amoCRM has its limits off and takes no time of its own, which is the hardest comparison: whatever
the engine does beside its requests shows. Both run in one process of the benchmark's own (`drain_sides`),
through the same session, as wide as each other, and in turns.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from statistics import median

from config.demo.report import table
from tests.benchmarks.ground import Figures, machine, say, the_ground
from tests.benchmarks.rounds import ratio, spread

SECONDS = 600
NO_LIMIT = {"AMOCRM_REQUESTS_PER_SECOND": "100000"}


def main(arguments: list[str]) -> Figures:
    parser = ArgumentParser(description="The engine beside its requests alone.")
    parser.add_argument("--leads", type=int, default=600, help="a round and side (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds the CRM takes (%(default)s)")
    chosen = parser.parse_args(arguments)
    with the_ground("amocrm", **NO_LIMIT) as ground:
        ground.rest()
        ground.tell("switches", limits=False, latency=chosen.latency)
        sides = ("-m", "tests.benchmarks.drain_sides", str(chosen.leads), str(chosen.rounds))
        said = ground.children.run("drain", *sides, seconds=SECONDS)
        return report(json.loads(said.splitlines()[-1]), chosen.leads, chosen.latency)


def report(rounds: list[dict[str, list[float]]], leads: int, latency: float) -> Figures:
    """``rounds`` are {side: [seconds, seconds of a core, requests, PostgreSQL's of a core]}."""
    rows = [row(name, [one[side] for one in rounds], leads) for side, name in SIDES.items()]
    rates = [(leads / one["best"][0], leads / one["loop"][0]) for one in rounds]
    setting = f"{len(rounds)} rounds of {leads} leads a side, a CRM without limits that takes {latency:g} s"
    verdict = f"engine, best case / its requests alone: {ratio(rates):.2f} ({spread(rates)})"
    say(f"\nDrain: {setting}; {machine()}\n\n{table(HEAD, rows)}\n\n{verdict}")
    ours, best = (median(leads / one[side][0] for one in rounds) for side in ("engine", "best"))
    costs = [
        median(one[side][column] for one in rounds) / leads * 1000
        for column in (1, 3)
        for side in ("engine", "best")
    ]
    return [
        (
            "engine without the CRM's limits, beside a loop that only sends the same requests",
            f"{ours:.0f} leads/s; best case {best:.0f} leads/s, {ratio(rates):.2f} of the loop's",
        ),
        (
            "what of a core such a lead costs",
            f"worker {costs[0]:.2f} ms, PostgreSQL {costs[2]:.2f} ms"
            f" (best case {costs[1]:.2f} ms, {costs[3]:.2f} ms)",
        ),
    ]


SIDES = {"engine": "engine, ordinary", "best": "engine, best case", "loop": "the best case's requests alone"}
HEAD = ("", "leads/s", "ms of a core a lead", "PostgreSQL's", "requests a lead")


def row(name: str, found: Sequence[Sequence[float]], leads: int) -> tuple[str, ...]:
    """Of each column the median of the rounds."""
    seconds, own, requests, database = (median(column) for column in zip(*found, strict=True))
    per_lead = (f"{part / leads * 1000:.2f}" for part in (own, database))
    return (name, f"{leads / seconds:.0f}", *per_lead, f"{requests / leads:.2f}")
