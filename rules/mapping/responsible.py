"""Who may be responsible for leads of a rule: people with weights, working hours and absences. Pure.

    {"Own": true, "By": "answer.city", "Map": {"Тула": "902"},
     "People": [{"PerformerID": "901", "Weight": 2, "Away": [{"From": "2026-12-30", "To": "2027-01-08"}],
                 "Hours": [{"Days": [1, 5], "From": "09:00", "To": "18:00"}]}]}

Whoever looks after the person's contact in the CRM already comes first, where ``Own`` says so, then whom the
answer names; else the people have their turns, as often as their weights say, those
who work at that hour by the account's clock. Who left the CRM is skipped. A turn is taken by
``rules.delivery.assignment``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed, same_text
from rules.mapping.values import AnswerValues

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
MOST_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Shift:
    """``days`` are 1 (Monday) to 7; ``start`` and ``end`` minutes of the day. One that ends earlier than it
    begins goes over midnight: its day is the one on which it began."""

    days: frozenset[int]
    start: int
    end: int

    def has(self, at: datetime) -> bool:
        minute, today = at.hour * 60 + at.minute, at.isoweekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 2) % 7 + 1
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who takes turns. No ``shifts``: at any hour. ``away`` are first and last days, inclusive."""

    performer: str
    weight: int = 1
    shifts: tuple[Shift, ...] = ()
    away: tuple[tuple[date, date], ...] = ()

    def works(self, at: datetime) -> bool:
        """At this moment of the account's own time zone?"""
        if any(first <= at.date() <= last for first, last in self.away):
            return False
        return not self.shifts or any(shift.has(at) for shift in self.shifts)


@dataclass(frozen=True, slots=True)
class Responsible:
    """``own``: whoever looks after the person's contact comes first. ``by`` is the value whose text chooses
    somebody by ``by_text``, folded texts to performers."""

    people: tuple[Candidate, ...] = ()
    by: str = ""
    by_text: Mapping[str, str] = field(default_factory=dict)
    own: bool = False

    def __bool__(self) -> bool:
        return bool(self.own or self.people or self.by_text)

    def everybody(self) -> frozenset[str]:
        return frozenset((*(one.performer for one in self.people), *self.by_text.values()))

    def named_by(self, values: AnswerValues) -> str:
        """Whom the answer names, or nobody."""
        texts = values.texts(self.by) if self.by else ()
        return next((self.by_text[key] for text in texts if (key := same_text(text)) in self.by_text), "")


def take_turn(owed: MutableMapping[str, int], people: Sequence[Candidate]) -> str:
    """Whose turn it is among ``people``; ``owed`` is how far behind their share everybody is, and is changed.

    Smooth weighted round robin: nobody is ever a whole lead away from their share, and whoever was not there
    owes and is owed nothing.
    """
    for one in people:
        owed[one.performer] = owed.get(one.performer, 0) + one.weight
    chosen = max(people, key=lambda one: owed[one.performer])
    owed[chosen.performer] -= sum(one.weight for one in people)
    return chosen.performer


def return_turn(owed: MutableMapping[str, int], people: Sequence[Candidate], chosen: str) -> None:
    """As if ``take_turn`` had not given ``chosen`` a turn among ``people``: it was not used."""
    for one in people:
        owed[one.performer] = owed.get(one.performer, 0) - one.weight
    owed[chosen] += sum(one.weight for one in people)


def read_shift(said: Mapping[str, Any], at: str) -> Shift:
    """Raises ``Malformed``."""
    days = said.get("Days", [1, 2, 3, 4, 5, 6, 7])
    fits = isinstance(days, list) and 1 <= len(days) <= 7
    if not fits or not all(type(day) is int and 1 <= day <= 7 for day in days):
        raise Malformed(f"{at}.Days", message("a list of days is needed, 1 (Monday) to 7"))
    start, end = (_minutes(said.get(key), f"{at}.{key}") for key in ("From", "To"))
    if start == end:
        raise Malformed(f"{at}.To", message("it ends when it begins"))
    return Shift(frozenset(days), start, end)


def read_absence(said: Mapping[str, Any], at: str) -> tuple[date, date]:
    """Raises ``Malformed``."""
    first, last = (_day(said.get(key), f"{at}.{key}") for key in ("From", "To"))
    if last < first:
        raise Malformed(f"{at}.To", message("it ends before it begins"))
    return first, last


def read_stored(said: Mapping[str, Any], tells_owner: bool = False) -> Responsible:
    """As ``Rule.extra`` has it, which was checked when it was saved. ``tells_owner``: the CRM says who looks
    after a contact."""
    people = tuple(
        Candidate(
            one["performer"],
            one.get("weight", 1),
            tuple(read_shift(shift, "") for shift in one.get("hours", ())),
            tuple(read_absence(absence, "") for absence in one.get("away", ())),
        )
        for one in said.get("people", ())
    )
    by_text = {same_text(text): performer for text, performer in said.get("map", {}).items()}
    return Responsible(people, said.get("by", ""), by_text, tells_owner and said.get("own") is True)


def _minutes(said: Any, at: str) -> int:
    if not isinstance(said, str) or not CLOCK.fullmatch(said):
        raise Malformed(at, message("a time of day is needed, such as 09:00"))
    hours, minutes = said.split(":")
    return int(hours) * 60 + int(minutes)


def _day(said: Any, at: str) -> date:
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        raise Malformed(at, message("a day is needed, such as 2026-12-31")) from None
