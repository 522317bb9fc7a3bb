"""Answers -> amoCRM field values: one table of small functions (pure).

Formats: amocrm.ru/developers/content/crm_platform/custom-fields, "examples of filling" (reference 4.8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from connectors import coercion, dates
from connectors.coercion import Unfit, written
from connectors.contact import email_key
from connectors.draft import Target
from connectors.text import shorten

JOINED = frozenset({"text", "textarea", "streetaddress", "smart_address", "tracking_data", "legal_entity"})
SEVERAL = frozenset({"multiselect", "multitext"})
LONGEST_TEXT = 255  # over 256 is refused although the UI takes it: amocrm-api-php issues 224, 400
LONGEST_AREA = 60_000  # no bound is documented
KEEP_EMOJI = True  # four-byte characters cut a text in 2021 (issue 221); today's behaviour is unconfirmed
FOUR_BYTES = re.compile(r"[\U00010000-\U0010FFFF]")


@dataclass(frozen=True, slots=True)
class Fit:
    """The ``values`` of one field. ``but`` says what of the answer did not fit, if anything."""

    values: tuple[dict[str, Any], ...]
    but: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a converter may look at: the answer's texts, the field, the account's time zone and currency."""

    texts: tuple[str, ...]
    target: Target
    zone: tzinfo = UTC
    currency: str = ""

    @property
    def text(self) -> str:
        return ", ".join(self.texts)


def holds_several(target: Target) -> bool:
    """Can this field hold the answers to several questions: texts one after another, several values?"""
    return target.type in JOINED or target.type in SEVERAL


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC, currency: str = "") -> Fit:
    """The values to send; none for an empty answer. Raises ``Unfit``."""
    clean = tuple(text for text in (tidy(t) for t in texts) if text)
    if not clean:
        return Fit(())
    converter = TO_AMO.get(target.type)
    if converter is None:
        raise Unfit(f"a field of type {target.type or 'unknown'} can't be filled by an answer")
    return converter(Given(clean, target, zone, currency))


def tidy(text: str) -> str:
    """What a database can't keep is taken out, and the white space around."""
    return coercion.tidy(text if KEEP_EMOJI else FOUR_BYTES.sub("", text))


def one_value(value: Any, but: str = "") -> Fit:
    return Fit(({"value": value},), but)


# -- one function a format ------------------------------------------------------------------------------


def _text(given: Given) -> Fit:
    return _cut(given.text, LONGEST_TEXT)


def _area(given: Given) -> Fit:
    return _cut(given.text, LONGEST_AREA)


def _cut(text: str, longest: int) -> Fit:
    short = shorten(text, longest)
    return one_value(short, "" if short == text else f"shortened to {longest} characters")


def _number(given: Given) -> Fit:
    return one_value(written(coercion.number(given.texts, currency=given.currency).needed()))


def _money(given: Given) -> Fit:
    return one_value(written(coercion.money(given.texts, currency=given.currency).needed().amount))


def _checkbox(given: Given) -> Fit:
    return one_value(coercion.yes_no(given.texts).needed())


def _url(given: Given) -> Fit:
    read = coercion.web_address(given.texts)
    return one_value(read.needed(), read.but)


def _day(given: Given) -> Fit:
    day = dates.day(given.texts, given.zone).needed()
    return one_value(int(dates.noon(day, given.zone).timestamp()))


def _date_time(given: Given) -> Fit:
    return one_value(int(dates.moment(given.texts, given.zone).needed().timestamp()))


def _select(given: Given) -> Fit:
    fit = _multiselect(given)
    if len(fit.values) > 1:
        return Fit(fit.values[:1], "the field takes one choice")
    return fit


def _multiselect(given: Given) -> Fit:
    """Ids instead of texts: a text must equal the option to the letter (issues 115, 275)."""
    options = [option for option in given.target.options if option.remote_id.isdigit()]
    read = coercion.choices(given.texts, options)
    return Fit(tuple({"enum_id": int(option.remote_id)} for option in read.needed()), read.but)


def _multitext(given: Given) -> Fit:
    """Phones, e-mails and messengers; the kind is WORK where the field has one."""
    kind = {"PHONE": "WORK", "EMAIL": "WORK", "IM": "OTHER"}.get(given.target.code)
    if given.target.code == "EMAIL" and not all(map(email_key, given.texts)):
        raise Unfit("not an e-mail address")
    extra = {"enum_code": kind} if kind else {}
    texts = [shorten(text, LONGEST_TEXT) for text in given.texts]
    return Fit(tuple({"value": text, **extra} for text in dict.fromkeys(texts)))


def _address(given: Given) -> Fit:
    return Fit(({"value": shorten(given.text, LONGEST_TEXT), "enum_code": "address_line_1"},))


def _legal_entity(given: Given) -> Fit:
    return one_value({"name": shorten(given.text, LONGEST_TEXT)})


TO_AMO: dict[str, Callable[[Given], Fit]] = {
    "text": _text,
    "textarea": _area,
    "numeric": _number,
    "price": _money,
    "monetary": _money,
    "checkbox": _checkbox,
    "url": _url,
    "date": _day,
    "birthday": _day,
    "date_time": _date_time,
    "select": _select,
    "radiobutton": _select,
    "category": _select,
    "multiselect": _multiselect,
    "multitext": _multitext,
    "smart_address": _address,
    "streetaddress": _text,
    "tracking_data": _text,
    "legal_entity": _legal_entity,
}
