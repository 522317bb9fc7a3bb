"""What beat and every list cost beside much history: 100,000 idle accounts, deliveries by the million.

The database is made once and kept for the next run of the same size (``--anew`` makes it again). Half of the
deliveries are one account's. Every task of beat runs, every list is asked for with each of its filters and
each two of them, as the quiz account with most rows and as a small one, and the admin's likewise. Nothing is
sent.

``cpu`` is what this process and the database's spent, so that other work on the machine does not count: the
mean of the runs. ``seconds`` is how long it took, the best of them. What a process remembers for some seconds
(counts) is forgotten before each run.
"""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import celery
import jwt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from accounts.models import Account
from config.celery import app
from config.demo.report import table
from rules import figures, incidents
from tests.benchmarks.ground import Figures, machine, say
from tests.benchmarks.history import BIGGEST, QUIZ, SMALL, fill

MOST = 0.3  # seconds of a page, and of beat in a minute
RUNS = 3
DAY = date.today() - timedelta(days=40)
DAYS_A_MINUTE = sum(
    timedelta(minutes=1) / (figures.SOONEST + ago * figures.LATER) for ago in range(figures.DAYS)
)
TICKS = os.sysconf("SC_CLK_TCK")
Asked = tuple[str, Any]  # a statement and its parameters


@dataclass(frozen=True)
class Cost:
    """Of one page or task, in seconds: the processor's, of the best run, of its slowest query."""

    name: str
    cpu: float
    seconds: float
    queries: int
    slowest: float
    statement: Asked
    a_minute: float = 0.0

    def row(self) -> tuple[str, ...]:
        often = f"{self.cpu * self.a_minute:.3f}" if self.a_minute else ""
        told = (f"{self.cpu:.3f}", often, f"{self.seconds:.3f}", str(self.queries), f"{self.slowest:.3f}")
        return (self.name, *told, "" if self.cpu <= MOST else "SLOW")


def main(arguments: list[str]) -> Figures:
    chosen = options(arguments)
    use_database(chosen)
    settings.METRICS_TOKEN = "scale"
    settings.ALLOWED_HOSTS = ["testserver"]
    with no_messages():
        tasks = [measure(*task, warm=True) for task in beat() if chosen.only in task[0]]
        pages = [measure(name, act) for name, act in [*rest(), *admin()] if chosen.only in name]
    costs = [*tasks, *pages]
    say(f"\n{chosen.accounts} accounts, {chosen.deliveries} deliveries; {machine()}\n")
    head = ("what", "cpu", "a minute", "seconds", "queries", "slowest query", "")
    say(table(head, [cost.row() for cost in costs if cost.a_minute or cost.cpu >= chosen.above]))
    if chosen.explain:
        explain([cost for cost in costs if cost.slowest > chosen.explain])
    if not tasks or not pages:
        return []
    a_minute = sum(cost.cpu * cost.a_minute for cost in tasks)
    worst = max(pages, key=lambda cost: cost.cpu)
    of = f"{chosen.accounts:,} idle accounts and {chosen.deliveries:,} deliveries"
    return [
        (f"beat, seconds of processor a minute beside {of}", f"{a_minute:.2f}"),
        (
            f"of {len(pages)} lists and pages beside {of}: over {MOST} s, the slowest",
            f"{sum(cost.cpu > MOST for cost in pages)}, {worst.cpu:.2f} s ({worst.name})",
        ),
    ]


def options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000, help="idle ones (%(default)s)")
    parser.add_argument("--deliveries", type=int, default=1_000_000, help="in all (%(default)s)")
    parser.add_argument("--anew", action="store_true", help="make the database again")
    parser.add_argument("--only", default="", help="what has these words in its name")
    parser.add_argument("--above", type=float, default=0.0, help="tell only of pages that cost more")
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
    if not Account.objects.exists():
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
    """(name, task, how often a minute)."""
    for entry in app.conf.beat_schedule.values():
        module, _, name = entry["task"].rpartition(".")
        yield f"beat: {name}", getattr(import_module(module), name), 60 / entry["schedule"]
    day = partial(figures.has_changed, DAY)
    yield "beat: a day that falls due and has not changed", day, DAYS_A_MINUTE
    yield "beat: which quizzes fell silent", incidents._quiet, 60 / incidents.QUIET_KEPT


