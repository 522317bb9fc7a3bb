"""Coming back from the consent page, by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.test import Client


def back_to_us(location: str, browser: Client | None = None, **changed: str) -> Any:
    """Follow the CRM's redirect, with some of its parameters changed; "" takes one away."""
    parts = urlsplit(location)
    query = {**dict(parse_qsl(parts.query)), **changed}
    query = {name: value for name, value in query.items() if value}
    return (browser or Client()).get(f"{parts.path}?{urlencode(query)}")
