"""What an access token says of itself. Hints only: the vendor's key is the vendor's (reference 1.7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from connectors.hosts import HostNotAllowed, HostPolicy


def claims(access: str) -> Mapping[str, Any]:
    """The payload of a JWT, unverified; empty for anything else."""
    parts = access.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def api_domain(access: str, hosts: HostPolicy) -> str:
    """The host that knows where an account moved to, if it is one of the vendor's; else empty."""
    domain = claims(access).get("api_domain")
    try:
        return hosts.allow(domain) if isinstance(domain, str) and domain else ""
    except HostNotAllowed:
        return ""
