"""What pages say, in the reader's language; numbers and money. What is kept is a message
(``connectors.messages``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import get_format, number_format
from django.utils.translation import get_language, gettext, ngettext

from connectors.messages import Message, translate

NO_BREAK = "\u00a0"
SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸"}


def say(text: str, /, **params: Any) -> str:
    """A text of the catalogue with its ``{gaps}`` filled, for pages alone: nothing translated is kept."""
    return gettext(text).format(**_shown(params))


def say_many(one: str, many: str, count: int, /, **params: Any) -> str:
    """A text that counts: ``{count}`` is filled, with its thousands apart."""
    return ngettext(one, many, count).format(count=spaced(count), **_shown(params))


def said(text: Any) -> str:
    """A kept message in the reader's language; what is none as it is."""
    return translate(text, get_language() or "") if isinstance(text, str) else ""


def spaced(count: int) -> str:
    """``20 127``, in one piece."""
    return f"{count:,}".replace(",", NO_BREAK)


def in_seconds(seconds: float) -> str:
    """``0.4 s``, ``0,4 с``, ``1 280 s``."""
    return say("{count} s", count=number_format(seconds, 1) if seconds < 100 else spaced(round(seconds)))


def to_the_minute(moment: datetime) -> str:
    """``31.01.2026 10:00``, by our clock."""
    return f"{timezone.localtime(moment):%d.%m.%Y %H:%M}"


def _shown(params: dict[str, Any]) -> dict[str, Any]:
    return {name: said(value) if isinstance(value, Message) else value for name, value in params.items()}


def money(amount: Decimal | None, currency: str = "") -> str:
    """``54 000 ₽``, ``-12.50``, in Russian ``-12,50``; empty where there is none."""
    if amount is None:
        return ""
    text = f"{amount:,.2f}".removesuffix(".00").replace(",", NO_BREAK)
    text = text.replace(".", get_format("DECIMAL_SEPARATOR"))
    return f"{text}{NO_BREAK}{SIGNS.get(currency, currency)}" if currency else text


def totals(by_currency: Mapping[str, Decimal]) -> str:
    """Sums of several currencies, which nobody can add."""
    return ", ".join(money(amount, currency) for currency, amount in sorted(by_currency.items()) if amount)
