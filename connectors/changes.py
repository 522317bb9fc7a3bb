"""What of a lead may be brought up to date: values that still stand as one of our bodies wrote them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

EDITED = "it was changed in the CRM since and is left as it is"


MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?([+-]\d\d:?\d\d|Z)?)?")


def same_value(current: Any, ours: Any) -> bool:
    """Does the CRM's value say what was sent? Typography of transport aside: ``"100.00"`` is 100, an empty
    text is None, a text's ends are trimmed, an order of choices is no difference."""
    return _plain(current) == _plain(ours)


def may_write(current: Any, formers: Iterable[Any]) -> bool:
    """Is a field as one of the earlier bodies left it? None or an empty text is what said nothing of it; what
    we filled and people emptied is theirs."""
    plain = _plain(current)
    return any(plain == _plain(former) for former in formers)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _plain(inner)) for key, inner in value.items()))
    if isinstance(value, (list, tuple, set)):
        return tuple(sorted((_plain(one) for one in value), key=repr)) or None
    text = "" if value is None else " ".join(str(value).split())
    if MOMENT.fullmatch(text):
        return _moment(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text or None
    # Long digits are ids and phones: "007" is not 7.
    return number.normalize() if number.is_finite() and (text == "0" or not text.startswith("0")) else text


def _moment(text: str) -> Any:
    """A moment in UTC; a day stays a day, and a CRM shows it as a midnight of its own zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if not moment.tzinfo or not (moment.hour or moment.minute or moment.second):
        return moment.date().isoformat()
    return moment.astimezone(UTC).isoformat()
