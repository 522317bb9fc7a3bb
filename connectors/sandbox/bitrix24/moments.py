"""Dates as a portal writes them: its own zone, whole ISO (reference 2.2, 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from connectors.sandbox.bitrix24.model import Portal

FORMATS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")


def zone(portal: Portal) -> timezone:
    return timezone(timedelta(hours=portal.offset_hours))


def iso(portal: Portal, moment: float) -> str:
    return datetime.fromtimestamp(int(moment), zone(portal)).isoformat()


def read_moment(portal: Portal, text: Any) -> datetime | None:
    """ISO or the portal's own format; None when it cannot be parsed."""
    if not isinstance(text, str) or not text.strip():
        return None
    found = _parsed(text.strip())
    if found is None:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone(portal))).astimezone(zone(portal))


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def timing(portal: Portal, now: float, cost: float = 0.05) -> dict[str, Any]:
    """The six base keys; operating ones are added where the limiter is on (2.2)."""
    done = now + cost
    day = [datetime.fromtimestamp(moment, UTC).astimezone(zone(portal)) for moment in (now, done)]
    return {
        "start": round(now, 6),
        "finish": round(done, 6),
        "duration": round(cost, 6),
        "processing": round(cost * 0.8, 6),
        "date_start": day[0].isoformat(timespec="seconds"),
        "date_finish": day[1].isoformat(timespec="seconds"),
    }
