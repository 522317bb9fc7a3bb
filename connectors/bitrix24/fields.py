"""Answers -> Bitrix24 user-field values for the classic methods: one table of small functions (pure).

Formats: apidocs.bitrix24.com, api-reference/crm/universal/user-defined-fields (reference 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from connectors.draft import Option, Target
from connectors.moments import read_moment
from connectors.numbers import read_number, written

LONGEST_TEXT = 20_000  # no bound is documented
UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
JOINED = frozenset({"string", "address", "crm_pena_tag"})
YES = frozenset(
    {"да", "yes", "y", "true", "1", "on", "+", "ok", "ок", "есть", "checked", "верно"}
    | {"согласен", "согласна", "agree", "agreed", "принимаю"}
)
NO = frozenset({"нет", "не", "no", "n", "false", "0", "off", "-", "unchecked", "неверно"})
SIGNS = {"₽": "RUB", "руб": "RUB", "$": "USD", "usd": "USD", "€": "EUR", "eur": "EUR", "₸": "KZT"}


class Unfit(ValueError):
    """The answer can't go into this kind of field; the text says why."""


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


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC, currency: str = "") -> Fit:
    """The value to send: one, or an array for a multiple field. Raises ``Unfit``."""
    clean = [text for text in map(tidy, texts) if text]
    if not clean:
        return Fit(None)
    converter = TO_BITRIX.get(target.type)
    if converter is None:
        raise Unfit(f"a field of type {target.type or 'unknown'} can't be filled by an answer")
    if not target.multiple and target.type in JOINED:
        clean = [", ".join(clean)]
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
        faults["the field takes one value"] = None
    return Fit(values[0], "; ".join(faults))


def tidy(text: str) -> str:
    """What a database can't keep is taken out, and the white space around."""
    return UNSTORABLE.sub("", text).strip()


def shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> str:
    return shorten(given.text, LONGEST_TEXT)


def _whole(given: Given) -> str:
    number = read_number(given.text)
    if number is None or number != number.to_integral_value():
        raise Unfit("not a whole number")
    return written(number)


def _decimal(given: Given) -> str:
    number = read_number(given.text)
    if number is None:
        raise Unfit("not a number")
    return written(number)


def _money(given: Given) -> str:
    """A bad shape is refused with the whole record; without a currency the portal's base one counts."""
    number = read_number(given.text)
    if number is None:
        raise Unfit("not a sum of money")
    named = (code for sign, code in SIGNS.items() if sign in given.text.lower())
    currency = next(named, given.currency)
    return f"{number:.2f}|{currency}" if currency else f"{number:.2f}"


def _yes_no(given: Given) -> int:
    """1 and 0: the classic methods read ``N`` as true (reference 4.3)."""
    word = given.text.casefold().rstrip(".!")
    if word in YES | NO:
        return int(word in YES)
    raise Unfit("neither yes nor no")


def _day(given: Given) -> str:
    return _moment(given).astimezone(given.zone).date().isoformat()


def _date_time(given: Given) -> str:
    return _moment(given).astimezone(given.zone).isoformat(timespec="seconds")


def _moment(given: Given) -> datetime:
    """An unparsable date would be dropped without a word (reference 4.1)."""
    moment = read_moment(given.text, given.zone)
    if moment is None:
        raise Unfit("not a date")
    return moment


def _option(given: Given) -> str:
    """An id: texts are not matched by the portal, and unknown ids are not refused (reference 4.5)."""
    options = given.target.options
    found = next((option for option in options if option.text == given.text), None)
    found = found or next((option for option in options if _loose(option) == _plain(given.text)), None)
    if found is None:
        raise Unfit(f"the field has no choice {given.text!r}")
    return found.remote_id


def _loose(option: Option) -> str:
    return _plain(option.text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold().replace("ё", "е")


def _url(given: Given) -> str:
    text = given.text
    address = text if re.match(r"(?i)[a-z][a-z0-9+.-]*://", text) else f"https://{text}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    if re.search(r"\s", address) or "." not in host:
        raise Unfit("not a web address")
    return address


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
    "enumeration": _option,
    "crm_status": _option,
    "money": _money,
    "url": _url,
    "address": _address,
    "crm_pena_tag": _text,
}
