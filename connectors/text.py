"""Texts and loosely typed values of CRMs: what can be stored, how long, what stands in an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.messages import Message

UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
ID = re.compile(r"[1-9][0-9]{0,17}")


def tidy(text: str) -> str:
    """Without control characters and lone surrogates, which CRMs and databases refuse; ends stripped."""
    return UNSTORABLE.sub("", text).strip()


def storable(text: str) -> str:
    """Without what no database takes: NUL, and half of a surrogate pair, as where a text was cut."""
    if isinstance(text, Message):
        return text.with_each(storable)
    return text.replace("\0", "").encode(errors="replace").decode()


def shorten(text: str, longest: int, end: str = "…") -> str:
    """At most ``longest`` characters; ``end`` is the last of them where some had no room."""
    return text if len(text) <= longest else text[: longest - len(end)].rstrip() + end


def paragraphs(*texts: str) -> str:
    """The texts that say anything, with an empty line between."""
    return "\n\n".join(filter(None, map(tidy, texts)))


# -- reading what a CRM says ------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """A scalar as text, ends stripped; empty for None, booleans, arrays and objects."""
    return "" if value is None or isinstance(value, (bool, dict, list)) else str(value).strip()


def whole_number(value: Any) -> int:
    """A whole number of at most 18 digits, be it a text; 0 for anything else."""
    text = text_of(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else 0


def is_id(text: str) -> bool:
    """A positive whole number without leading zeros, of at most 18 digits."""
    return ID.fullmatch(text) is not None


def rows_in(value: Any) -> list[dict[str, Any]]:
    """The objects of an array, or of an object keyed by id; empty for anything else."""
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [row for row in found if isinstance(row, dict)]


def texts_in(value: Any) -> Iterator[str]:
    """Every text and number of an answer, however deep, as text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from texts_in(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


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
