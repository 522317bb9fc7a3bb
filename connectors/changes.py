"""How a delivered lead is brought up to date with a later body of its answer, value by value. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from connectors.messages import message

EDITED = message("it was changed in the CRM since and is left as it is")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?([+-]\d\d:?\d\d|Z)?)?")


class Change(Enum):
    """What to do with one value of a lead: nothing, write the new one, or tell that people's was kept.
    ``THEIRS``: people's is kept, and the body brings nothing new that could be told."""

    SKIP = "skip"
    WRITE = "write"
    KEPT = "kept"
    THEIRS = "theirs"


def same_value(current: Any, ours: Any) -> bool:
    """Does the CRM's value say what was sent? Typography of transport aside: ``"100.00"`` is 100, an empty
    text is None, a text's ends are trimmed, an order of choices is no difference."""
    return bool(_plain(current) == _plain(ours))


def decide(
    current: Any, new: Any, formers: Sequence[Any], same: Callable[[Any, Any], bool] = same_value
) -> Change:
    """``current`` is the CRM's value, ``new`` the body's, ``formers`` those of the bodies before it.

    The formers come oldest first, None where a body said nothing of the field. Any of them may be the last
    one that arrived: a body may be superseded before it is sent. What people filled, changed or emptied since
    is theirs, and is told only with the body that brought the value. ``same(there, ours)`` compares values.
    """
    if same(current, new):
        return Change.SKIP
    if any(same(current, former) for former in formers):
        return Change.WRITE
    return Change.THEIRS if any(same(former, new) for former in formers[-1:]) else Change.KEPT


def shown(value: Any) -> str:
    """A CRM's value as people read it: of maps the value, of lists each."""
    if isinstance(value, Mapping):
        named = next((value[key] for key in ("value", "VALUE", "text", "name") if key in value), "")
        return shown(named)
    if isinstance(value, (list, tuple, set)):
        return ", ".join(filter(None, map(shown, value)))
    return "" if value is None or value is False else " ".join(str(value).split())


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
