"""Answers -> amoCRM field values: one table of small functions (pure).

Formats: amocrm.ru/developers/content/crm_platform/custom-fields, "examples of filling" (reference 4.8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from connectors.draft import Option, Target
from connectors.moments import noon, read_moment
from connectors.numbers import read_number, written

LONGEST_TEXT = 255  # over 256 is refused although the UI takes it: amocrm-api-php issues 224, 400
LONGEST_AREA = 60_000  # no bound is documented
KEEP_EMOJI = True  # four-byte characters cut a text in 2021 (issue 221); today's behaviour is unconfirmed
FOUR_BYTES = re.compile(r"[\U00010000-\U0010FFFF]")
UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")

YES = frozenset({"да", "yes", "y", "true", "1", "on", "+", "ok", "ок", "✓", "✔", "есть", "checked", "верно"})
AGREED = frozenset({"согласен", "согласна", "agree", "agreed", "i agree", "принимаю"})
NO = frozenset({"нет", "не", "no", "n", "false", "0", "off", "-", "✗", "✘", "unchecked", "неверно"})


class Unfit(ValueError):
    """The answer can't go into this kind of field; the text says why."""


@dataclass(frozen=True, slots=True)
class Fit:
    """The ``values`` of one field. ``but`` says what of the answer did not fit, if anything."""

    values: tuple[dict[str, Any], ...]
    but: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a converter may look at: the answer's texts, the field, the account's time zone."""

    texts: tuple[str, ...]
    target: Target
    zone: tzinfo = UTC

    @property
    def text(self) -> str:
        return ", ".join(self.texts)


def convert(texts: Iterable[str], target: Target, zone: tzinfo = UTC) -> Fit:
    """The values to send; none for an empty answer. Raises ``Unfit``."""
    clean = tuple(text for text in (tidy(t) for t in texts) if text)
    if not clean:
        return Fit(())
    converter = TO_AMO.get(target.type)
    if converter is None:
        raise Unfit(f"a field of type {target.type or 'unknown'} can't be filled by an answer")
    return converter(Given(clean, target, zone))


def tidy(text: str) -> str:
    """What a database can't keep is taken out, and the white space around."""
    text = UNSTORABLE.sub("", text)
    return (text if KEEP_EMOJI else FOUR_BYTES.sub("", text)).strip()


def shorten(text: str, longest: int = LONGEST_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


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
    number = read_number(given.text)
    if number is None:
        raise Unfit("not a number")
    return one_value(written(number))


def _checkbox(given: Given) -> Fit:
    word = given.text.casefold().rstrip(".!")
    if word in YES | AGREED:
        return one_value(True)
    if word in NO:
        return one_value(False)
    raise Unfit("neither yes nor no")


def _url(given: Given) -> Fit:
    text = given.texts[0]
    address = text if re.match(r"(?i)[a-z][a-z0-9+.-]*://", text) else f"https://{text}"
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    if re.search(r"\s", address) or "." not in host:
        raise Unfit("not a web address")
    return one_value(address, "only the first address" if len(given.texts) > 1 else "")


def _day(given: Given) -> Fit:
    return one_value(int(noon(_moment(given), given.zone).timestamp()))


def _date_time(given: Given) -> Fit:
    return one_value(int(_moment(given).timestamp()))


def _moment(given: Given) -> datetime:
    moment = read_moment(given.text, given.zone)
    if moment is None:
        raise Unfit("not a date")
    return moment


def _select(given: Given) -> Fit:
    fit = _multiselect(given)
    if len(fit.values) > 1:
        return Fit(fit.values[:1], "the field takes one choice")
    return fit


def _multiselect(given: Given) -> Fit:
    """Ids instead of texts: a text must equal the option to the letter (issues 115, 275)."""
    found = [(text, _option(text, given.target.options)) for text in given.texts]
    chosen = [option for _, option in found if option]
    missing = [text for text, option in found if not option]
    if not chosen:
        raise Unfit(f"the field has no choice {', '.join(map(repr, missing))}")
    but = f"the field has no choice {', '.join(map(repr, missing))}" if missing else ""
    ids = dict.fromkeys(option.remote_id for option in chosen)
    return Fit(tuple({"enum_id": int(remote_id)} for remote_id in ids), but)


def _option(text: str, options: Iterable[Option]) -> Option | None:
    """To the letter first, then without regard to case and spaces."""
    options = [option for option in options if option.remote_id.isdigit()]
    exact = next((option for option in options if option.text == text), None)
    return exact or next((option for option in options if _loose(option.text) == _loose(text)), None)


def _loose(text: str) -> str:
    return " ".join(text.split()).casefold().replace("ё", "е")


def _multitext(given: Given) -> Fit:
    """Phones, e-mails and messengers; the kind is WORK where the field has one."""
    kind = {"PHONE": "WORK", "EMAIL": "WORK", "IM": "OTHER"}.get(given.target.code)
    if given.target.code == "EMAIL" and not all("@" in text for text in given.texts):
        raise Unfit("not an e-mail address")
    extra = {"enum_code": kind} if kind else {}
    texts = [shorten(text) for text in given.texts]
    return Fit(tuple({"value": text, **extra} for text in dict.fromkeys(texts)))


def _address(given: Given) -> Fit:
    return Fit(({"value": shorten(given.text), "enum_code": "address_line_1"},))


def _legal_entity(given: Given) -> Fit:
    return one_value({"name": shorten(given.text)})


TO_AMO: dict[str, Callable[[Given], Fit]] = {
    "text": _text,
    "textarea": _area,
    "numeric": _number,
    "price": _number,
    "monetary": _number,
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
