"""HTTP to this machine: one request, one reply. No redirect is followed, no status is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

SECONDS = 20.0


@dataclass(frozen=True)
class Reply:
    url: str
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def ask(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """Raises ``OSError`` where nobody answers."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=SECONDS)
    try:
        connection.request(
            method, f"{parts.path or '/'}?{parts.query}".rstrip("?"), body, dict(headers or {})
        )
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Reply(url, response.status, dict(response.getheaders()), text)
    except HTTPException as exc:
        raise OSError(f"{url} broke off: {type(exc).__name__}") from exc
    finally:
        connection.close()


def look_into(control_url: str, crm: str, what: str, **query: Any) -> Any:
    """Read the sandboxes' control API: ledger, journal ..."""
    return ask("GET", f"{control_url}/_sandbox/{crm}/{what}?{urlencode(query)}").json()


def tell(control_url: str, crm: str, operation: str, **arguments: Any) -> Any:
    """Change something there: switches, faults ..."""
    return ask("POST", f"{control_url}/_sandbox/{crm}/{operation}", json.dumps(arguments).encode()).json()
