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
    """``rounds`` are {side: [seconds, seconds of a core, requests]}."""
    rates = [(leads / one["engine"][0], leads / one["loop"][0]) for one in rounds]
    work = [(one["engine"][1] / leads, one["loop"][1] / leads) for one in rounds]
    rows = [
        row(name, [one[index] for one in rates], [one[index] for one in work], rounds[-1][side][2] / leads)
        for index, (side, name) in enumerate([("engine", "engine"), ("loop", "the requests alone")])
    ]
    head = ("", "leads/s", "ms of a core a lead", "requests a lead")
    setting = f"{len(rounds)} rounds of {leads} leads a side, a CRM without limits that takes {latency:g} s"
    verdict = f"engine / requests alone: {ratio(rates):.2f} ({spread(rates)})"
    say(f"\nDrain: {setting}; {machine()}\n\n{table(head, rows)}\n\n{verdict}")
    ours = median(ours for ours, _ in rates)
    return [
        (
            "engine without the CRM's limits, beside a loop that only sends the same requests",
            f"{ours:.0f} leads/s, {ratio(rates):.2f} of the loop's",
        )
    ]


def row(name: str, rates: Sequence[float], work: Sequence[float], requests: float) -> tuple[str, ...]:
    return (name, f"{median(rates):.0f}", f"{median(work) * 1000:.2f}", f"{requests:.2f}")
