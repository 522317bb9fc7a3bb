"""Texts and loosely typed values of CRMs: what can be stored, how long, what stands in an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
