"""When an account is reconciled: the next night by its own clock, on the nights when that is changed, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.outcomes import reconciling


@pytest.mark.parametrize("night", ["2026-03-28", "2026-10-24", "2026-11-14"])
def test_the_next_night_is_always_to_come(monkeypatch, night):
    monkeypatch.setattr(reconciling, "zone_of", lambda account: ZoneInfo("Europe/Berlin"))
    begins = datetime.fromisoformat(f"{night}T20:00:00+00:00").astimezone(UTC)
    for key in range(20):
        account: Any = SimpleNamespace(pk=key)
        for minutes in range(0, 600, 10):
            now = begins + timedelta(minutes=minutes)
            at = reconciling.next_night(account, now)
            assert timedelta(0) < at - now <= timedelta(hours=26), (key, now)
