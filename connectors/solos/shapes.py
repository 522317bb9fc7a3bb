"""Reading answers whose form nobody has documented: every plausible one is taken (reference 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
ENVELOPES = ("payload", "data", "result", "items", "response", "projects", "rows")


def rows_of(body: Any) -> list[Row] | None:
    """The rows of a list, None where there is nothing like one."""
    if isinstance(body, list):
        return [row for row in body if isinstance(row, Mapping)]
    if not isinstance(body, Mapping):
        return None
    for key in ENVELOPES:
        if isinstance(body.get(key), list):
            return rows_of(body[key])
    inner = [body[key] for key in ENVELOPES if isinstance(body.get(key), Mapping)]
    deeper = next((rows for one in inner if (rows := rows_of(one)) is not None), None)
    return deeper if deeper is not None or not _says_nothing(body) else []


def record_of(body: Any) -> Row | None:
    """One record, None where there is none: an object with an id, alone, in a list or in an envelope."""
    if isinstance(body, list):
        return record_of(body[0]) if len(body) == 1 else None
    if not isinstance(body, Mapping):
        return None
    if number(body.get("id")):
        return body
    found = (record_of(body[key]) for key in ENVELOPES if isinstance(body.get(key), (Mapping, list)))
    return next((one for one in found if one is not None), None)


def is_empty(body: Any) -> bool:
    """Nothing there: an empty list, null, or an envelope around either."""
    return body in (None, "", [], {}) or (isinstance(body, Mapping) and _says_nothing(body))


def dig(body: Any, path: str) -> str:
    """The id at a path like ``payload.0.id``; empty where there is none."""
    for part in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        else:
            return ""
    return str(number(body) or "")


def id_in(body: Any, paths: Sequence[str]) -> str:
    """The first path that leads to a number."""
    return next((found for path in paths if (found := dig(body, path))), "")


def number(value: Any) -> int:
    """A whole number, be it a text; 0 for what is none. A reference may be an object with an id."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, bool):
        return 0
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def name_in(value: Any) -> str:
    """The name that a reference carries, where it is an object."""
    found = value.get("name") or value.get("title") if isinstance(value, Mapping) else ""
    return found.strip() if isinstance(found, str) else ""


def _says_nothing(body: Row) -> bool:
    """``{"payload": null}``: an envelope with nothing in it."""
    known = [key for key in ENVELOPES if key in body]
    return bool(known) and all(body[key] in (None, "", [], {}) for key in known)
