"""Whose account is it? (reference 2)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.amocrm.lists import user_row
from connectors.base import Identity
from connectors.errors import Refused
from connectors.http import HttpClient


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
