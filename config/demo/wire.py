"""HTTP to this machine: one request, one reply. No redirect is followed, no status is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

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


def control(base: str, crm: str, operation: str, **arguments: Any) -> Any:
    """An operation of the sandboxes' control API: with arguments it changes something, without it reads."""
    body = json.dumps(arguments).encode() if arguments else None
    return ask("POST" if arguments else "GET", f"{base}/_sandbox/{crm}/{operation}", body).json()
