"""When a CRM is asked again about a lead: the longer nothing happens, the less often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.outcomes.following import look_later

DELIVERED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "changed", "closed", "pause"),
    [
        (timedelta(hours=1), None, False, timedelta(hours=1)),
        (timedelta(hours=30), None, False, timedelta(hours=6)),
        (timedelta(days=20), None, False, timedelta(days=1)),
        (timedelta(days=20), timedelta(days=20, hours=-2), False, timedelta(hours=1)),
        (timedelta(days=20), timedelta(days=-3), False, timedelta(days=1)),
        (timedelta(hours=1), None, True, timedelta(days=7)),
        (timedelta(days=179), None, True, timedelta(days=7)),
    ],
)
def test_the_next_look(now, changed, closed, pause):
    changed_at = DELIVERED + changed if changed is not None else None
    now = DELIVERED + now
    found = look_later(created_at=DELIVERED, changed_at=changed_at, closed=closed, now=now)
    assert found == now + pause


@pytest.mark.parametrize(
    ("now", "changed", "closed", "pause"),
    [
        (timedelta(hours=1), None, False, timedelta(days=1)),
        (timedelta(days=3), None, False, timedelta(days=3)),
        (timedelta(days=90), None, False, timedelta(days=30)),
        (timedelta(days=20), timedelta(days=20, hours=-2), False, timedelta(days=1)),
        (timedelta(hours=1), None, True, timedelta(days=30)),
    ],
)
def test_where_notices_lead_looks_are_samples(now, changed, closed, pause):
    changed_at = DELIVERED + changed if changed is not None else None
    known = {"created_at": DELIVERED, "changed_at": changed_at, "closed": closed, "notices": True}
    assert look_later(now=DELIVERED + now, **known) == DELIVERED + now + pause


@pytest.mark.parametrize(("notices", "expected"), [(False, 221), (True, 12)])
def test_so_many_looks_a_lead_costs_at_which_nothing_changes(notices, expected):
    """The arithmetic of docs/operating.md."""
    looks, at = 0, DELIVERED + timedelta(hours=1)
    while at is not None:
        looks += 1
        known = {"created_at": DELIVERED, "changed_at": None, "closed": False, "notices": notices}
        at = look_later(now=at, **known)
    assert looks == expected


@pytest.mark.parametrize("closed", [True, False])
def test_nobody_looks_for_ever(settings, closed):
    settings.FOLLOW_DAYS = 30
    last = DELIVERED + timedelta(days=30)
    assert look_later(created_at=DELIVERED, changed_at=last, closed=closed, now=last) is None
