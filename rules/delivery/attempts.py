"""The attempts of a delivery: what was tried, what was said both ways. Redacted before it gets here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from accounts import db_statement
from accounts.db_retry import patiently
from connectors.draft import Receipt
from connectors.errors import ConnectorError
from connectors.messages import message, to_column
from rules.delivery.settlement import OUR_BUG, worker_died
from rules.models import Delivery


def write(started_at: datetime, tries: Sequence[tuple[Delivery, Receipt | ConnectorError]]) -> None:
    """One row for each delivery of a batch, in one statement; once, also where the database breaks off.

    The rows travel as one document: quoting arrays of texts took longer than all else of a settlement.
    """
    seconds = round((timezone.now() - started_at).total_seconds(), 3)
    rows = db_statement.document([_row(delivery, outcome) for delivery, outcome in tries])
    try:
        db_statement.run(WRITE, [started_at, seconds, rows])
    except (OperationalError, InterfaceError):  # they may be there all the same
        connection.close()
        patiently(partial(db_statement.run, WRITE + UNLESS_THERE, [started_at, seconds, rows, started_at]))


def write_died(rows: Iterable[Delivery]) -> None:
    """The tries of workers that died while they sent these; what was not begun was no try."""
    batches: dict[datetime, list[tuple[Delivery, Receipt | ConnectorError]]] = defaultdict(list)
    for row in rows:
        if row.write_begun_at and row.claimed_at:
            batches[row.claimed_at].append((row, worker_died()))
    for claimed_at, tries in batches.items():
        write(claimed_at, tries)


WRITE = """
INSERT INTO rules_attempt (delivery_id, number, started_at, seconds, outcome, code, message, exchanges)
SELECT delivery, number, %s, %s, outcome, code, message, exchanges
FROM jsonb_to_recordset(%s::jsonb)
     AS t(delivery bigint, number int, outcome text, code text, message text, exchanges jsonb)
"""
UNLESS_THERE = """
WHERE NOT EXISTS (SELECT FROM rules_attempt a WHERE a.delivery_id = t.delivery AND a.started_at = %s)
"""


def _row(delivery: Delivery, outcome: Receipt | ConnectorError) -> dict[str, Any]:
    code, words = words_of(outcome)
    return {
        "delivery": delivery.pk,
        "number": delivery.attempts_made + 1,
        "outcome": outcome_word(outcome),
        "code": code[:100],
        "message": to_column(words),
        "exchanges": outcome.trace,
    }


def outcome_word(outcome: Receipt | ConnectorError) -> str:
    """What became of a try, in one word."""
    if isinstance(outcome, Receipt):
        return "adopted" if outcome.adopted else "delivered"
    return outcome.next_step


def counted_as(outcome: Receipt | ConnectorError) -> str:
    """As ``outcome_word``, but our own faults apart: somebody has to look at them."""
    return OUR_BUG if getattr(outcome, "code", "") == OUR_BUG else outcome_word(outcome)


def words_of(outcome: Receipt | ConnectorError) -> tuple[str, str]:
    """(machine word, sentence)."""
    if isinstance(outcome, Receipt):
        return "", _lost(len(outcome.losses))
    return outcome.code, outcome.message


def _lost(count: int) -> str:
    if count == 1:
        return message("1 answer is in the note only")
    return message("{count} answers are in the note only", count=count) if count else ""
