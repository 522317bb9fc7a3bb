"""The follow-up task of a rule: what somebody is to do about a new lead, who, and until when. Pure.

    {"Text": "Call {{ contact.name }}", "Minutes": 15, "PerformerID": 901,
     "Hours": [{"Days": [1, 2, 3, 4, 5], "From": "09:00", "To": "18:00"}]}

Nobody named: whoever looks after the lead has the task. Minutes count from when the lead is made; where there
are working hours they count within these alone, by the account's clock. A route may have a task of its own,
or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.messages import message
from rules.mapping.responsible import Shift, read_shift
from rules.mapping.templates import Text

WHAT = message("the text of the task")
MOST_MINUTES = 365 * 24 * 60
FURTHEST = 800  # days in which working hours are looked for: any of these a year of minutes away


@dataclass(frozen=True, slots=True)
class FollowUp:
    """``performer`` and ``department`` are remote ids, one of them at most; ``type`` is the CRM's."""

    text: Text
    minutes: int
    performer: str = ""
    department: str = ""
    type: str = ""
    hours: tuple[Shift, ...] = ()

    def due(self, made_at: datetime) -> datetime:
        """``made_at`` is in the account's own time zone."""
        return due_at(made_at, self.minutes, self.hours)


def read_stored(said: Mapping[str, Any]) -> FollowUp | None:
    """As ``Rule.extra`` has it, which was checked when it was saved; None for none."""
    if not said:
        return None
    return FollowUp(
        Text(said["text"], WHAT),
        said["minutes"],
        said.get("performer", ""),
        said.get("department", ""),
        said.get("type", ""),
        tuple(read_shift(shift, "") for shift in said.get("hours", ())),
    )


def due_at(begin: datetime, minutes: int, hours: Sequence[Shift]) -> datetime:
    """When so many minutes have passed since ``begin``, within ``hours`` where there are any.

    They are counted in UTC, where an hour that clocks show twice or skip is one like any other.
    """
    now, left, zone = begin.astimezone(UTC), timedelta(minutes=minutes), begin.tzinfo
    for start, end in _working_times(begin.date() - timedelta(days=1), hours) if hours else ():
        start, end = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in (start, end))
        now = max(now, start)
        if now + left <= end:
            return (now + left).astimezone(zone)
        left -= max(end - now, timedelta())
        now = max(now, end)
    return (now if hours else now + left).astimezone(zone)


def _working_times(first: date, hours: Sequence[Shift]) -> Iterator[tuple[datetime, datetime]]:
    """Wall times from the first day on, each when its day has come; what overlaps is counted once."""
    until = datetime.combine(first, time.min)
    for number in range(FURTHEST):
        midnight = datetime.combine(first + timedelta(days=number), time.min)
        today = [shift for shift in hours if midnight.isoweekday() in shift.days]
        for shift in sorted(today, key=lambda one: one.start):
            start = midnight + timedelta(minutes=shift.start)
            end = midnight + timedelta(minutes=shift.end, days=0 if shift.start < shift.end else 1)
            start, until = max(start, until), max(end, until)
            if start < end:
                yield start, end
