"""The attempts of a delivery: what was tried, what was said both ways. Redacted before it gets here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts import db_clock
from connectors.draft import Receipt
from connectors.errors import ConnectorError
from connectors.messages import message, to_column
from rules.delivery.settlement import OUR_BUG, worker_died
from rules.models import Delivery

Tried = dict[str, Any]  # a row of ``Attempt``


@dataclass(frozen=True, slots=True)
class Begun:
    """When a try began, by this machine's clock, and by one that nobody sets."""

    at: datetime = field(default_factory=timezone.now)
    counted: float = field(default_factory=db_clock.elapsed)

    @property
    def seconds(self) -> float:
        return db_clock.elapsed() - self.counted


def written(begun: Begun, tries: Iterable[tuple[Delivery, Receipt | ConnectorError]]) -> list[Tried]:
    """The tries of a batch that are over now, as ``outbox.settle`` stores them."""
    seconds = begun.seconds
    return [_row(delivery, outcome, begun.at, seconds) for delivery, outcome in tries]


def of_the_dead(rows: Iterable[Delivery]) -> list[Tried]:
    """The tries of workers that died while they sent these; what was not begun was no try."""
    now = db_clock.now()
    return [
        _row(row, worker_died(), row.claimed_at, (now - row.claimed_at).total_seconds())
        for row in rows
        if row.write_begun_at and row.claimed_at
    ]


def _row(
    delivery: Delivery, outcome: Receipt | ConnectorError, started_at: datetime, seconds: float
) -> Tried:
    code, words = words_of(outcome)
    return {
        "delivery": delivery.pk,
        "number": delivery.attempts_made + 1,
        "started": started_at,
        "seconds": round(seconds, 3),
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
