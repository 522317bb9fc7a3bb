"""What beat and every list cost beside much history: 100,000 idle accounts, deliveries by the million.

The database is made once and kept for the next run of the same size (``--anew`` makes it again). Half of the
deliveries are one account's. Every task of beat runs once, every list is asked for as its biggest owner, the
admin's with each of their filters. Nothing is sent: messages are only counted.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any

import celery
import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import setup_test_environment

from config.celery import app
from config.demo.report import table
from tests.benchmarks.ground import Figures, machine, say
from tests.benchmarks.history import BIGGEST, QUIZ, SMALL, fill

MOST = 0.3  # seconds of a page, and of beat in a minute
RUNS = 3
Asked = tuple[str, Any]  # a statement and its parameters


@dataclass(frozen=True)
class Cost:
    """Of one page or task: seconds (the median of its runs), queries, its slowest query."""

    name: str
    seconds: float
    queries: int
    slowest: float
    statement: Asked
    a_minute: float = 0.0

    def row(self) -> tuple[str, ...]:
        often = f"{self.seconds * self.a_minute:.3f}" if self.a_minute else ""
        told = (f"{self.seconds:.3f}", often, str(self.queries), f"{self.slowest:.3f}")
        return (self.name, *told, "" if self.seconds <= MOST else "SLOW")


def main(arguments: list[str]) -> Figures:
    chosen = options(arguments)
    use_database(chosen)
    setup_test_environment()
    with no_messages():
        tasks = [measure(name, act, 60 / every) for name, act, every in beat()]
        pages = [measure(name, act) for name, act in [*rest(), *admin()]]
    say(f"\n{chosen.accounts} accounts, {chosen.deliveries} deliveries; {machine()}\n")
    head = ("what", "seconds", "a minute", "queries", "slowest query", "")
    say(table(head, [cost.row() for cost in [*tasks, *pages]]))
    if chosen.explain:
        explain([cost for cost in [*tasks, *pages] if cost.slowest > chosen.explain])
    a_minute = sum(cost.seconds * cost.a_minute for cost in tasks)
    worst = max(pages, key=lambda cost: cost.seconds)
    of = f"{chosen.accounts:,} idle accounts and {chosen.deliveries:,} deliveries"
    return [
        (f"beat, seconds a minute beside {of}", f"{a_minute:.2f}"),
        (f"slowest of {len(pages)} lists and pages beside {of}", f"{worst.seconds:.2f} s ({worst.name})"),
    ]


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000, help="idle ones (%(default)s)")
    parser.add_argument("--deliveries", type=int, default=1_000_000, help="in all (%(default)s)")
    parser.add_argument("--anew", action="store_true", help="make the database again")
    parser.add_argument("--explain", type=float, default=0.0, help="plans of queries slower than this")
    return parser.parse_args(arguments)


def use_database(chosen: Namespace) -> None:
    """The one of this size, filled if it is not there yet."""
    database = connections["default"].settings_dict
    name = f"{database['NAME']}_scale_{chosen.accounts}_{chosen.deliveries}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        there = bool(cursor.fetchone()[0])
        if chosen.anew and there:
            cursor.execute(f'DROP DATABASE "{name}"')
        if chosen.anew or not there:
            cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    connection.close_pool()
    database["NAME"] = name
    call_command("migrate", verbosity=0)
    if chosen.anew or not there:
        begun = time.monotonic()
        fill(chosen.accounts, chosen.deliveries)
        say(f"Stored in {time.monotonic() - begun:.0f} s")


@contextmanager
def no_messages() -> Iterator[None]:
    send = celery.Celery.send_task
    celery.Celery.send_task = lambda *_, **__: None
    try:
        yield
    finally:
        celery.Celery.send_task = send


def beat() -> Iterator[tuple[str, Callable[[], Any], float]]:
    """(name, task, seconds between two runs)."""
    for entry in app.conf.beat_schedule.values():
        module, _, name = entry["task"].rpartition(".")
        yield f"beat: {name}", getattr(import_module(module), name), entry["schedule"]


def rest() -> Iterator[tuple[str, Callable[[], Any]]]:
    for owner in (BIGGEST, SMALL):
        claims = {settings.JWT_ACCOUNT_CLAIM: owner, "exp": time.time() + 86_400}
        token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
        client = Client(headers={"Authorization": f"Bearer {token}"})
        for path in LISTS:
            yield f"{owner}: {path}", asking(client, path)


LISTS = (
    "/accounts", "/deliveries",
    "/deliveries?page=2000", f"/deliveries?quizID={QUIZ}",
    "/deliveries?crm=amocrm", "/deliveries?crm=solos", "/deliveries?from=2026-01-01",
    "/deliveries?from=2030-01-01",
    "/deliveries?to=2020-01-01",
    *(f"/deliveries?state={state}" for state in ("waiting", "sending", "delivered", "held")),
    f"/deliveries?quizID={QUIZ}&state=held", f"/deliveries?quizID={QUIZ}&state=sending",
    "/deliveries?crm=solos&state=delivered",
    "/outcomes", "/outcomes?page=2000", f"/outcomes?quizID={QUIZ}", "/outcomes?crm=solos",
    "/outcomes?from=2030-01-01", *(f"/outcomes?status={status}" for status in ("open", "won", "lost")),
)  # fmt: skip


def admin() -> Iterator[tuple[str, Callable[[], Any]]]:
    user, _ = get_user_model().objects.get_or_create(username="scale", is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(user)
    for path in PAGES:
        yield f"admin: {path}", asking(client, f"/admin/{path}")


DAYS = "created_at_from=2026-01-01&created_at_to=2026-01-02"
PAGES = (
    "",
    "rules/delivery/", "rules/delivery/?p=50",
    *(f"rules/delivery/?state__exact={state}" for state in ("waiting", "sending", "delivered", "held")),
    "rules/delivery/?held_because__exact=look_first", "rules/delivery/?held_because__exact=reconnect",
    "rules/delivery/?account__crm__exact=amocrm", "rules/delivery/?account__crm__exact=solos",
    "rules/delivery/?account__id__exact=1", "rules/delivery/?account__id__exact=1&state__exact=held",
    f"rules/delivery/?quiz_account={BIGGEST}", f"rules/delivery/?quiz={QUIZ}", f"rules/delivery/?{DAYS}",
    f"rules/delivery/?state__exact=held&{DAYS}", "rules/delivery/?q=qz0000000000000001",
    "rules/answer/", "rules/answer/?planned=no", "rules/answer/?planned=yes",
    f"rules/answer/?quiz_account={BIGGEST}", f"rules/answer/?quiz={QUIZ}", f"rules/answer/?{DAYS}",
    "rules/answer/?q=a1",
    "rules/outcome/", "rules/outcome/?status__exact=won", "rules/outcome/?status__exact=lost",
    "rules/outcome/?trail=gone", "rules/outcome/?trail=unfound", "rules/outcome/?trail=failing",
    "rules/outcome/?trail=hand", f"rules/outcome/?quiz_account={BIGGEST}", f"rules/outcome/?quiz={QUIZ}",
    f"rules/outcome/?{DAYS}", "rules/outcome/?q=1",
    "rules/rule/", "rules/rule/?problems=yes", f"rules/rule/?quiz={QUIZ}", "rules/rule/?q=1",
    "accounts/account/", "accounts/account/?attention=person", "accounts/account/?attention=silent",
    "accounts/account/?state__exact=paused", "accounts/account/?crm__exact=solos",
    f"accounts/account/?quiz_account={BIGGEST}", "accounts/account/?q=q77", "accounts/account/1/change/",
)  # fmt: skip


def asking(client: Client, path: str) -> Callable[[], Any]:
    def ask() -> None:
        reply = client.get(path)
        if reply.status_code >= 400:
            raise RuntimeError(f"{path} answered {reply.status_code}: {reply.content[:300]!r}")

    return ask


def measure(name: str, act: Callable[[], Any], a_minute: float = 0.0) -> Cost:
    found = [_measured(act) for _ in range(RUNS)]
    seconds, queries, (slowest, statement) = min(found, key=lambda one: abs(one[0] - median(_times(found))))
    return Cost(name, seconds, queries, slowest, statement, a_minute)


def _times(found: list[Any]) -> list[float]:
    return [one[0] for one in found]


def _measured(act: Callable[[], Any]) -> tuple[float, int, tuple[float, Asked]]:
    spent: list[tuple[float, Asked]] = []

    def timed(execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            spent.append((time.perf_counter() - begun, (statement, params)))

    begun = time.perf_counter()
    with connection.execute_wrapper(timed):
        act()
    return (
        time.perf_counter() - begun,
        len(spent),
        max(spent, key=lambda one: one[0], default=(0.0, ("", ()))),
    )


def explain(costs: list[Cost]) -> None:
    for cost in costs:
        statement, params = cost.statement
        say(f"\n{cost.name}: {cost.slowest:.3f} s\n{statement[:2000]}")
        with connection.cursor() as cursor:
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", params)
                say("\n".join(line[:160] for (line,) in cursor.fetchall()[:40]))


if __name__ == "__main__":
    main(sys.argv[1:])
