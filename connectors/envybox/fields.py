"""Answers -> values of Envybox's custom fields: one table of small functions (pure).

Nobody has seen the whole table of types (reference 2): 1 is a number, 2 a text, 3 a list, 9 a sum of money.
Another number is a type all the same, and takes the text as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from connectors import coercion
from connectors.coercion import written
from connectors.custom_fields import Fit, cut, unfillable
from connectors.draft import Target
from connectors.text import shorten, tidy

LONGEST_TEXT = 5_000  # no bound is documented
CURRENCY = "RUB"  # an account does not tell its currency; Envybox sells to Russian companies


def convert(texts: Iterable[str], target: Target) -> Fit:
    """The value to send. Raises ``Unfit``."""
    clean = [text for text in map(tidy, texts) if text]
    if not re.fullmatch(r"[0-9]{1,9}", target.type):
        raise unfillable(target)
    return TO_ENVYBOX.get(target.type, _text)(clean, target) if clean else Fit(None)


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions? Texts can, and lists, of which nobody tells how
    many choices they take."""
    return target.type not in ("1", "9")


def chooses(target: Target) -> bool:
    """Of a list whose options nobody tells, the text itself is sent."""
    return TO_ENVYBOX.get(target.type) is _choice and bool(target.options)


def json_number(number: Decimal) -> int | float:
    """As a number of JSON, whole where it is."""
    return int(number) if number == number.to_integral_value() else float(written(number))


# -- one function a type --------------------------------------------------------------------------------


def _text(texts: list[str], target: Target) -> Fit:
    text, but = cut(", ".join(texts), LONGEST_TEXT)
    return Fit(text, but=but)


def _number(texts: list[str], target: Target) -> Fit:
    return Fit(json_number(coercion.number(texts, currency=CURRENCY).needed()))


def _money(texts: list[str], target: Target) -> Fit:
    return Fit(json_number(coercion.money(texts, currency=CURRENCY).needed().amount))


def _choice(texts: list[str], target: Target) -> Fit:
    """Ids where the options are known, else the texts, and a word about it (reference 7.2)."""
    if not target.options:
        return Fit(shorten(", ".join(texts), LONGEST_TEXT), unproven=True)
    read = coercion.choices(texts, target.options)
    ids = [option.remote_id for option in read.needed()]
    return Fit(ids[0] if len(ids) == 1 else ids, but=read.but)


TO_ENVYBOX: dict[str, Callable[[list[str], Target], Fit]] = {
    "1": _number,
    "2": _text,
    "3": _choice,
    "9": _money,
}
