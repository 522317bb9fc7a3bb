"""Envybox's loose ways of writing things, read (reference 1.3, 1.6). Pure.

Ids and flags come as numbers or strings, empty objects as arrays, containers under several names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]


def id_of(value: Any) -> str:
    """An id as text; empty for none, 0, null and the like."""
    text = "" if value is None or isinstance(value, (bool, dict, list)) else str(value).strip()
    return "" if text in ("", "0", "-1") else text


def number_of(value: Any) -> int:
    text = str(value if value is not None else "").strip()
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else 0


def flag_of(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "true")


def rows_in(value: Any) -> list[dict[str, Any]]:
    """The rows of an array, or of an object keyed by id."""
    found = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [row for row in found if isinstance(row, dict)]


def row_in(value: Any) -> dict[str, Any]:
    """One row: an object, or the first of an array; empty for null (reference 1.6)."""
    if isinstance(value, dict):
        return value
    return next(iter(rows_in(value)), {})


def at(body: Any, *names: str) -> Any:
    """``body[a][b]``, None where the path ends early."""
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def first_of(body: Any, *paths: tuple[str, ...]) -> Any:
    """The first of several places that holds anything."""
    return next((found for path in paths if (found := at(body, *path)) is not None), None)


def texts_in(value: Any) -> Iterator[str]:
    """All texts of an answer, however deep."""
    if isinstance(value, dict):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, str):
        yield value


def mark_of(uid: str) -> str:
    """Our mark in a text: letters and digits only, so that no search splits it (reference 7.5)."""
    return re.sub(r"[^a-z0-9]", "", uid.lower())


def carries(value: Any, mark: str) -> bool:
    """Does any text of an answer hold the mark, whole?"""
    whole = re.compile(rf"(?<![a-z0-9]){re.escape(mark)}(?![a-z0-9])", re.IGNORECASE)
    return any(whole.search(text) for text in texts_in(value))
