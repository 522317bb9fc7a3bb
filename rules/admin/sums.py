"""Money as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

NO_BREAK = "\u00a0"


def money(amount: Decimal | None, currency: str = "") -> str:
    """``54 000 RUB``, ``-12.50``; empty where there is none."""
    if amount is None:
        return ""
    text = f"{amount:,.2f}".removesuffix(".00").replace(",", NO_BREAK)
    return f"{text}{NO_BREAK}{currency}" if currency else text


def totals(by_currency: Mapping[str, Decimal]) -> str:
    """Sums of several currencies, which nobody can add."""
    return ", ".join(money(amount, currency) for currency, amount in sorted(by_currency.items()) if amount)
