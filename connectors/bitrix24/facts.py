"""What we know of one portal, read from ``Remote.facts``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

SIMPLE = 2  # crm.settings.mode.get: a portal without leads (reference 4.7)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")


@dataclass(frozen=True, slots=True)
class Facts:
    """``tag_fields`` and ``tracking_fields``: our own field of a record type (CRM_DEAL), where it has one."""

    rest_path: str = "/rest"
    zone: tzinfo = UTC
    currency: str = ""
    simple: bool = False
    tag_fields: Mapping[str, str] = field(default_factory=dict)
    tracking_fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Facts:
        return cls(
            rest_path="/" + str(facts.get("rest_path") or "rest").strip("/"),
            zone=zone_of(str(facts.get("offset") or "")),
            currency=str(facts.get("currency") or ""),
            simple=str(facts.get("mode") or "") == str(SIMPLE),
            tag_fields=_names(facts.get("tag_fields")),
            tracking_fields=_names(facts.get("tracking_fields")),
        )


def _names(known: Any) -> Mapping[str, str]:
    return known if isinstance(known, Mapping) else {}


def zone_of(moment: str) -> tzinfo:
    """The offset at the end of a moment, ``+03:00``, as a zone."""
    found = OFFSET.search(moment)
    if not found:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))
