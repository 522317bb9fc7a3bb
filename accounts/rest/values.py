"""Moments and numbers as the contracts write them."""

from __future__ import annotations

from datetime import UTC
from typing import Any

BIGGEST = 2**63 - 1
BIGGEST_32 = 2**31 - 1


def unix(moment: Any) -> int:
    """Unix seconds of a moment, 0 for none (D10, D11)."""
    return int(moment.timestamp()) if moment else 0


def number(text: Any) -> int:
    """A remote id as the integer the contract wants, 0 where it isn't one (D11)."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return 0


def number_32(text: Any) -> int:
    """The same where the contract says int32, which is never left (D42)."""
    found = number(text)
    return found if abs(found) <= BIGGEST_32 else 0


def rfc3339(moment: Any) -> str:
    """A moment as a text in UTC (D10)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
