"""Days and moments as solOS writes them; the zone is unknown, so it is UTC here."""

from __future__ import annotations

from datetime import UTC, date, datetime


def moment(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")


def day(text: str) -> date:
    """SQL DATE. Raises ``ValueError``."""
    if len(text) != len("2020-01-01"):
        raise ValueError(f"not a date: {text}")
    return date.fromisoformat(text)


def day_range(text: str) -> tuple[date, date]:
    """``2020-01-01;2020-12-31``, both ends included. Raises ``ValueError``."""
    first, separator, last = text.partition(";")
    if not separator:
        raise ValueError("a range is two dates with a semicolon")
    return day(first), day(last)
