"""The attempts of a delivery: what was tried, what was said both ways. Redacted before it gets here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.utils import timezone

from connectors.draft import Receipt
from connectors.errors import ConnectorError
from rules.models import Attempt, Delivery


def write(started_at: datetime, tries: Sequence[tuple[Delivery, Receipt | ConnectorError]]) -> None:
    """One row for each delivery of a batch, in one statement."""
    seconds = (timezone.now() - started_at).total_seconds()
    Attempt.objects.bulk_create([_attempt(row, outcome, started_at, seconds) for row, outcome in tries])


def _attempt(
    row: Delivery, outcome: Receipt | ConnectorError, started_at: datetime, seconds: float
) -> Attempt:
    code, message = words_of(outcome)
    return Attempt(
        delivery=row,
        number=row.attempts_made + 1,
        started_at=started_at,
        seconds=round(seconds, 3),
        outcome=_outcome(outcome),
        code=code[:100],
        message=message,
        exchanges=[asdict(exchange) for exchange in outcome.trace],
    )


def _outcome(outcome: Receipt | ConnectorError) -> str:
    if isinstance(outcome, Receipt):
        return "adopted" if outcome.adopted else "delivered"
    return outcome.next_step


def words_of(outcome: Receipt | ConnectorError) -> tuple[str, str]:
    """(machine word, sentence)."""
    if isinstance(outcome, Receipt):
        return "", _lost(len(outcome.losses))
    return outcome.code, outcome.message


def _lost(count: int) -> str:
    if count == 1:
        return "1 answer is in the note only"
    return f"{count} answers are in the note only" if count else ""
