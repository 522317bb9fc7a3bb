"""Every request a sandbox received, without secrets, bounded in size, counted per route."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.wire import Request

SECRET_HEADERS = frozenset(
    {
        *("authorization", "cookie", "x-refresh-token", "x-api-key", "x-auth-token"),
        *("x-crypto-token", "x-crypto-secret"),
    }
)
SECRET_NAMES = "client_secret|refresh_token|access_token|auth|auth_token|api_key|apikey|token|secret|password"
_LONG_CODE = re.compile(r'((?:"code"\s*:\s*"|(?:^|&)code=))[^"&]{40,}')  # not the code of a custom field
_JSON_SECRET = re.compile(rf'("(?:{SECRET_NAMES})"\s*:\s*")[^"]*"')
_FORM_SECRET = re.compile(rf"((?:^|&)(?:{SECRET_NAMES})=)[^&]*")
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Entry:
    """One received request. Secrets are cut when it is read, so that recording costs nothing."""

    at: float
    request: Request
    route: str
    status: int  # 0: the connection was dropped

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def host(self) -> str:
        return self.request.netloc

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def query(self) -> dict[str, str]:
        names = ("code", *SECRET_NAMES.split("|"))
        return {name: HIDDEN if name in names else value for name, value in self.request.query}

    @property
    def headers(self) -> dict[str, str]:
        return {name: value for name, value in self.request.headers.items() if name not in SECRET_HEADERS}

    @property
    def body(self) -> str:
        text = self.request.body.decode("utf-8", "replace")
        text = _LONG_CODE.sub(rf"\1{HIDDEN}", text)
        return _FORM_SECRET.sub(rf"\1{HIDDEN}", _JSON_SECRET.sub(rf'\1{HIDDEN}"', text))

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def as_dict(self) -> dict[str, Any]:
        names = ("at", "method", "host", "path", "query", "headers", "body", "route", "status")
        return {name: getattr(self, name) for name in names}


class Journal:
    def __init__(self, size: int = 5000, max_bytes: int = 32 * 2**20) -> None:
        self._entries: deque[Entry] = deque()
        self._size, self._max_bytes, self._bytes = size, max_bytes, 0
        self.counts: Counter[str] = Counter()  # "POST /api/v4/leads/complex" -> requests
        self.statuses: Counter[int] = Counter()
        self.total = 0

    def record(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._bytes += len(entry.request.body)
        while len(self._entries) > self._size or (self._bytes > self._max_bytes and len(self) > 1):
            self._bytes -= len(self._entries.popleft().request.body)
        self.counts[entry.route] += 1
        self.statuses[entry.status] += 1
        self.total += 1

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def find(self, method: str | None = None, path: str = "", status: int | None = None) -> list[Entry]:
        """Entries by method, by a piece of the path (a regular expression) and by status."""
        return [
            entry
            for entry in self
            if (method is None or entry.method == method)
            and re.search(path, entry.path)
            and (status is None or entry.status == status)
        ]

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = 0
        self.counts.clear()
        self.statuses.clear()
        self.total = 0
