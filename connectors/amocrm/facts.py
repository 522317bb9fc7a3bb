"""What we know of one amoCRM account, read from ``Remote.facts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

CUSTOMERS_OFF = frozenset({"", "unavailable", "disabled"})
# System fields of every account's leads (reference 4.9); the list isn't in the vendor's docs.
TRACKING_CODES = (
    "UTM_SOURCE",
    "UTM_MEDIUM",
    "UTM_CAMPAIGN",
    "UTM_CONTENT",
    "UTM_TERM",
    "UTM_REFERRER",
    "REFERRER",
    "FROM",
    "ROISTAT",
    "GCLIENTID",
    "_YM_UID",
    "_YM_COUNTER",
    "GCLID",
    "YCLID",
    "FBCLID",
    "OPENSTAT_SERVICE",
    "OPENSTAT_CAMPAIGN",
    "OPENSTAT_AD",
    "OPENSTAT_SOURCE",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """``mark_field`` is the id of our text field on leads, 0 where we may not make one."""

    zone: tzinfo = UTC
    customers_mode: str = ""
    currency: str = ""
    mark_field: int = 0
    tracking_codes: frozenset[str] = frozenset(TRACKING_CODES)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Facts:
        mark = str(facts.get("mark_field") or "")
        codes = facts.get("tracking_codes")
        return cls(
            zone=_zone(str(facts.get("timezone") or "")),
            customers_mode=str(facts.get("customers_mode") or ""),
            currency=str(facts.get("currency") or ""),
            mark_field=int(mark) if mark.isdigit() else 0,
            tracking_codes=frozenset(TRACKING_CODES if codes is None else codes),
        )

    @property
    def customers(self) -> bool:
        return self.customers_mode not in CUSTOMERS_OFF


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC
