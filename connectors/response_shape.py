"""The form of an answer without its values: for a person who wants to know what a CRM really says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?")
NUMBERED = re.compile(r"([A-Za-z]+_)?\d{2,}|\d")  # an object keyed by ids: one of them shows them all
MOST_KEYS, DEEPEST = 80, 5


def sample(body: Any, depth: int = DEEPEST) -> Any:
    """Keys and kinds, ``depth`` levels of them; small, safe to keep, enough to write a stricter parser by.

    Of an array the first element is shown, of keys that are ids (``17``, ``crm_3444``) the first as ``#``.
    """
    if isinstance(body, Mapping):
        return _form(body, depth - 1) if depth else "object"
    if isinstance(body, list):
        return [sample(body[0], depth - 1)] if body and depth else []
    return _word(body)


def _form(body: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for key in sorted(map(str, body))[:MOST_KEYS]:
        shown = NUMBERED.sub(r"\1#", key) if NUMBERED.fullmatch(key) else key
        known.setdefault(shown, sample(body.get(key), depth))
    return known


def _word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, (int, float)):
        return "number"
    text = str(value)
    if not text:
        return "empty"
    if text.isdecimal():
        return "digits"
    return "date" if DATE.fullmatch(text) else "moment" if MOMENT.fullmatch(text) else "text"
