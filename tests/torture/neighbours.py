"""Bad neighbours: how long healthy accounts wait for their leads while other accounts' CRMs hang.

Twenty accounts over four CRMs get a steady trickle. In turn nobody else wants anything, then one account with
a long queue whose CRM takes requests and never answers, then so many of these that they outnumber the threads
of a worker. All in one run, on the same rows: an account that is left out of a phase is paused.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from django.conf import settings

from config.demo import amocrm
from config.demo.errors import DemoFailed
from config.demo.report import table
from config.demo.scenario import environment, scenarios
from config.demo.stage import Stage, a_stage
from config.demo.wire import tell
from config.endings import Ended, listen_for_endings
from tests.benchmarks.ground import a_visit, machine
from tests.torture.cast import THREADS, Cast
from tests.torture.customers import FIRST, Customer, customers_of, make_customers
from tests.torture.watch import Watch

WORKERS = 4
EACH = 5  # healthy accounts in each CRM
DEAD = THREADS + 2  # more than a worker has threads
QUEUE_OF_OTHERS = 500  # waiting in the queues of the dead ones but the first
AT_ONCE = 100  # answers in one POST
SETTLE = 8.0  # seconds until a phase has begun everywhere
PATIENCE = 120.0
MOST = 1.3  # p95 beside the dead ones may be so much of what it is without
ALONE, ONE, MANY = "nobody", "one account", "many accounts"
STATES = """
from accounts import states
from accounts.models import Account
for account in Account.objects.filter(account_id__in={ids!r}, deleted=False):
    {move}
"""
PAUSE, RESUME = "states.pause(account, 'Left out of this phase')", "states.resume(account)"


@dataclass
class Phase:
    """``waits`` in seconds, from the answer's being stored to its lead's being known to be there."""

    beside: str
    waits: list[float] = field(default_factory=list)
    undelivered: int = 0


class Street:
    """Everybody who lives there, and the trickle of answers to the healthy ones."""

    def __init__(
        self, stage: Stage, cast: Cast, healthy: Sequence[Customer], dead: Sequence[Customer]
    ) -> None:
        self.stage, self.cast, self.healthy, self.dead = stage, cast, healthy, dead
        self.watch = Watch(stage.database_url)
        self.number = 0
        self.awake: Sequence[Customer] = dead

    def prepare(self) -> None:
        everybody = [*self.healthy, *self.dead]
        for customer in everybody:
            customer.connect(self.stage)
        self.cast.children.wait(self.all_synced, 60 + 5 * len(everybody), "the lists of all accounts")
        for customer in everybody:
            customer.scenario.save_rule(customer.service)
        say(f"{len(everybody)} accounts are ready")

    def all_synced(self) -> bool:
        found = self.watch.accounts()
        return len(found) == len(self.healthy) + len(self.dead) and all(one.synced for one in found)

    def let_die(self, waiting: int) -> None:
        """Their CRMs take requests and never answer; queues grow."""
        self.wake([])
        for customer in self.dead:
            hang = {"action": "timeout", "host": customer.host, "times": None}
            tell(self.stage.control_url, customer.kind, "faults", **hang)
        for customer in self.dead:
            self.pile_up(customer, waiting if customer is self.dead[0] else QUEUE_OF_OTHERS)

    def pile_up(self, customer: Customer, count: int) -> None:
        for first in range(0, count, AT_ONCE):
            customer.service.post("/answers", [self.visit() for _ in range(min(AT_ONCE, count - first))])

    def visit(self) -> dict[str, Any]:
        self.number += 1
        return a_visit(self.number)

    def wake(self, awake: Sequence[Customer]) -> None:
        """Of the dead ones, these want their leads delivered; the others rest."""
        self.move([one for one in self.awake if one not in awake], PAUSE)
        self.move([one for one in awake if one not in self.awake], RESUME)
        self.awake = awake

    def move(self, customers: Sequence[Customer], move: str) -> None:
        if customers:
            code = STATES.format(ids=[one.id for one in customers], move=move)
            self.cast.children.run("states", "manage.py", "shell", "-c", code)

    def play(self, phase: Phase, seconds: float, rate: float) -> None:
        self.wake({ALONE: self.dead[:0], ONE: self.dead[:1], MANY: self.dead}[phase.beside])
        time.sleep(SETTLE)
        begun = self.now()
        self.trickle(seconds, rate)
        ended = self.now()
        deadline = time.monotonic() + PATIENCE
        while (left := self.left(begun, ended)) and time.monotonic() < deadline:
            time.sleep(0.5)
        phase.undelivered, phase.waits = left, self.waits(begun, ended)

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
        return len(self._rows("d.delivered_at IS NULL", begun, ended))

    def waits(self, begun: Any, ended: Any) -> list[float]:
        return [seconds for (seconds,) in self._rows("d.delivered_at IS NOT NULL", begun, ended)]

    def _rows(self, condition: str, begun: Any, ended: Any) -> list[tuple[Any, ...]]:
        """Of the healthy accounts' deliveries whose answers came in between: how long they took."""
        return self.watch.rows(
            "SELECT extract(epoch FROM d.delivered_at - n.created_at)::float "
            "FROM rules_delivery d JOIN rules_answer n ON n.id = d.answer_id "
            f"WHERE {condition} AND n.account_id = ANY(%s) AND n.created_at BETWEEN %s AND %s",
            [one.id for one in self.healthy],
            begun,
            ended,
        )


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    listen_for_endings()
    try:
        with a_street(chosen) as street:
            street.prepare()
            street.let_die(chosen.waiting)
            return report(chosen, run(street, chosen))
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        return end.status


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="torture neighbours", description=__doc__)
    parser.add_argument("--waiting", type=int, default=20_000, help="in the dead one's queue (%(default)s)")
    parser.add_argument("--seconds", type=float, default=45, help="of each phase (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of the four phases (%(default)s)")
    parser.add_argument("--rate", type=float, default=6, help="answers a second, all together (%(default)s)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes (%(default)s)")
    parser.add_argument("--name", default="neighbours", help="of its database and folder (%(default)s)")
    return parser.parse_args(arguments)