LATELY = {"from": str(DAY), "to": str(DAY + timedelta(days=1))}
SINCE, EMPTY, BEFORE = {"from": str(DAY)}, {"from": "2040-01-01"}, {"to": "2020-01-01"}
IN_TIME: list[dict[str, Any]] = [LATELY, SINCE, EMPTY, BEFORE]
PERSON: list[dict[str, Any]] = [
    {"phone": "+79000000002"},
    {"email": "nobody@example.ru"},
    {"answerID": "a2"},
]
COMMON: list[dict[str, Any]] = [
    {"order": "oldest"},
    {"page": 2000},
    {"quizID": QUIZ},
    {"crm": "amocrm"},
    {"crm": "bitrix24"},  # the biggest account's is this one; the other is not connected
    *IN_TIME,
]
FILTERS: dict[str, list[dict[str, Any]]] = {
    "/accounts": [],
    "/rules": [{"order": "oldest"}, {"quizID": QUIZ}, {"crm": "bitrix24"}],
    "/answers": [{"order": "oldest"}, {"page": 2000}, {"quizID": QUIZ}, *IN_TIME, *PERSON],
    "/deliveries": [
        *COMMON,
        *PERSON,
        *({"state": state} for state in ("waiting", "sending", "delivered", "held")),
        *({"heldBecause": because} for because in ("refused", "look_first", "reconnect")),
        {"changedFrom": str(DAY)},
        {"changedFrom": "2040-01-01"},
    ],
    "/conversion": [{"by": "day"}, {"by": "person"}, {"by": "source"}, {"from": str(DAY)}, {"quizID": QUIZ}],
    "/events": [{"types": "delivery.held"}],
    "/reconciliations": [],
    "/outcomes": [
        *COMMON,
        *({"status": status} for status in ("open", "won", "lost")),
        {"changedFrom": str(DAY)},
        {"changedFrom": "2040-01-01"},
    ],
}


def rest() -> Iterator[tuple[str, Callable[[], Any]]]:
    for owner in (BIGGEST, SMALL):
        claims = {settings.JWT_ACCOUNT_CLAIM: owner, "exp": time.time() + 86_400}
        token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
        client = Client(headers={"Authorization": f"Bearer {token}"})
        for path, filters in FILTERS.items():
            for chosen in choices(filters, 2 if owner == BIGGEST else 1):
                address = f"{path}?{urlencode(chosen)}" if chosen else path
                yield f"{owner}: {address}", asking(client, address)


def choices(filters: list[dict[str, Any]], most: int) -> Iterator[dict[str, Any]]:
    """No filter, each one, and each two (up to ``most``) that say nothing of the same."""
    for count in range(most + 1):
        for some in combinations(filters, count):
            if len({name for one in some for name in one}) == sum(map(len, some)):
                yield {name: value for one in some for name, value in one.items()}


