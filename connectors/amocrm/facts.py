"""Whose account it is, and what deliveries need to know of it (reference 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.amocrm.lists import user_row
from connectors.base import Identity
from connectors.errors import Refused
from connectors.http import HttpClient

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
    """What deliveries need to know of an account.

    ``mark_field`` is the id of our text field for external ids on leads, 0 where we may not make one. Leads
    made before ``mark_since`` (seconds since 1970) may lack theirs: the field was deleted and made again.
    """

    zone: tzinfo = UTC
    customers_mode: str = ""
    currency: str = ""
    mark_field: int = 0
    mark_since: float = 0.0
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
            mark_since=float(facts.get("mark_since") or 0),
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


def current_user(http_client: HttpClient, account: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user whose consent made our token; empty where that user may not look at users."""
    if not account.get("current_user_id"):
        return {}
    try:
        user = http_client.call(
            "GET", f"/api/v4/users/{account['current_user_id']}", params={"with": "role,group"}
        )
    except Refused:
        return {}
    return user if isinstance(user, dict) and "id" in user else {}


def read_identity(account: Mapping[str, Any], user: Mapping[str, Any], base_url: str) -> Identity:
    row = user_row(user) if user else None
    return Identity(
        remote_id=str(account["id"]),
        name=str(account.get("name") or ""),
        host=urlsplit(base_url).netloc,
        subdomain=str(account.get("subdomain") or ""),
        country=str(account.get("country") or ""),
        user_id=str(account.get("current_user_id") or ""),
        user_name=row.name if row else "",
        user_email=row.email if row else "",
        user_role=row.role if row else "",
        user_group=row.group_id if row else "",
        facts=read_facts(account, user),
    )


def read_facts(account: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """What deliveries need to know of the account."""
    parts = account.get("_embedded") or {}
    return {
        "timezone": str((parts.get("datetime_settings") or {}).get("timezone") or ""),
        "customers_mode": str(account.get("customers_mode") or ""),
        "currency": str(account.get("currency") or ""),
        "api_filter": bool(account.get("is_api_filter_enabled")),
        "contact_name_order": int(account.get("contact_name_display_order") or 1),
        "is_admin": bool((user.get("rights") or {}).get("is_admin")),
    }
