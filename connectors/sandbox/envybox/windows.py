"""Filters by day, in the account's own zone."""

from __future__ import annotations

from connectors.sandbox.envybox.call import Call
from connectors.sandbox.envybox.show import moment


def within(call: Call, at: float | None) -> bool:
    """Between date_start and date_end, both included, where they are given."""
    first, last = call.text("date_start"), call.text("date_end")
    if not (first or last):
        return True
    day = (moment(at, call.switches) or "")[:10]
    return bool(day) and (not first or day >= first) and (not last or day <= last)