@contextmanager
def a_street(chosen: Namespace) -> Iterator[Street]:
    with a_stage(chosen.name) as stage:
        env = {**environment(stage, scenarios()), "LOG_LEVEL": "WARNING"}
        with Cast(stage, env, settings.BASE_DIR, chosen.workers) as cast:
            cast.open()
            customers = make_customers(stage, EACH, env["JWT_KEY"])
            first = FIRST + len(customers)
            dead = list(customers_of(stage, amocrm.SCENARIO, DEAD, env["JWT_KEY"], first))
            yield Street(stage, cast, customers, dead)


def run(street: Street, chosen: Namespace) -> list[Phase]:
    phases = [Phase(beside) for _ in range(chosen.rounds) for beside in (ALONE, ONE, ALONE, MANY)]
    for phase in phases:
        street.play(phase, chosen.seconds, chosen.rate)
        say(f"beside {phase.beside}: p95 {p95(phase.waits):.2f} s")
    return phases


def report(chosen: Namespace, phases: Sequence[Phase]) -> int:
    """The table; the exit status."""
    found = {beside: together(phases, beside) for beside in (ALONE, ONE, MANY)}
    usual = p95(found[ALONE].waits)
    ratios = {beside: p95(phase.waits) / usual for beside, phase in found.items()}
    rows = [line(phase, ratios[beside]) for beside, phase in found.items()]
    say(
        f"\n{4 * EACH} healthy accounts, {chosen.rate:g} answers/s; {chosen.workers} workers of {THREADS} "
        f"threads; dead: one account with {chosen.waiting} waiting, or {DEAD} accounts; {machine()}\n"
    )
    say(table(("dead beside them", "leads", "p50, s", "p95, s", "most, s", "p95 ratio", "late"), rows))
    late = sum(phase.undelivered for phase in phases)
    return int(late > 0 or max(ratios.values()) > MOST)


def together(phases: Sequence[Phase], beside: str) -> Phase:
    same = [phase for phase in phases if phase.beside == beside]
    waits = [seconds for phase in same for seconds in phase.waits]
    return Phase(beside, waits, sum(phase.undelivered for phase in same))


def line(phase: Phase, ratio: float) -> tuple[str, ...]:
    figures = (median(phase.waits), p95(phase.waits), max(phase.waits))
    shown = (f"{seconds:.2f}" for seconds in figures)
    return (phase.beside, str(len(phase.waits)), *shown, f"{ratio:.2f}", str(phase.undelivered))


def p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1] if len(seconds) > 1 else float("inf")


def say(sentence: str) -> None:
    print(sentence, flush=True)
