"""Fifty processes and one pair of tokens: one exchange a round, and no account lost that could be kept.

A round: the CRM lets the pair expire, and every process needs a fresh one at once, as workers, web and beat
do. Some rounds are disturbed: whoever holds the exchange is killed before or after the CRM's answer has
arrived, or the answer is lost. Where the CRM takes an old refresh token until its successor is used, a second
exchange has to mend that; where it doesn't, the account has to ask for its owner.
"""

from __future__ import annotations

import os
import random
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.conf import settings

from config.demo.amocrm import SCENARIO
from config.demo.browser import Browser
from config.demo.children import Children
from config.demo.environment import EMPTY, Environment, an_environment, connected
from config.demo.errors import DemoFailed
from config.demo.http import look_into, tell
from config.demo.processes import prepare, start_sandboxes, start_web, wait_for_sandboxes, wait_for_web
from config.demo.report import table
from config.demo.scenario import variables_of
from config.demo.service import QuizService
from config.endings import Ended, listen_for_endings
from tests.torture.rounds import Kind, Round
from tests.torture.seats import Seats

EXCHANGE = "POST /oauth2/access_token"
# Nobody waits for the CRM's limit here, and what goes wrong on purpose is not told.
VARIABLES = {"AMOCRM_REQUESTS_PER_SECOND": "0", "DATABASE_POOL": "2", "LOG_LEVEL": "ERROR"}
MOMENT = 0.15  # seconds an exchange takes: long enough for everybody to want it
HOLDING = "state = 'idle in transaction'"
SAVING = "wait_event_type = 'Lock' AND query LIKE 'UPDATE \"accounts_token\"%'"
FAULTS: dict[Kind, dict[str, Any]] = {
    Kind.CALM: {"action": "delay", "delay": MOMENT, "times": None},
    Kind.SAVE: {"action": "delay", "delay": MOMENT, "times": None},
    Kind.ANSWER: {"action": "slow", "delay": 60},
    Kind.LOST: {"action": "reset_after", "delay": MOMENT},
    Kind.SILENT: {"action": "timeout_after"},
}
# Of a hundred rounds, so many are disturbed; of these, one in four at a CRM that drops the old pair at once.
DISTURBED = {Kind.ANSWER: 8, Kind.SAVE: 8, Kind.LOST: 8, Kind.SILENT: 1}
DOOMED = 0.25


class Ordeal:
    """The account, its CRM and everybody's database connections, looked at from outside."""

    def __init__(self, environment: Environment, service: QuizService, seats: Seats) -> None:
        self.environment, self.service, self.seats = environment, service, seats
        usual = settings.DATABASES["default"]
        where = {**usual, "NAME": f"{usual['NAME']}_{environment.name}"}
        # Two, because inside a transaction PostgreSQL goes on telling who did what when it began.
        self.database, self.lock = connected(where), connected(where)

    def play(self, one: Round) -> None:
        """One round; what came of it is noted in it."""
        self.tell("faults/clear")
        self.tell("switches", refresh_grace="strict" if one.strict else "kommo")
        self.tell("faults", path="access_token", **FAULTS[one.kind])
        given, asked = self.given(), self.asked()
        self.tell("expire")
        one.outcomes = self.seats.play(lambda: self.disturb(one.kind, given))
        self.seats.fill()
        one.given, one.asked = self.given() - given, self.asked() - asked
        one.state, one.reason = self.account()

    def disturb(self, kind: Kind, given: int) -> None:
        if kind is Kind.ANSWER:
            until(lambda: self.given() > given, "the exchange")
            self.kill_whoever(HOLDING)
        elif kind is Kind.SAVE:
            # Rows can still be locked, but none be written: the save waits, and dies waiting.
            with self.lock.transaction():
                self.lock.execute("LOCK TABLE accounts_token IN SHARE MODE")
                self.kill_whoever(SAVING)

    def kill_whoever(self, condition: str) -> None:
        seen: list[str] = []

        def found() -> bool:
            rows = self.database.execute(
                "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() "
                f"AND application_name LIKE 'seat-%' AND {condition}"
            ).fetchall()
            seen[:] = [row[0] for row in rows]
            return len(seen) == 1

        until(found, "somebody in the middle of it")
        self.seats.kill(seen[0])

    def account(self) -> tuple[str, str]:
        sql = "SELECT state, state_reason FROM accounts_account WHERE NOT deleted"
        [(state, reason)] = self.database.execute(sql).fetchall()
        return state, reason

    def reconnect(self) -> None:
        """As the account's owner does."""
        self.tell("faults/clear")
        SCENARIO.connect(self.environment, self.service, Browser())

    def given(self) -> int:
        """Pairs that the CRM has given out by now."""
        return int(look_into(self.environment.control_url, SCENARIO.kind, "state")["pairs"])

    def asked(self) -> int:
        return int(
            look_into(self.environment.control_url, SCENARIO.kind, "journal", last=1)["counts"].get(
                EXCHANGE, 0
            )
        )

    def tell(self, operation: str, **arguments: Any) -> None:
        reply = tell(self.environment.control_url, SCENARIO.kind, operation, **arguments)
        if isinstance(reply, dict) and "error" in reply:
            raise DemoFailed(f"The local CRM can't do {operation}: {reply['error']}")


