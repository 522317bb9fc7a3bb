"""One account with a million deliveries: parked, let go, tried again by a person and cancelled, as a whole.

Each move is done by a process of its own, as a worker does it, which is killed in the middle; another one
goes on. Meanwhile a healthy account takes, claims and settles an answer ten times a second, whose way through
the database is timed before and during the move, and beat does what it does every few seconds. After a move
every row is looked at: all that was to be moved was, once, and nothing else.

How long statements took is PostgreSQL's own word where it counts them (``pg_stat_statements``), else the
moving process's, which waits for the processor, too. Raises ``RuntimeError`` where a row is not as it should
be.
"""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from accounts import states
from accounts.events import feed
from accounts.events.models import Event, NewEvent
from accounts.models import Account
from config.demo.environment import database_of
from config.demo.errors import DemoFailed
from config.demo.report import table
from rules import bulk
from rules.models import BulkRun, Delivery, Rule
from tests.benchmarks.ground import Figures, machine, say

MOST_SECONDS, MOST_RATIO = 1.0, 1.3
FEWEST = 20  # answers of the neighbour that say anything
BIG, BYSTANDER, NEIGHBOUR = 1, 2, 3  # accounts
Action = BulkRun.Action


@dataclass(frozen=True)
class Move:
    """``begin`` asks for it and says the number by which a side of `bulk_sides` does it. ``want`` is how each
    delivery is then, ``told`` the event that each of them has written."""

    name: str
    side: str
    begin: Callable[[], int]
    want: dict[str, Any]
    told: str


@dataclass(frozen=True)
class Moved:
    """Seconds: of the whole move, of its longest statement, and the 95th percentile of the neighbour's."""

    name: str
    seconds: float
    longest: float
    statement: str
    before: float
    during: float

    @property
    def ratio(self) -> float:
        return self.during / self.before

    def row(self, deliveries: int) -> tuple[str, ...]:
        fine = self.longest <= MOST_SECONDS and self.ratio <= MOST_RATIO
        figures = (
            f"{self.seconds:.0f}", f"{deliveries / self.seconds:,.0f}", f"{self.longest:.2f}",
            f"{self.before * 1000:.1f}", f"{self.during * 1000:.1f}", f"{self.ratio:.2f}",
        )  # fmt: skip
        return (self.name, *figures, "" if fine else "OVER")


@dataclass(frozen=True)
class Child:
    """A process of `bulk_sides` and the file that it writes to."""

    side: str
    place: Path
    process: subprocess.Popen[bytes]

    def begin(self, number: int) -> None:
        """Once it is ready, so that nobody is disturbed by its start."""
        while not self.place.read_text():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.side} did not start")
            time.sleep(0.1)
        stdin = self.process.stdin
        if stdin:
            stdin.write(f"{number}\n".encode())
            stdin.flush()

    def kill(self) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.side} ended by itself, with {self.process.returncode}")
        self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        if self.process.wait():
            raise RuntimeError(f"{self.side} ended with {self.process.returncode}")


HEAD = ("move", "seconds", "a second", "longest statement", "neighbour before, ms", "during", "ratio", "")


