"""What of a lead may be brought up to date: values that still stand as one of our bodies wrote them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

EDITED = "it was changed in the CRM since and is left as it is"


def same_value(current: Any, ours: Any) -> bool:
    """Does the CRM's value say what was sent? Typography of transport aside: ``"100.00"`` is 100, an empty
    text is None, a text's ends are trimmed, an order of choices is no difference."""
    return _plain(current) == _plain(ours)


def may_write(current: Any, formers: Iterable[Any]) -> bool:
    """Is a field empty, or as one of the earlier bodies left it?"""
    plain = _plain(current)
    return plain in (None, ()) or any(plain == _plain(former) for former in formers)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _plain(inner)) for key, inner in value.items()))
    if isinstance(value, (list, tuple, set)):
        return tuple(sorted((_plain(one) for one in value), key=repr))
    text = "" if value is None else " ".join(str(value).split())
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text or None
    # Long digits are ids and phones: "007" is not 7.
    return number.normalize() if number.is_finite() and (text == "0" or not text.startswith("0")) else text
