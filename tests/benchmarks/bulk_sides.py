"""The processes of `bulk`, each on its database: `bulk_sides <database> <side>`. A process says when it is
ready, and begins once it is told a number.

    neighbour   takes an answer of a healthy account, claims and settles it, ten times a second, and prints
                when each began and how many seconds it took
    review      what beat asks for, until the account of this number is as its state says
    bulk        a bulk run, until it has ended; both print each statement that was longer than those before
    beat        sweeps, gives events their places, looks for incidents and checks lanes, as often as beat does

Messages to workers are not sent: nobody delivers. The neighbour's lines have the clock of all processes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import celery
import django

django.setup()

from django.db import connection, connections  # noqa: E402

from accounts.events import sending  # noqa: E402
from accounts.models import Account  # noqa: E402
from rules import bulk, incidents  # noqa: E402
from rules.delivery import outbox, sweep  # noqa: E402
from rules.delivery.lane import take_lane  # noqa: E402
from rules.delivery.settlement import Settlement  # noqa: E402
from rules.intake import accept_answers  # noqa: E402
from rules.models import BulkRun, Delivery  # noqa: E402
from tests.benchmarks.ground import a_visit  # noqa: E402

APART = 0.1  # seconds between the neighbour's answers
ROUND = 5.0  # seconds between two rounds of beat
A_MINUTE = 12  # rounds


def neighbour(account_id: int) -> None:
    account = Account.objects.get(pk=account_id)
    quiz, number = account.rules.get().quiz_id, 0
    while True:
        begun, number = time.monotonic(), number + 1
        accept_answers(account.account_id, [{**a_visit(number), "quizID": quiz}])
        lane = take_lane(account.pk)
        if lane is None:
            raise RuntimeError("The lane is somebody else's")
        claimed = outbox.claim(account.pk, 50)
        settle(claimed)
        lane.leave()
        print(begun, time.monotonic() - begun, flush=True)
        time.sleep(max(0.0, APART - (time.monotonic() - begun)))


def settle(claimed: list[int]) -> None:
    """As delivered: what the CRM would have said."""
    rows = list(Delivery.objects.filter(pk__in=claimed))
    outbox.record_steps(
        {row.uid: {"lead": str(row.pk)} for row in rows}, {row.uid: row.claimed_at for row in rows}
    )
    outbox.settle([
        Settlement(
            row.pk, row.claimed_at, Delivery.State.DELIVERED, tries=1, strikes=0, steps={"lead": str(row.pk)},
            remote_id=str(row.pk),
        )
        for row in rows
    ])  # fmt: skip


def review(account_id: int) -> None:
    account = Account.objects.get(pk=account_id)
    left = Delivery.objects.filter(account=account, state="held" if account.usable else "waiting")
    while left.exists():
        rounds(sweep.review)


def run_bulk(run_id: int) -> None:
    """Each message of a run leaves another one behind."""
    while BulkRun.objects.filter(pk=run_id, ended_at=None).exists():
        bulk.go_on(run_id)


def beat(_: int) -> None:
    count = 0
    while True:
        rounds(
            sweep.sweep,
            sending.dispatch,
            *((incidents.look, sweep.check_lanes) if not count % A_MINUTE else ()),
        )
        count += 1


def rounds(*works: Callable[[], object]) -> None:
    begun = time.monotonic()
    for work in works:
        work()
    time.sleep(max(0.0, ROUND - (time.monotonic() - begun)))


SIDES = {"neighbour": neighbour, "review": review, "bulk": run_bulk, "beat": beat}


class Longest:
    """Prints each statement that took longer than those before."""

    seconds = 0.0

    def __call__(self, execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            took = time.perf_counter() - begun
            if took > self.seconds:
                self.seconds = took
                print(took, " ".join(str(statement).split())[:160], flush=True)


def main(database: str, side: str) -> None:
    connections["default"].settings_dict["NAME"] = database
    connection.ensure_connection()
    print("ready", flush=True)
    number = sys.stdin.readline()
    celery.Celery.send_task = lambda *_, **__: None
    told = connection.execute_wrapper(Longest()) if side in ("review", "bulk") else nullcontext()
    try:
        with told:
            SIDES[side](int(number))
    finally:
        connection.close_pool()


if __name__ == "__main__":
    main(*sys.argv[1:])
