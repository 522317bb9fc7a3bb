"""Bad neighbours: how long healthy accounts wait for their leads while other accounts' CRMs hang or are slow.

Twenty accounts over four CRMs get a steady trickle. In turn nobody else wants anything, then twice as many
accounts as a worker has threads want leads of CRMs that take requests and never answer, then of CRMs that
answer each of them after six seconds. All on the same rows: an account that is left out of a phase is paused.
Once with a single worker, once with four.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from django.conf import settings

from config.demo import amocrm, bitrix24
from config.demo.environment import Environment, an_environment
from config.demo.errors import DemoFailed
from config.demo.http import tell
from config.demo.report import table
from config.demo.scenario import scenarios, variables_of
from config.endings import Ended, listen_for_endings
from tests.benchmarks.ground import a_visit, machine
from tests.torture.cast import THREADS, Cast
from tests.torture.customers import FIRST, Customer, customers_of, make_customers
from tests.torture.watch import Watch

WORKERS = (1, 4)
EACH = 5  # healthy accounts in each CRM
# Twice as many bad accounts as a worker has threads.
BAD = {amocrm.SCENARIO: 12, bitrix24.SCENARIO: 2 * THREADS - 12}
QUEUE_OF_OTHERS = 500  # waiting in the queues of the bad ones but the first
AT_ONCE = 100  # answers in one POST
SETTLE = 8.0  # seconds until a phase has begun everywhere
PATIENCE = 120.0
MOST = 1.3  # p95 beside the bad ones may be so much of what it is without
FIGURES = {"waits": "d.delivered_at", "turns": "t.started_at"}  # of a phase, and until when they count
ALONE, HANGING, SLOW = "nobody", "hanging accounts", "slow accounts"
FAULTS: Mapping[str, Mapping[str, Any]] = {
    HANGING: {"action": "timeout"},
    SLOW: {"action": "delay", "delay": 6.0},
}
STATES = """
from accounts import states
from accounts.models import Account
for account in Account.objects.filter(account_id__in={ids!r}, deleted=False):
    {move}
"""
PAUSE, RESUME = "states.pause(account, 'Left out of this phase')", "states.resume(account)"


@dataclass
class Phase:
    """``waits`` in seconds, from the answer's being stored to its lead's being known to be there; ``turns``
    to its batch's being sent."""

    beside: str
    waits: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    undelivered: int = 0


class Street:
    """Everybody who lives there, and the trickle of answers to the healthy ones."""

    def __init__(
        self, environment: Environment, cast: Cast, healthy: Sequence[Customer], bad: Sequence[Customer]
    ) -> None:
        self.environment, self.cast, self.healthy, self.bad = environment, cast, healthy, bad
        self.watch = Watch(environment.database_url)
        self.number = 0
        self.awake = True

    def prepare(self) -> None:
        everybody = [*self.healthy, *self.bad]
        for customer in everybody:
            customer.connect(self.environment)
        self.cast.children.wait(self.all_synced, 60 + 5 * len(everybody), "the lists of all accounts")
        for customer in everybody:
            customer.scenario.save_rule(customer.service)
        say(f"{len(everybody)} accounts are ready")

    def all_synced(self) -> bool:
        found = self.watch.accounts()
        return len(found) == len(self.healthy) + len(self.bad) and all(one.synced for one in found)

    def fill(self, waiting: int) -> None:
        """The bad ones' queues, while they rest."""
        self.wake(False)
        for customer in self.bad:
            self.pile_up(customer, waiting if customer is self.bad[0] else QUEUE_OF_OTHERS)

    def pile_up(self, customer: Customer, count: int) -> None:
        for first in range(0, count, AT_ONCE):
            customer.service.post("/answers", [self.visit() for _ in range(min(AT_ONCE, count - first))])

    def visit(self) -> dict[str, Any]:
        self.number += 1
        return a_visit(self.number)

    def wake(self, awake: bool) -> None:
        """The bad ones want their leads delivered, or rest."""
        if awake != self.awake:
            move = RESUME if awake else PAUSE
            code = STATES.format(ids=[one.id for one in self.bad], move=move)
            self.cast.children.run("states", "manage.py", "shell", "-c", code)
        self.awake = awake

    def misbehave(self, how: str) -> None:
        """The bad ones' CRMs hang or are slow from now on; nobody's where ``how`` is ``ALONE``."""
        for scenario in BAD:
            tell(self.environment.control_url, scenario.kind, "faults/clear")
        for customer in self.bad if how in FAULTS else ():
            fault = {**FAULTS[how], "host": customer.host, "times": None}
            tell(self.environment.control_url, customer.kind, "faults", **fault)

    def play(self, phase: Phase, seconds: float, rate: float) -> None:
        if phase.beside == ALONE:
            self.wake(False)  # before their CRMs are well again
        self.misbehave(phase.beside)
        self.wake(phase.beside != ALONE)
        time.sleep(SETTLE)
        begun = self.now()
        self.trickle(seconds, rate)
        ended = self.now()
        deadline = time.monotonic() + PATIENCE
        while (left := self.left(begun, ended)) and time.monotonic() < deadline:
            time.sleep(0.5)
        phase.undelivered = left
        for what, until in FIGURES.items():
            found = self.seconds(until, begun, ended)
            setattr(phase, what, [seconds for seconds in found if seconds is not None])

    def trickle(self, seconds: float, rate: float) -> None:
        begun = time.monotonic()
        for number in range(int(seconds * rate)):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            self.healthy[number % len(self.healthy)].service.call("POST", "/answers", self.visit())
            self.cast.children.check()

    # -- what the database says ---------------------------------------------------------------------------

    def now(self) -> Any:
        return self.watch.rows("SELECT clock_timestamp()")[0][0]

    def left(self, begun: Any, ended: Any) -> int:
        return self.seconds("d.delivered_at", begun, ended).count(None)

    def seconds(self, until: str, begun: Any, ended: Any) -> list[Any]:
        """Of the healthy accounts' deliveries whose answers came in between: how long it took."""
        found = self.watch.rows(
            f"SELECT extract(epoch FROM {until} - n.created_at)::float "
            "FROM rules_delivery d JOIN rules_answer n ON n.id = d.answer_id "
            "LEFT JOIN rules_attempt t ON t.delivery_id = d.id AND t.number = 1 "
            "WHERE n.account_id = ANY(%s) AND n.created_at BETWEEN %s AND %s",
            [one.id for one in self.healthy],
            begun,
            ended,
        )
        return [seconds for (seconds,) in found]


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    listen_for_endings()
    try:
        return max([one_street(chosen, workers) for workers in chosen.workers])
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        return end.status


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="torture neighbours", description=__doc__)
    parser.add_argument("--waiting", type=int, default=20_000, help="in one bad queue (%(default)s)")
    parser.add_argument("--seconds", type=float, default=45, help="of each phase (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of the four phases (%(default)s)")
    parser.add_argument("--rate", type=float, default=6, help="answers a second, all together (%(default)s)")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=WORKERS, help="processes, in one run after the other"
    )
    parser.add_argument("--name", default="neighbours", help="of its database and folder (%(default)s)")
    return parser.parse_args(arguments)


