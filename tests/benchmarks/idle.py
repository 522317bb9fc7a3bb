"""How long an answer takes that finds nothing waiting: from its acknowledgement to its lead in the CRM.

The CRM's own time is taken off: each request that it answers before the lead is made, and the making itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from statistics import median, quantiles
from typing import Any

from config.demo.report import table
from tests.benchmarks.ground import Figures, Ground, a_visit, machine, options, say, the_ground

REQUESTS_EACH = 10  # more than one lead takes
REST = 0.4  # seconds between answers, so that the CRM's pace holds nobody up


@dataclass(frozen=True)
class Visit:
    """Moments in seconds of the system's clock, which the sandbox has too."""

    posted: float
    accepted: float
    begun: float
    created: float
    asked_before: int

    def beyond(self, latency: float) -> float:
        return self.created - self.accepted - latency * self.asked_before


def main(arguments: list[str]) -> Figures:
    chosen = options("Idle path: accepted answer to lead, one at a time.", 100).parse_args(arguments)
    with the_ground(chosen.crm) as ground:
        ground.tell("switches", latency=chosen.latency)
        visits = [visit(ground, number) for number in range(1, chosen.answers + 1)]
        say(report(visits, chosen.latency))
        return figures([one.beyond(chosen.latency) for one in visits])


def visit(ground: Ground, number: int) -> Visit:
    posted = time.time()
    reply = ground.service.call("POST", "/answers", a_visit(number))
    accepted = time.time()
    delivery = reply.json()["deliveries"][0]["id"]
    details = wait_until_delivered(ground, delivery)
    begun = datetime.fromisoformat(details["attempts"][0]["startedAt"]).timestamp()
    entries = [entry for entry in ground.journal(REQUESTS_EACH)["entries"] if entry["at"] >= posted]
    made = next(index for index, entry in enumerate(entries) if details["mark"] in entry["body"])
    time.sleep(REST)
    return Visit(posted, accepted, begun, entries[made]["at"], made)


def wait_until_delivered(ground: Ground, delivery: int) -> dict[str, Any]:
    """Its details."""
    details: dict[str, Any] = {}
    for _ in count():
        details = ground.service.get(f"/deliveries/{delivery}")
        if details["state"] == "delivered" and details["attempts"]:  # which are written a moment later
            break
        ground.children.check()
        time.sleep(0.05)
    return details


def figures(beyond: list[float]) -> Figures:
    return [
        (
            f"202 to the lead in amoCRM, beyond its own time, {len(beyond)} answers one at a time",
            f"p50 {median(beyond):.2f} s, p95 {late(beyond):.2f} s",
        )
    ]


def report(visits: list[Visit], latency: float) -> str:
    rows = [
        row("answer posted to 202", [one.accepted - one.posted for one in visits]),
        row("202 to the worker's first try", [one.begun - one.accepted for one in visits]),
        row("202 to lead, beyond the CRM's own time", [one.beyond(latency) for one in visits]),
        row("202 to lead, all in all", [one.created + latency - one.accepted for one in visits]),
    ]
    head = (
        f"\nIdle path: {len(visits)} answers one at a time, a CRM that takes {latency:g} s; {machine()}\n\n"
    )
    return head + table(("seconds", "p50", "p95", "most"), rows)


def row(name: str, seconds: list[float]) -> tuple[str, ...]:
    return (name, *(f"{value:.3f}" for value in (median(seconds), late(seconds), max(seconds))))


def late(seconds: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
