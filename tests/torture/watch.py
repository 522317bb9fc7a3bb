"""Looking into the database from outside, past the engine's own code."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.torture.servers import connected

NAME = "torture"  # of our own connections
LOCKS = "-c lock_timeout=2s"
# The one statement that ends a try; the journal's statement before it changes nothing but ``steps``.
SETTLING = "%attempts_made + s.tries%"  # as in rules.delivery.outbox


@dataclass(frozen=True)
class AccountRow:
    pk: int
    customer: str
    state: str
    reason: str
    synced: bool


@dataclass(frozen=True)
class Waiting:
    """A delivery that is not done; ``due_in`` in seconds, its lane's rest included."""

    pk: int
    customer: str
    crm: str
    uid: str
    state: str
    because: str
    due_in: float


class Watch:
    """The server may have been crashed since the last look, which ends the connection that is kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kept: psycopg.Connection | None = None

    def connection(self) -> psycopg.Connection:
        """A new one. It waits for a lock briefly: another one of ours may have it, and we have one thread."""
        return connected(self.url, application_name=NAME, connect_timeout=5, options=LOCKS)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Nothing where the server is away just now."""
        if self.kept is not None:
            with suppress(psycopg.OperationalError):
                return self.kept.execute(query, values or None).fetchall()
            self.kept.close()
            self.kept = None
        with suppress(psycopg.OperationalError):
            self.kept = self.connection()
            return self.kept.execute(query, values or None).fetchall()
        return []

    def states(self) -> Counter[str]:
        return Counter(dict(self.rows("SELECT state, count(*) FROM rules_delivery GROUP BY state")))

    def answers(self) -> int:
        return sum(count for (count,) in self.rows("SELECT count(*) FROM rules_answer"))

    def accounts(self) -> list[AccountRow]:
        found = self.rows(
            "SELECT a.id, a.account_id, a.state, a.state_reason, "
            "a.synced_at IS NOT NULL AND NOT EXISTS (SELECT FROM crm_cache_syncrun r "
            "WHERE r.account_id = a.id AND r.state IN ('waiting', 'running')) "
            "FROM accounts_account a WHERE NOT a.deleted"
        )
        return [AccountRow(*row) for row in found]

    def undone(self) -> list[Waiting]:
        found = self.rows(
            "SELECT d.id, d.owner, a.crm, d.uid, d.state, d.held_because, "
            "extract(epoch FROM greatest(d.due_at, l.rests_until) - now())::float "
            "FROM rules_delivery d JOIN accounts_account a ON a.id = d.account_id "
            "JOIN accounts_lane l ON l.account_id = a.id "
            "WHERE d.state <> 'delivered'"
        )
        return [Waiting(*row) for row in found]

    def sending(self, customer: str) -> list[int]:
        found = self.rows("SELECT id FROM rules_delivery WHERE owner = %s AND state = 'sending'", customer)
        return [pk for (pk,) in found]

    def due(self) -> list[int]:
        """Some of what waits and may go."""
        found = self.rows(
            "SELECT id FROM rules_delivery WHERE state = 'waiting' AND due_at <= now() "
            "ORDER BY due_at LIMIT 50"
        )
        return [pk for (pk,) in found]

    def blocked(self, by: int) -> list[tuple[int, str, bool]]:
        """Who waits for a backend of ours: pid, the worker's name, and whether it is about to settle."""
        return self.rows(
            "SELECT pid, application_name, query LIKE %s FROM pg_stat_activity "
            "WHERE %s = ANY(pg_blocking_pids(pid))",
            SETTLING,
            by,
        )