def main(arguments: Sequence[str]) -> int:
    chosen = options(arguments)
    listen_for_endings()
    try:
        with an_ordeal(chosen) as ordeal:
            return report(chosen, run(ordeal, schedule(chosen.rounds, chosen.seed)))
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        return end.status


def options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="tokens", description="Many processes refresh one pair of tokens.")
    parser.add_argument("--processes", type=int, default=50, help="%(default)s")
    parser.add_argument("--rounds", type=int, default=200, help="%(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule (%(default)s)")
    parser.add_argument("--name", default="tokens", help="of its database and folder (%(default)s)")
    parser.add_argument("--template", default=EMPTY, help="the database to copy (%(default)s)")
    return parser.parse_args(arguments)


def schedule(count: int, seed: int) -> list[Round]:
    """Every kind of disturbance occurs, in both kinds of CRM, however few rounds there are."""
    dice = random.Random(seed)
    rounds = [Round(kind, strict) for kind in (Kind.ANSWER, Kind.SAVE, Kind.LOST) for strict in (False, True)]
    for kind, share in DISTURBED.items():
        rounds += [Round(kind, dice.random() < DOOMED) for _ in range(count * share // 100 - 2)]
    if count >= 100:
        rounds += [Round(Kind.SILENT, strict) for strict in (False, True)]
    rounds += [Round(Kind.CALM, dice.random() < 0.5) for _ in range(count - len(rounds))]
    dice.shuffle(rounds)
    return rounds


@contextmanager
def an_ordeal(chosen: Namespace) -> Iterator[Ordeal]:
    with an_environment(chosen.name, chosen.template) as environment:
        variables = {**variables_of(environment, [SCENARIO]), **VARIABLES}
        with Children(environment.folder, settings.BASE_DIR, variables) as children:
            start_sandboxes(environment, children)
            service = QuizService(environment.url, prepare(children))
            start_web(environment, children)
            wait_for_sandboxes(environment, children)
            wait_for_web(environment, children)
            SCENARIO.connect(environment, service, Browser())
            with patch.dict(os.environ, variables), Seats(chosen.processes) as seats:
                ordeal = Ordeal(environment, service, seats)
                ordeal.tell("switches", limits=False)
                yield ordeal


def run(ordeal: Ordeal, rounds: list[Round]) -> list[Round]:
    begun = time.monotonic()
    for number, one in enumerate(rounds, 1):
        ordeal.play(one)
        for complaint in one.complaints():
            say(f"round {number}, {one.kind.value}{', strict' if one.strict else ''}: {complaint}")
        if one.state != "active":
            ordeal.reconnect()
        if number % 50 == 0:
            say(f"{time.monotonic() - begun:6.0f} s  {number} rounds")
    return rounds


def report(chosen: Namespace, rounds: list[Round]) -> int:
    """The table; the exit status."""
    rows = [
        line(
            f"{kind.value}{strict * mark}",
            [one for one in rounds if (one.kind, one.strict) == (kind, strict)],
        )
        for strict, mark in ((False, ""), (True, ", old pair dropped"))
        for kind in Kind
    ]
    heads = ("rounds", "number", "exchanges a round", "requests for one", "end in needs_reconnect")
    say(f"\n{chosen.processes} processes, {len(rounds)} rounds, one account, seed {chosen.seed}\n")
    say(table(heads, [row for row in rows if row[1] != "0"]))
    lost = sum(one.lost for one in rounds)
    wrong = sum(any(one.complaints()) for one in rounds)
    say(f"tokens lost: {lost}; rounds that went wrong: {wrong}")
    return int(bool(lost or wrong))


def line(name: str, rounds: list[Round]) -> tuple[str, ...]:
    given, asked = (sorted({getattr(one, what) for one in rounds}) for what in ("given", "asked"))
    parked = sum(one.state == "needs_reconnect" for one in rounds)
    return (name, str(len(rounds)), span(given), span(asked), str(parked))


def span(values: Sequence[int]) -> str:
    return "-".join(str(value) for value in sorted({*values[:1], *values[-1:]}))


def until(ready: Any, what: str, seconds: float = 20.0) -> None:
    """Raises ``DemoFailed`` where it doesn't come to pass."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise DemoFailed(f"Waited {seconds:.0f} seconds for {what}, in vain.")
        time.sleep(0.01)


def say(sentence: str) -> None:
    print(sentence, flush=True)
