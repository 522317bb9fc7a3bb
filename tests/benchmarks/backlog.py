"""A backlog of one account against the CRM's real limit: leads/s, share of the limit, the worker's memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from config import serving
from config.demo.children import Child
from config.demo.processes import start_beat, start_worker, wait_for_worker
from config.demo.report import table
from tests.benchmarks.ground import Figures, Ground, a_visit, machine, options, say, the_ground

AT_ONCE = 100  # answers in one POST
LIMIT = 7.0  # requests/s that the local amoCRM admits, as the real one does
PROGRESS = 30.0
LONG_PAUSE = 0.5
MOST_ENTRIES = 5000  # of the newest requests that the local CRM remembers
PATIENCE = 120.0  # seconds without a single lead


@dataclass
class Run:
    """What was measured; memory of the first worker, in MiB by the moment."""

    answers: int
    posting: float = 0.0
    begun: float = 0.0
    ended: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    workers: int = 1
    journal: Mapping[str, Any] = field(default_factory=dict)
    leads: int = 0

    @property
    def pauses(self) -> list[float]:
        """Times in which the CRM heard nothing of us for long, seconds each."""
        moments = [entry["at"] for entry in self.journal["entries"]]
        return [gap for gap in (b - a for a, b in pairwise(moments)) if gap > LONG_PAUSE]

    @property
    def seconds(self) -> float:
        return self.ended - self.begun


def main(arguments: list[str]) -> Figures:
    parser = options("A backlog of one account, the worker stopped while it grows.", 500)
    parser.add_argument("--rate", type=float, help="our own pace, requests/s (the service's default)")
    parser.add_argument("--free", action="store_true", help="the CRM has no limits; for a large --rate")
    chosen = parser.parse_args(arguments)
    limiter = {f"{chosen.crm.upper()}_REQUESTS_PER_SECOND": str(chosen.rate)} if chosen.rate else {}
    with the_ground(chosen.crm, **limiter) as ground:
        run = Run(chosen.answers)
        pile_up(ground, run)
        ground.tell("switches", latency=chosen.latency, limits=not chosen.free)
        ground.tell("journal/clear")
        work_off(ground, run)
        say(report(run, chosen.latency, chosen.rate))
        return figures(run)


def pile_up(ground: Ground, run: Run, visit: Callable[[int], dict[str, Any]] = a_visit) -> None:
    """Nobody works while the answers come."""
    ground.rest()
    begun = time.monotonic()
    for first in range(1, run.answers + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, run.answers + 1))
        ground.service.post("/answers", [visit(number) for number in numbers])
    run.posting = time.monotonic() - begun
    say(f"{run.answers} answers accepted in {run.posting:.1f} s")


def work_off(ground: Ground, run: Run) -> None:
    worker = start_worker(ground.children)
    others = [ground.children.start(f"worker{n}", *serving.worker()) for n in range(2, run.workers + 1)]
    start_beat(ground.environment, ground.children)
    for one in (worker, *others):
        wait_for_worker(one, ground.children)
    run.memory["ready"] = memory_of(worker)
    ground.children.wait(lambda: ground.journal()["total"], 60, "the first request")
    run.begun = time.monotonic()
    watch(ground, run, worker)
    run.ended = time.monotonic()
    run.memory["end"] = memory_of(worker)
    run.journal, run.leads = ground.journal(MOST_ENTRIES), ground.leads()


def watch(ground: Ground, run: Run, worker: Child) -> None:
    """Until all is delivered, or nothing moves any more."""
    done, moved, told = 0, time.monotonic(), time.monotonic()
    while done < run.answers and time.monotonic() - moved < PATIENCE:
        time.sleep(0.5)
        ground.children.check()
        before, done = done, ground.delivered()
        moved = time.monotonic() if done > before else moved
        if before == 0 < done:
            run.memory["first leads"] = memory_of(worker)
        if time.monotonic() - told > PROGRESS:
            told = time.monotonic()
            say(f"{told - run.begun:6.0f} s  {done:5d} leads  {memory_of(worker):.0f} MiB")


def memory_of(child: Child) -> float:
    """Resident memory of the process, MiB."""
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(child.pid)], capture_output=True, text=True, check=True
    )
    return int(shown.stdout) / 1024


def figures(run: Run) -> Figures:
    requests, refused = run.journal["total"], run.journal["statuses"].get("429", 0)
    share = requests / run.seconds / LIMIT
    memory = ", ".join(f"{mib:.0f} MiB {moment}" for moment, mib in run.memory.items())
    return [
        (
            f"backlog of {run.answers} answers of one amoCRM account",
            f"{run.answers / run.seconds:.1f} leads/s, {share:.0%} of the limit of {LIMIT:g} requests/s, "
            f"{refused} of {requests} requests refused",
        ),
        ("the worker's memory over it", memory),
    ]


def report(run: Run, latency: float, rate: float | None) -> str:
    requests = run.journal["total"]
    limiter = f"our own pace {rate:g}/s" if rate else "our own pace as set by default"
    rows = [
        ("answers", f"{run.answers}"),
        ("leads in the CRM", f"{run.leads}"),
        ("seconds", f"{run.seconds:.1f}"),
        ("leads/s", f"{run.answers / run.seconds:.2f}"),
        ("requests/s", f"{requests / run.seconds:.2f}"),
        (f"share of the limit of {LIMIT:g}/s", f"{requests / run.seconds / LIMIT:.1%}"),
        (f"pauses over {LONG_PAUSE:g} s", f"{len(run.pauses)}, together {sum(run.pauses):.1f} s"),
        ("refused with 429", str(run.journal["statuses"].get("429", 0))),
        *((f"worker's memory, {moment}", f"{mib:.0f} MiB") for moment, mib in run.memory.items()),
        ("answers accepted/s", f"{run.answers / run.posting:.0f}"),
    ]
    routes = sorted(run.journal["counts"].items(), key=lambda item: -item[1])
    each = [(route, str(number), f"{number / run.answers:.3f}") for route, number in routes]
    head = f"\nBacklog of one account: a CRM that takes {latency:g} s, {limiter}; {machine()}\n\n"
    routes_table = table(("requests by route", "number", "a lead"), each)
    return f"{head}{table(('measured', ''), rows)}\n\n{routes_table}"