def admin() -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "metrics", asking(Client(headers={"Authorization": "Bearer scale"}), "/metrics")
    user, _ = get_user_model().objects.get_or_create(username="scale", is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(user)
    for path, filters in PAGES.items():
        for chosen in choices(filters, 2):
            address = f"{path}?{urlencode(chosen)}" if chosen else path
            yield f"admin: {address}", asking(client, f"/admin/{address}")


DAYS = {"created_at_from": str(DAY), "created_at_to": str(DAY)}
OWNED = [{"quiz_account": BIGGEST}, {"quiz": QUIZ}, DAYS]
OF_ACCOUNT = [
    {"account__crm__exact": "bitrix24"},
    {"account__crm__exact": "solos"},
    {"account__id__exact": 1},
]
PAGES: dict[str, list[dict[str, Any]]] = {
    "": [],
    "search/": [{"s": term} for term in ("a2", "2", "qz0000000000000002", "+79000000002", "Anna", "q77")],
    "rules/delivery/": [
        *({"state__exact": state} for state in ("waiting", "sending", "delivered", "held")),
        *({"held_because__exact": because} for because in ("look_first", "refused", "reconnect")),
        *OF_ACCOUNT,
        *OWNED,
        *({"q": term} for term in ("a2", "2", "qz0000000000000002", "+79000000002", "Anna")),
    ],
    "rules/answer/": [{"planned": "no"}, {"planned": "yes"}, *OWNED, {"q": "a1"}],
    "rules/outcome/": [
        *({"status__exact": status} for status in ("won", "lost")),
        *({"trail": trail} for trail in ("gone", "unfound", "failing", "hand")),
        *OF_ACCOUNT,
        *OWNED,
        {"q": "1"},
    ],
    "rules/outcome/conversion/": [
        *({"period": period} for period in ("1", "90", "all")),
        *({"by": by} for by in ("person", "source")),
        {"crm": "bitrix24"}, {"owner": BIGGEST}, {"quiz": QUIZ}, {"account": 1},
    ],
    "rules/outcome/reports/": [{"period": "90"}, {"crm": "bitrix24"}, {"account": 1}, {"quiz": QUIZ}],
    "rules/bulkrun/": [],
    "rules/reconciliation/": [],
    "rules/rule/": [
        {"problems": "yes"}, {"problems": "no"}, {"deleted__exact": "0"}, {"deleted__exact": "1"},
        {"quiz": QUIZ}, {"account__id__exact": 1}, {"q": QUIZ}, {"q": "q77"},
    ],
    "rules/incident/": [
        {"open": "yes"}, {"open": "no"}, {"kind__exact": "refused"}, {"account__id__exact": 1},
    ],
    "accounts/account/": [
        {"attention": "person"}, {"attention": "silent"}, {"state__exact": "paused"},
        {"crm__exact": "solos"}, {"quiz_account": BIGGEST}, {"q": "q77"}, {"q": "nowhere"},
    ],
    "accounts/account/1/change/": [],
    "rules/rule/1/change/": [],
    "rules/delivery/2/change/": [],
    "crm_cache/syncrun/": [],
}  # fmt: skip


def asking(client: Client, path: str) -> Callable[[], Any]:
    def ask() -> None:
        reply = client.get(path)
        if reply.status_code >= 400:
            raise RuntimeError(f"{path} answered {reply.status_code}: {reply.content[:300]!r}")

    return ask


def measure(name: str, act: Callable[[], Any], a_minute: float = 0.0, warm: bool = False) -> Cost:
    """``warm``: a process that has done it before does it again."""
    if warm:
        act()
    begun, found = spent(), []
    for _ in range(RUNS):
        if not warm:
            cache.clear()
        found.append(_measured(act))
    cpu = (spent() - begun) / RUNS
    seconds, queries, (slowest, statement) = min(found, key=lambda one: one[0])
    return Cost(name, cpu, seconds, queries, slowest, statement, a_minute)


def spent() -> float:
    """Seconds of processor of this process and, where it is on this machine, of the database with all that it
    has ever started."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        server = int(_stat(backend)[1])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        ticks = [int(number) for number in _stat(server)[11:15]]
        ticks += [int(number) for child in children for number in _stat(int(child))[11:13]]
    except OSError:
        ticks = [0]
    return time.process_time() + sum(ticks) / TICKS


def _stat(pid: int) -> list[str]:
    """From the state on: the parent is the second, the clock ticks are from the twelfth on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _measured(act: Callable[[], Any]) -> tuple[float, int, tuple[float, Asked]]:
    asked: list[tuple[float, Asked]] = []

    def timed(execute: Any, statement: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            asked.append((time.perf_counter() - begun, (statement, params)))

    begun = time.perf_counter()
    with connection.execute_wrapper(timed):
        act()
    seconds = time.perf_counter() - begun
    return seconds, len(asked), max(asked, key=lambda one: one[0], default=(0.0, ("", ())))


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
