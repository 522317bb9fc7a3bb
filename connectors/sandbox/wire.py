"""What goes over the wire between a client and a sandbox: frozen values, no behaviour of a CRM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Dropped(ConnectionResetError):
    """The sandbox closed the connection without an answer (a fault asked for it)."""


class TimedOut(Dropped):
    """As Dropped, but the client should see a read timeout rather than a reset."""


@dataclass(frozen=True)
class Request:
    method: str
    scheme: str
    netloc: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    body: bytes = field(repr=False)
    at: float = 0.0  # when it arrived, by the CRM's clock

    @classmethod
    def make(
        cls,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        at: float = 0.0,
    ) -> Request:
        parts = urlsplit(url)
        return cls(
            method=method.upper(),
            scheme=parts.scheme or "http",
            netloc=parts.netloc.rpartition("@")[2].lower(),
            path=unquote(parts.path) or "/",
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={str(name).lower(): str(value) for name, value in (headers or {}).items()},
            body=body.encode() if isinstance(body, str) else body or b"",
            at=at,
        )

    @property
    def hostname(self) -> str:
        return self.netloc.partition(":")[0]

    @property
    def port(self) -> int | None:
        port = self.netloc.partition(":")[2]
        return int(port) if port.isdigit() else None

    @cached_property
    def params(self) -> dict[str, str]:
        return dict(self.query)

    def json(self) -> Any:
        """The body as JSON; ValueError when it is not."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drip: float = 0.0  # seconds over which the server spreads the body

    @classmethod
    def json(cls, status: int, value: Any, content_type: str = "application/json", **headers: str) -> Reply:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, {"Content-Type": content_type, **named}, body)

    @classmethod
    def html(cls, status: int, text: str, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, {"Content-Type": "text/html; charset=utf-8", **named}, text.encode())

    @classmethod
    def not_here(cls, title: str, what: str) -> Reply:
        """501 for what the real CRM has and its stand-in lacks: it is not the CRM's own refusal."""
        return cls.json(501, {"error": not_here_words(title, what)})

    @classmethod
    def redirect(cls, location: str) -> Reply:
        return cls(302, {"Location": location, "Content-Type": "text/html; charset=utf-8"})

    def value(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def not_here_words(title: str, what: str) -> str:
    return (
        f"The local {title} has no {what}; the real one does. connectors/sandbox/README.md lists such things."
    )
