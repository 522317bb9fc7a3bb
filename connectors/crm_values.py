"""Texts of CRMs as values, where their form is loose: moments without a zone, sums. Pure; never raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

FURTHEST = 24.0  # hours that a zone may be away from UTC, as Python has it


def moment(text: Any, hours: float = 0.0) -> datetime | None:
    """``2026-11-02 10:00:00`` or a day alone, of a clock that is ``hours`` ahead of UTC; None for no moment.

    A text with a zone of its own keeps it.
    """
    try:
        found = datetime.fromisoformat(str(text or "").strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=clock(hours))


def clock(hours: float) -> timezone:
    """The zone that is so many hours ahead of UTC; UTC where there is no such zone."""
    return timezone(timedelta(hours=hours)) if abs(hours) < FURTHEST else UTC


def money(value: Any) -> Decimal | None:
    """``1 500,50``, ``1500.5`` or a number; None for what is no sum."""
    if isinstance(value, bool):
        return None
    text = "".join(str(value if value is not None else "").split()).replace(",", ".")
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
