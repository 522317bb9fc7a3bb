"""Dates and moments as people write them, read in an account's time zone. Pure.

Like ``coercion``: the value, or why there is none. Day before month where both are numbers, as the product's
people write it, unless that can't be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from connectors.coercion import LONGEST, ONE_VALUE, TOKEN, Read
from connectors.contact import visible
from connectors.messages import message

NO_DATE, NO_DATE_ALONE = message("not a date"), message("not a date alone")
NAMES_OF_MONTHS = (
    "январь января янв january jan",
    "февраль февраля фев февр february feb",
    "март марта мар march mar",
    "апрель апреля апр april apr",
    "май мая may",
    "июнь июня июн june jun",
    "июль июля июл july jul",
    "август августа авг august aug",
    "сентябрь сентября сен сент september sep sept",
    "октябрь октября окт october oct",
    "ноябрь ноября ноя нояб november nov",
    "декабрь декабря дек december dec",
)
MONTH_OF = {word: month for month, words in enumerate(NAMES_OF_MONTHS, start=1) for word in words.split()}
DASHES = str.maketrans("−–—", "---")
YEARS = range(1900, 2101)
STANDARD = re.compile(
    r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)? ?(?:z|[+-]\d\d(?::?\d\d)?)?)?", re.IGNORECASE
)
UNIX = re.compile(r"1\d{9}(?:\d{3})?")  # 2001 to 2033, in seconds or milliseconds; no phone begins so
DATE = re.compile(
    r"""(?<![\d./-])(?:
          (?P<y1>\d{4}) (?P<s1>[-./]) (?P<m1>\d{1,2}) (?P=s1) (?P<d1>\d{1,2})
        | (?P<d2>\d{1,2}) (?P<s2>[-./]) (?P<m2>\d{1,2}) (?P=s2) (?P<y2>\d{4}|\d{2})
        | (?P<d3>\d{1,2}) (?:st|nd|rd|th|-?го|-?е)? [ ./-]{1,3} (?:of[ ])?
          (?P<m3>[^\W\d_]{3,9}) [ .,/-]{1,3} (?P<y3>\d{4})
        )(?!\d|[./-]\d)
        | (?<![^\W\d_])(?P<m4>[^\W\d_]{3,9}) [ .]{1,2} (?P<d4>\d{1,2}) (?:st|nd|rd|th)? [ ,]{1,2}
          (?P<y4>\d{4})(?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
CLOCK = re.compile(
    r"""(?<![\d+])(?P<h>[01]?\d|2[0-3]) : (?P<m>[0-5]\d) (?: : (?P<s>[0-5]\d) )? (?: [.,]\d{1,9} )?
        (?: [ ]? (?P<half>[ap]) \.? m \.? )? (?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
OFFSET = re.compile(r"(?:gmt|utc)? ?(?P<sign>[+-])(?P<h>\d\d):?(?P<m>\d\d)(?!\d)", re.IGNORECASE)
LIMITS = (
    "с со по до от после раньше позже не или либо и кроме примерно около before after from until till by "
    "between not or and since around к ко через спустя плюс минус приблизительно ориентировочно "
    "by about approximately ~ ≈ < > ≤ ≥ ± + ?"
)
AROUND = frozenset(LIMITS.split())
PARTS = (
    "утро утром утра день днем днём дня вечер вечером вечера ночь ночью ночи полдень полночь обед обеда "
    "morning noon afternoon evening night midnight lunch"
)
PARTS_OF_DAY = frozenset(PARTS.split())
GREENWICH, MOSCOW = frozenset({"utc", "gmt", "z"}), frozenset({"мск", "msk"})
OTHERS = "EST EDT CST CDT MST MDT PST PDT CET CEST EET EEST WET BST IST JST KST SAMT YEKT OMST KRAT IRKT YAKT"
OTHER_ZONES = frozenset(OTHERS.split())


@dataclass(frozen=True, slots=True)
class _Moment:
    """``at`` is None where a day alone is named; aware where a zone is. ``rough``: in the evening."""

    day: date
    at: time | None = None
    rough: bool = False


def day(texts: Sequence[str], zone: tzinfo) -> Read[date]:
    """The one day that is named, whatever zone wrote it; a moment's day is that of ``zone``, the account's.

    Midnight with a zone is how browsers send a day: that day is meant. Day before month where both are
    numbers, unless that can't be. Spans ("28.11.2026 - 30.11.2026") and limits ("до 28.11.2026") are not
    read.
    """
    read = _when(texts, zone)
    if read.value is None or read.value.at is None or read.value.at.replace(tzinfo=None) == time(0):
        return Read(read.value.day if read.value else None, read.but)
    return Read(_joined(read.value, zone).astimezone(zone).date())


def moment(texts: Sequence[str], zone: tzinfo) -> Read[datetime]:
    """The one moment that is named, aware; midnight in ``zone`` where a day is. Otherwise like ``day``."""
    read = _when(texts, zone)
    if read.value and read.value.rough:
        return Read(None, message("not a time of the day"))
    return Read(_joined(read.value, zone) if read.value else None, read.but)


def _joined(found: _Moment, zone: tzinfo) -> datetime:
    at = found.at or time(0)
    return datetime.combine(found.day, at, tzinfo=at.tzinfo or zone)


def noon(day: date, zone: tzinfo) -> datetime:
    """The middle of the day: safe from a CRM that snaps to its own midnight."""
    return datetime.combine(day, time(12), tzinfo=zone)


def _when(texts: Sequence[str], zone: tzinfo) -> Read[_Moment]:
    if len(texts) != 1:
        return Read(None, ONE_VALUE)
    if len(texts[0]) > LONGEST:
        return Read(None, NO_DATE)
    text = visible(texts[0]).translate(DASHES)
    try:
        if UNIX.fullmatch(text):
            at = datetime.fromtimestamp(int(text[:10]), zone)
            return Read(_Moment(at.date(), at.timetz()))
        found = _standard(text) if STANDARD.fullmatch(text) else _human(text)
    except ValueError:  # 31.02.2026
        return Read(None, NO_DATE)
    if found.value and found.value.day.year not in YEARS:
        return Read(None, NO_DATE)
    return found


def _standard(text: str) -> Read[_Moment]:
    at = datetime.fromisoformat(text.upper().replace(" Z", "Z").replace(" +", "+"))
    return Read(_Moment(at.date(), at.timetz() if len(text) > len("2026-11-28") else None))


def _human(text: str) -> Read[_Moment]:
    dates = [found for found in DATE.finditer(text) if _month(found)]
    if len(dates) != 1:
        return Read(None, NO_DATE_ALONE if dates else NO_DATE)
    rest = text[: dates[0].start()] + " " + text[dates[0].end() :]
    clocks = list(CLOCK.finditer(rest))
    clock = clocks[0] if len(clocks) == 1 else None
    at = _clock(clock) if clock else None
    if clock and at:
        rest = rest[: clock.start()] + " " + rest[clock.end() :]
        if offset := OFFSET.search(rest):
            at, rest = at.replace(tzinfo=_zone(offset)), rest[: offset.start()] + rest[offset.end() :]
        elif named := [word for word in TOKEN.findall(rest) if _is_a_zone(word)]:
            if len(named) > 1 or named[0].casefold() not in GREENWICH | MOSCOW:
                return Read(None, message("the time zone {zone} is not known here", zone=named[0]))
            hours = 3 if named[0].casefold() in MOSCOW else 0
            at = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    words = TOKEN.findall(rest.casefold())
    if any(word[0].isdigit() or word in AROUND for word in words):
        return Read(None, NO_DATE_ALONE)
    if clock and clock["half"] and dates[0]["s2"] == "/" and _is_either_order(dates[0]):
        return Read(None, message("which is the day and which the month can't be told"))
    return Read(_Moment(_date(dates[0]), at, rough=not PARTS_OF_DAY.isdisjoint(words)))


def _month(found: re.Match[str]) -> int:
    name = found["m3"] or found["m4"]
    return MONTH_OF.get(name.casefold(), 0) if name else int(found["m1"] or found["m2"])


def _date(found: re.Match[str]) -> date:
    parts = found.groupdict()
    year = next(parts[f"y{form}"] for form in "1234" if parts[f"y{form}"])
    number = int(next(parts[f"d{form}"] for form in "1234" if parts[f"d{form}"]))
    month = _month(found)
    if found["m2"] and month > 12 >= number:
        number, month = month, number
    return date(int(year) if len(year) == 4 else _century(int(year)), month, number)


def _is_either_order(found: re.Match[str]) -> bool:
    """``03/08/2026 5:30 pm``: with halves of a day the month may come first."""
    first, second = int(found["d2"]), int(found["m2"])
    return first <= 12 and second <= 12 and first != second


def _century(short: int) -> int:
    """27.03.87 is in 1987, 27.03.26 in 2026."""
    return 2000 + short if short < 50 else 1900 + short


def _clock(found: re.Match[str]) -> time:
    hour = int(found["h"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    return time(hour, int(found["m"]), int(found["s"] or 0))


def _is_a_zone(word: str) -> bool:
    """``UTC``, ``мск``, ``EST``; days of the week and months are no zones."""
    return word in OTHER_ZONES or word.casefold() in GREENWICH | MOSCOW


def _zone(found: re.Match[str]) -> timezone:
    offset = timedelta(hours=int(found["h"]), minutes=int(found["m"]))
    return timezone(-offset if found["sign"] == "-" else offset)
