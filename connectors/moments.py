"""Dates as people write them, read in an account's time zone (pure)."""

from __future__ import annotations

import re
from datetime import datetime, time, tzinfo

MONTHS = {
    **{
        stem: number
        for number, stem in enumerate(
            ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"), start=1
        )
    },
    **{
        stem: number
        for number, stem in enumerate(
            ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
        )
    },
}
ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[-./](\d{1,2})[-./](\d{4}|\d{2})(?!\d)")
DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|-?го)?\s+([^\W\d_]{3,})\.?,?\s+(\d{4})(?!\d)")
MONTH_DAY = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:[.,]\d+)?\s*([ap]m)?(?!\d)")
UNIX = re.compile(r"\d{9,10}|\d{12,13}")


def read_moment(text: str, zone: tzinfo) -> datetime | None:
    """The aware moment that ``text`` names, midnight in ``zone`` where it names a day; None for none.

    Day before month where both are numbers, as the product's people write it, unless that can't be.
    """
    text = text.strip().lower()
    if UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), zone)
    return _standard(text, zone) or _human(text, zone)


def _standard(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace("z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _human(text: str, zone: tzinfo) -> datetime | None:
    day = _day(text)
    if day is None:
        return None
    try:
        return datetime(*day, *_clock(text), tzinfo=zone)
    except ValueError:
        return None


def _day(text: str) -> tuple[int, int, int] | None:
    if found := ISO.search(text):
        year, month, day = map(int, found.groups())
        return year, month, day
    if found := NUMERIC.search(text):
        return _ordered(*found.groups())
    if (found := DAY_MONTH.search(text)) and (month := _month(found[2])):
        return int(found[3]), month, int(found[1])
    if (found := MONTH_DAY.search(text)) and (month := _month(found[1])):
        return int(found[3]), month, int(found[2])
    return None


def _ordered(first: str, second: str, year: str) -> tuple[int, int, int]:
    full = int(year) if len(year) == 4 else _century(int(year))
    day, month = int(first), int(second)
    return (full, day, month) if month > 12 >= day else (full, month, day)


def _century(short: int) -> int:
    """27.03.87 is in 1987, 27.03.26 in 2026."""
    return 2000 + short if short < 50 else 1900 + short


def _month(word: str) -> int:
    """``марта`` and ``March`` are 3; the longest stem decides, so that ``мар`` beats ``ма``."""
    stems = [stem for stem in MONTHS if word.startswith(stem)]
    return MONTHS[max(stems, key=len)] if stems else 0


def _clock(text: str) -> tuple[int, int, int]:
    found = CLOCK.search(text)
    if not found:
        return 0, 0, 0
    hour = int(found[1]) % 12 + (12 if found[4] == "pm" else 0) if found[4] else int(found[1])
    return hour, int(found[2]), int(found[3] or 0)


def noon(moment: datetime, zone: tzinfo) -> datetime:
    """The middle of the day: safe from a CRM that snaps to its own midnight."""
    return datetime.combine(moment.astimezone(zone).date(), time(12), tzinfo=zone)
