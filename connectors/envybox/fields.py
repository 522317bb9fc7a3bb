"""Answers -> values of Envybox's custom fields: one table of small functions (pure).

Nobody has seen the whole table of types (reference 2): 1 is a number, 2 a text, 3 a list, 9 a sum of money.
Another number is a type all the same, and takes the text as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from connectors.draft import Option, Target
from connectors.numbers import read_number, written

LONGEST_TEXT = 5_000  # no bound is documented
UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class Unfit(ValueError):
    """The answer can't go into this kind of field; the text says why."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The value of one field, None for an empty answer. ``unproven``: a choice that we could not check."""

    value: Any
    unproven: bool = False


def convert(texts: Iterable[str], target: Target) -> Fit:
    """The value to send. Raises ``Unfit``."""
    clean = [text for text in map(tidy, texts) if text]
    if not re.fullmatch(r"[0-9]{1,9}", target.type):
        raise Unfit(f"a field of type {target.type or 'unknown'} can't be filled by an answer")
    return TO_ENVYBOX.get(target.type, _text)(clean, target) if clean else Fit(None)


def tidy(text: str) -> str:
    """What a database can't keep is taken out, and the white space around."""
    return UNSTORABLE.sub("", text).strip()


def shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


# -- one function a type --------------------------------------------------------------------------------


def _text(texts: list[str], target: Target) -> Fit:
    return Fit(shorten(", ".join(texts), LONGEST_TEXT))


def _number(texts: list[str], target: Target) -> Fit:
    if len(texts) > 1:
        raise Unfit("the field takes one value")
    number = read_number(texts[0])
    if number is None:
        raise Unfit("not a number")
    whole = number == number.to_integral_value()
    return Fit(int(number) if whole else float(written(number)))


def _choice(texts: list[str], target: Target) -> Fit:
    """Ids where the options are known, else the texts, and a word about it (reference 7.2)."""
    if not target.options:
        return Fit(shorten(", ".join(texts), LONGEST_TEXT), unproven=True)
    chosen = [_option(text, target.options) for text in texts]
    return Fit(chosen[0] if len(chosen) == 1 else chosen)


def _option(text: str, options: Iterable[Option]) -> str:
    found = next((one for one in options if _plain(one.text) == _plain(text)), None)
    if found is None:
        raise Unfit(f"the field has no choice {text!r}")
    return found.remote_id


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().replace("ё", "е")


TO_ENVYBOX: dict[str, Callable[[list[str], Target], Fit]] = {
    "1": _number,
    "2": _text,
    "3": _choice,
    "9": _number,
}