def one_street(chosen: Namespace, workers: int) -> int:
    with a_street(chosen.name, workers) as street:
        street.prepare()
        street.fill(chosen.waiting)
        return report(chosen, workers, run(street, chosen))


@contextmanager
def a_street(name: str, workers: int) -> Iterator[Street]:
    with an_environment(name) as environment:
        env = {**variables_of(environment, scenarios()), "LOG_LEVEL": "WARNING"}
        with Cast(environment, env, settings.BASE_DIR, workers) as cast:
            cast.open()
            customers = make_customers(environment, EACH, env["JWT_KEY"])
            bad: list[Customer] = []
            for scenario, count in BAD.items():
                first = FIRST + len(customers) + len(bad)
                bad += customers_of(environment, scenario, count, env["JWT_KEY"], first)
            yield Street(environment, cast, customers, bad)


def run(street: Street, chosen: Namespace) -> list[Phase]:
    phases = [Phase(beside) for _ in range(chosen.rounds) for beside in (ALONE, HANGING, ALONE, SLOW)]
    for phase in phases:
        street.play(phase, chosen.seconds, chosen.rate)
        say(f"beside {phase.beside}: p95 {p95(phase.waits):.2f} s")
    return phases


def report(chosen: Namespace, workers: int, phases: Sequence[Phase]) -> int:
    """The table; the exit status."""
    found = {beside: together(phases, beside) for beside in (ALONE, HANGING, SLOW)}
    usual = p95(found[ALONE].waits)
    ratios = {beside: p95(phase.waits) / usual for beside, phase in found.items()}
    rows = [line(phase, ratios[beside]) for beside, phase in found.items()]
    say(
        f"\n{4 * EACH} healthy accounts, {chosen.rate:g} answers/s; workers of {THREADS} threads: {workers}; "
        f"{2 * THREADS} bad accounts, {chosen.waiting} waiting in one and {QUEUE_OF_OTHERS} in each other; "
        f"{machine()}\n"
    )
    head = ("beside them", "leads", "p50, s", "p95, s", "most, s", "p95 to its turn, s", "p95 ratio", "late")
    say(table(head, rows))
    late = sum(phase.undelivered for phase in phases)
    return int(late > 0 or max(ratios.values()) > MOST)


def together(phases: Sequence[Phase], beside: str) -> Phase:
    same = [phase for phase in phases if phase.beside == beside]
    waits, turns = ([seconds for phase in same for seconds in getattr(phase, what)] for what in FIGURES)
    return Phase(beside, waits, turns, sum(phase.undelivered for phase in same))


def line(phase: Phase, ratio: float) -> tuple[str, ...]:
    figures = (median(phase.waits), p95(phase.waits), max(phase.waits), p95(phase.turns))
    shown = (f"{seconds:.2f}" for seconds in figures)
    return (phase.beside, str(len(phase.waits)), *shown, f"{ratio:.2f}", str(phase.undelivered))


def p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1] if len(seconds) > 1 else float("inf")


def say(sentence: str) -> None:
    print(sentence, flush=True)
