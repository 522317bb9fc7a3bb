"""Answers -> Bitrix24 user-field values for the classic methods: one table of small functions (pure).

Formats: apidocs.bitrix24.com, api-reference/crm/universal/user-defined-fields (reference 4.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from connectors import coercion, dates
from connectors.coercion import ONE_VALUE, Unfit, written
from connectors.draft import Target
from connectors.text import shorten, tidy

LONGEST_TEXT = 20_000  # no bound is documented
JOINED = frozenset({"string", "address", "crm_pena_tag"})
CHOICES = frozenset({"enumeration", "crm_status"})
ALONE = frozenset({"integer", "double", "boolean", "date", "datetime", "money"})  # two of them are not one


@dataclass(frozen=True, slots=True)
class Fit:
    """The value of one field, None for an empty answer. ``but`` says what of the answer did not fit."""

    value: Any
    but: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a converter may look at: one text, the field, the portal's time zone and currency."""

    text: str
    target: Target
    zone: tzinfo = UTC
    currency: str = ""


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions?"""
    return target.multiple or target.type in JOINED


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC, currency: str = "") -> Fit:
    """The value to send: one, or an array for a multiple field. Raises ``Unfit``."""
    clean = [text for text in map(tidy, texts) if text]
    if not clean:
        return Fit(None)
    if target.type in CHOICES:
        return _choose(clean, target)
    converter = TO_BITRIX.get(target.type)
    if converter is None:
        raise Unfit(f"a field of type {target.type or 'unknown'} can't be filled by an answer")
    if not target.multiple and target.type in JOINED:
        clean = [", ".join(clean)]
    if not target.multiple and target.type in ALONE and len(clean) > 1:
        raise Unfit(ONE_VALUE)
    return _gather(converter, [Given(text, target, zone, currency) for text in clean], target.multiple)


def _gather(converter: Callable[[Given], Any], given: list[Given], multiple: bool) -> Fit:
    """What fits, each once; what does not is told. Raises ``Unfit`` where nothing fits."""
    values: list[Any] = []
    faults: dict[str, None] = {}
    for one in given:
        try:
            value = converter(one)
        except Unfit as exc:
            faults[str(exc)] = None
        else:
            values += [value] if value not in values else []
    if not values:
        raise Unfit("; ".join(faults))
    if multiple:
        return Fit(values, "; ".join(faults))
    if len(values) > 1:
        faults[ONE_VALUE] = None
    return Fit(values[0], "; ".join(faults))


def _choose(texts: list[str], target: Target) -> Fit:
    """Ids: texts are not matched by the portal, and unknown ids are not refused (reference 4.5)."""
    read = coercion.choices(texts, target.options)
    ids = [option.remote_id for option in read.needed()]
    if target.multiple:
        return Fit(ids, read.but)
    return Fit(ids[0], "; ".join(filter(None, (read.but, ONE_VALUE if len(ids) > 1 else ""))))


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> str:
    return shorten(given.text, LONGEST_TEXT)


def _whole(given: Given) -> str:
    return written(coercion.number([given.text], currency=given.currency, whole=True).needed())


def _decimal(given: Given) -> str:
    return written(coercion.number([given.text], currency=given.currency).needed())


def _money(given: Given) -> str:
    """A bad shape is refused with the whole record; without a currency the portal's base one counts."""
    read = coercion.money([given.text], foreign=True).needed()
    currency = read.currency or given.currency
    return f"{read.amount:.2f}|{currency}" if currency else f"{read.amount:.2f}"


def _yes_no(given: Given) -> int:
    """1 and 0: the classic methods read ``N`` as true (reference 4.3)."""
    return int(coercion.yes_no([given.text]).needed())


def _day(given: Given) -> str:
    """An unparsable date would be dropped without a word (reference 4.1)."""
    return dates.day([given.text], given.zone).needed().isoformat()


def _date_time(given: Given) -> str:
    moment = dates.moment([given.text], given.zone).needed()
    return moment.astimezone(given.zone).isoformat(timespec="seconds")


def _url(given: Given) -> str:
    return coercion.web_address([given.text]).needed()


def _address(given: Given) -> str:
    """``text|lat;lng``: a bar of the answer's own would be read as coordinates."""
    return given.text.replace("|", "/")


TO_BITRIX: dict[str, Callable[[Given], Any]] = {
    "string": _text,
    "integer": _whole,
    "double": _decimal,
    "boolean": _yes_no,
    "date": _day,
    "datetime": _date_time,
    "money": _money,
    "url": _url,
    "address": _address,
    "crm_pena_tag": _text,
}
