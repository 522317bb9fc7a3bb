"""Until when a task is: minutes, within working hours where there are any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.mapping.follow_up import due_at
from rules.mapping.responsible import read_shift

MOSCOW = ZoneInfo("Europe/Moscow")
OFFICE = [read_shift({"Days": [1, 2, 3, 4, 5], "From": "09:00", "To": "18:00"}, "")]
NIGHT = [read_shift({"From": "22:00", "To": "06:00"}, "")]
TWO = [
    read_shift({"From": "09:00", "To": "13:00"}, ""),
    read_shift({"From": "12:00", "To": "15:00"}, ""),  # overlaps: that hour counts once
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=MOSCOW)  # the 2nd is a Monday


@pytest.mark.parametrize(
    ("begin", "minutes", "hours", "due"),
    [
        ("02T10:00", 15, [], "02T10:15"),
        ("02T10:00", 15, OFFICE, "02T10:15"),
        ("02T17:50", 15, OFFICE, "03T09:05"),
        ("02T17:50", 10, OFFICE, "02T18:00"),
        ("02T20:00", 15, OFFICE, "03T09:15"),
        ("02T07:00", 15, OFFICE, "02T09:15"),
        ("06T17:50", 15, OFFICE, "09T09:05"),  # over the weekend
        ("07T12:00", 9 * 60 + 1, OFFICE, "10T09:01"),
        ("02T23:50", 15, NIGHT, "03T00:05"),
        ("02T05:50", 15, NIGHT, "02T22:05"),
        ("02T12:00", 15, NIGHT, "02T22:15"),
        ("02T12:30", 180, TWO, "03T09:30"),
    ],
)
def test_when_it_is_due(begin, minutes, hours, due):
    assert due_at(at(begin), minutes, hours) == at(due)


@pytest.mark.parametrize("hours", [[], NIGHT])
@pytest.mark.parametrize("begun", ["2026-10-25T00:50", "2026-10-25T01:50", "2026-03-29T00:50"])
def test_minutes_last_as_long_in_the_hour_that_a_clock_shows_twice_or_skips(begun, hours):
    begin = datetime.fromisoformat(f"{begun}+00:00")
    due = due_at(begin.astimezone(ZoneInfo("Europe/Berlin")), 30, hours)
    assert due.astimezone(UTC) - begin == timedelta(minutes=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(
    begin=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(MOSCOW)),
    minutes=st.integers(1, 20_000),
    more=st.integers(0, 500),
)
def test_more_minutes_are_never_due_earlier_and_always_within_the_hours(begin, minutes, more):
    due = due_at(begin, minutes, OFFICE)
    assert begin < due <= due_at(begin, minutes + more, OFFICE)
    assert due.isoweekday() <= 5
    assert (9, 0) <= (due.hour, due.minute) <= (18, 0)