def main(arguments: list[str]) -> Figures:
    parser = ArgumentParser(description="All deliveries of one account are moved, others work on.")
    parser.add_argument("--deliveries", type=int, default=1_000_000, help="of the account (%(default)s)")
    parser.add_argument("--before", type=float, default=30.0, help="undisturbed seconds (%(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        with database_of("bulk"), on_database("bulk"), TemporaryDirectory() as folder:
            moved = Bulk(chosen.deliveries, chosen.before, Path(folder)).run()
    except DemoFailed as exc:
        sys.exit(str(exc))
    rows = [one.row(chosen.deliveries) for one in moved]
    say(f"\n{chosen.deliveries:,} deliveries of one account, each move killed in the middle; {machine()}\n")
    say(table(HEAD, rows))
    say("\n".join(f"{one.name}, {one.longest:.2f} s: {one.statement}" for one in moved))
    longest, worst = max(moved, key=lambda one: one.longest), max(moved, key=lambda one: one.ratio)
    of = f"of {chosen.deliveries:,} deliveries of one account, each killed in the middle"
    return [
        (
            f"parking, release, retry and cancelling {of}: seconds",
            ", ".join(f"{one.seconds:.0f}" for one in moved),
        ),
        ("their longest statement", f"{longest.longest:.2f} s ({longest.name})"),
        (
            "a healthy account's p95 through the database meanwhile, beside that before",
            f"{worst.ratio:.2f} at most ({worst.name}; {worst.before * 1000:.1f} ms before)",
        ),
    ]


class Bulk:
    """The run, on the database ``quiz_crm_bulk``."""

    def __init__(self, deliveries: int, before: float, folder: Path) -> None:
        self.deliveries, self.before, self.folder = deliveries, before, folder
        self.children = 0

    def run(self) -> list[Moved]:
        call_command("migrate", verbosity=0)
        fill(self.deliveries)
        with self.child("neighbour") as neighbour, self.child("beat") as beat:
            neighbour.begin(NEIGHBOUR), beat.begin(0)
            return [self.measure(move, neighbour.place) for move in moves()]

    def measure(self, move: Move, timed: Path) -> Moved:
        if move.name == "retry":
            refuse()
        tidy()
        with self.child(move.side) as killed, self.child(move.side) as other:
            bystander = state_of(BYSTANDER)
            quiet = time.monotonic()
            time.sleep(self.before)
            forget_statements()
            since, begun = newest_event(), time.monotonic()
            number = move.begin()
            killed.begin(number)
            self.wait_for(self.deliveries // 2, move.want)
            killed.kill()
            after = time.monotonic() - begun
            other.begin(number)
            other.wait()
            ended = time.monotonic()
            longest, statement = longest_statement() or longest_told(killed.place, other.place)
        self.check(move, number, since, bystander)
        ways = read(timed)
        before, during = (
            [took for at, took in ways if first < at < last]
            for first, last in ((quiet, begun), (begun, ended))
        )
        say(f"{move.name}: killed after {after:.0f} s, ended after {ended - begun:.0f} s")
        return Moved(move.name, ended - begun, longest, statement, p95(before), p95(during))

    @contextmanager
    def child(self, side: str) -> Iterator[Child]:
        """A process that is ready to begin, and is killed at the block's end."""
        self.children += 1
        place = self.folder / f"{side}-{self.children}"
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.bulk_sides",
            connection.settings_dict["NAME"],
            side,
        ]
        with (
            place.open("wb") as out,
            subprocess.Popen(command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=out) as process,
        ):
            try:
                yield Child(side, place, process)
            finally:
                process.kill()

    def wait_for(self, number: int, want: dict[str, Any]) -> None:
        """Deliveries are moved in the order of their keys."""
        while not Delivery.objects.filter(pk=number, **want).exists():
            time.sleep(0.2)

    def check(self, move: Move, number: int, since: int, bystander: str) -> None:
        """Raises ``RuntimeError`` where anything is not as it should be."""
        newest_event()
        mine = Delivery.objects.filter(account=BIG)
        found = {
            "deliveries": mine.count(),
            "as they should be": mine.filter(**move.want).count(),
            "events": Event.objects.filter(owner="big", type=move.told, id__gt=since).count(),
        }
        if move.side == "bulk":
            run = BulkRun.objects.get(pk=number)
            found |= {"moved by the run": run.moved, "histories": LogEntry.objects.count()}
            LogEntry.objects.all().delete()
        wrong = {what: count for what, count in found.items() if count != self.deliveries}
        if wrong or state_of(BYSTANDER) != bystander:
            raise RuntimeError(f"{move.name}: {wrong or 'another account was moved, too'}")


def moves() -> list[Move]:
    waiting, again = {"state": "waiting", "held_because": ""}, {"strikes": 0, "first_failed_at": None}
    return [
        Move("park", "review", pause, {"state": "held", "held_because": "paused"}, "delivery.held"),
        Move("release", "review", resume, {**waiting, **again}, "delivery.released"),
        Move("retry", "bulk", lambda: ask(Action.RETRY), {**waiting, **again}, "delivery.released"),
        Move(
            "cancel", "bulk", lambda: ask(Action.CANCEL), {"state": "held", "held_because": "cancelled"},
            "delivery.held",
        ),
    ]  # fmt: skip


def pause() -> int:
    states.pause(Account.objects.get(pk=BIG), "Measured")
    return BIG


def resume() -> int:
    states.resume(Account.objects.get(pk=BIG))
    return BIG


def ask(action: Action) -> int:
    """As a person asks for it on the list of deliveries."""
    person, _ = get_user_model().objects.get_or_create(username="bulk", is_superuser=True, is_staff=True)
    return bulk.begin(action, f"account__id__exact={BIG}", [], person, 0, True).pk


@contextmanager
def on_database(name: str) -> Iterator[None]:
    """The block's connections are to this run's database."""
    usual = connections["default"].settings_dict
    before = usual["NAME"]
    connection.close()
    connection.close_pool()
    usual["NAME"] = f"{before}_{name}"
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()
        usual["NAME"] = before


# -- what is stored ------------------------------------------------------------------------------------------


def fill(deliveries: int) -> None:
    """The account's deliveries wait, the bystander's are of both kinds, the neighbour has none yet."""
    begun = time.monotonic()
    for number, owner in ((BIG, "big"), (BYSTANDER, "bystander"), (NEIGHBOUR, "neighbour")):
        account = Account.objects.create(
            pk=number,
            account_id=owner,
            crm="amocrm",
            state="active",
            remote_id=owner,
            host=f"{owner}.amocrm.ru",
        )
        Rule.objects.create(pk=number, account=account, quiz_id=1000 + number)
    with without_triggers() as cursor:
        for statement in STORED:
            cursor.execute(statement, {"rows": deliveries, "few": 1000, "big": BIG, "other": BYSTANDER})
    say(f"Stored in {time.monotonic() - begun:.0f} s")


def refuse() -> None:
    """What was let go is refused by the CRM: a person tries it again."""
    with without_triggers() as cursor:
        cursor.execute(REFUSED, [BIG])


@contextmanager
def without_triggers() -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role TO replica")
        yield cursor
        cursor.execute("RESET session_replication_role")


def tidy() -> None:
    """As autovacuum leaves tables once they are at rest."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) rules_delivery, accounts_newevent, accounts_event, accounts_lane")
        cursor.execute("CHECKPOINT")


STORED = (
    """
INSERT INTO rules_answer (id, account_id, quiz_id, answer_id, payload, digest, contact_keys, created_at)
SELECT g, CASE WHEN g <= %(rows)s THEN 'big' ELSE 'bystander' END,
    1000 + CASE WHEN g <= %(rows)s THEN %(big)s ELSE %(other)s END, 'a' || g,
    jsonb_build_object('contact', jsonb_build_object('name', 'Anna', 'phone', '+7' || (9000000000 + g))),
    md5(g::text) || md5(g::text), array['phone:+7' || (9000000000 + g)], now() - interval '1 hour'
FROM generate_series(1, %(rows)s + %(few)s) g
""",
    """
INSERT INTO rules_delivery (id, answer_id, rule_id, account_id, owner, quiz_id, uid, state, held_because,
    due_at, attempts_made, strikes, look_first, contact_keys, steps, losses, remote_id, remote_link,
    error_code, error, remedy, created_at, updated_at)
SELECT id, id, quiz_id - 1000, quiz_id - 1000, account_id, quiz_id, 'qz' || lpad(id::text, 16, '0'), s,
    CASE s WHEN 'held' THEN 'refused' ELSE '' END, now() - interval '1 hour', 1, 1, false, contact_keys, '{}',
    '[]', '', '', '', '', '', created_at, created_at
FROM rules_answer,
    LATERAL (SELECT CASE WHEN account_id = 'bystander' AND id %% 2 = 0 THEN 'held' ELSE 'waiting' END AS s) t
""",
    "SELECT setval(pg_get_serial_sequence('rules_answer', 'id'), %(rows)s + %(few)s)",
    "SELECT setval(pg_get_serial_sequence('rules_delivery', 'id'), %(rows)s + %(few)s)",
    "SELECT setval(pg_get_serial_sequence('accounts_account', 'id'), 100)",
    "UPDATE accounts_lane SET next_due = now() - interval '1 hour' WHERE account_id IN (%(big)s, %(other)s)",
)
REFUSED = """
UPDATE rules_delivery SET state = 'held', held_because = 'refused', error_code = 'refused', strikes = 3,
    first_failed_at = now() - interval '1 hour' WHERE account_id = %s
"""


def state_of(account: int) -> str:
    """A fingerprint of its deliveries, every column of them."""
    return asked(
        "SELECT md5(string_agg(d::text, ' ' ORDER BY id)) FROM rules_delivery d WHERE account_id = %s",
        account,
    )


def asked(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def newest_event() -> int:
    """Its place in the feed, once all have one."""
    while NewEvent.objects.exists():
        feed.number() or time.sleep(0.1)
    return feed.newest()


# -- what is measured ----------------------------------------------------------------------------------------


def p95(seconds: list[float]) -> float:
    if len(seconds) < FEWEST:
        raise RuntimeError(f"{len(seconds)} answers of the neighbour say nothing: more deliveries are needed")
    return quantiles(seconds, n=20)[-1]


def read(timed: Path) -> list[tuple[float, float]]:
    """(when it began, how long it took) of each of the neighbour's answers."""
    lines = timed.read_text().splitlines()[1:-1]  # the first says "ready", the last may be half written
    return [(float(at), float(took)) for at, took in map(str.split, lines)]


def forget_statements() -> None:
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        cursor.execute("SELECT pg_stat_statements_reset()")


def longest_statement() -> tuple[float, str] | None:
    """Of all processes since then; None where PostgreSQL doesn't count them."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute(LONGEST)
        seconds, statement = cursor.fetchone()
        return seconds, " ".join(statement.split())[:160]
    return None


LONGEST = """
SELECT max_exec_time / 1000, query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() ORDER BY 1 DESC LIMIT 1
"""


def longest_told(*places: Path) -> tuple[float, str]:
    lines = [line.partition(" ") for place in places for line in place.read_text().splitlines()[1:]]
    return max((float(seconds), statement) for seconds, _, statement in lines)
