"""The quiz service: a bearer token and our REST API, nothing else."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from config.demo.errors import DemoFailed
from config.demo.http import Reply, ask

MOST_ROWS = 1000


class QuizService:
    """Calls on behalf of one quiz account. A status that isn't expected raises ``DemoFailed``."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path).json()

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body).json()

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """A list's rows; none where the CRM's contract says 404 for an empty list (``count`` likewise)."""
        reply = self.send("GET", f"{path}?{urlencode({'size': MOST_ROWS, **query})}")
        if reply.status == 404:
            return []
        return list(self.expected(reply, "GET", path).json()["items"])

    def count(self, path: str, **query: Any) -> int:
        """How many rows a list has."""
        reply = self.send("GET", f"{path}?{urlencode({'size': 1, **query})}")
        return 0 if reply.status == 404 else int(self.expected(reply, "GET", path).json()["count"])

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        return self.expected(self.send(method, path, body), method, path)

    def send(self, method: str, path: str, body: Any = None) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return ask(method, self.url + path, content, headers)

    @staticmethod
    def expected(reply: Reply, method: str, path: str) -> Reply:
        if reply.status not in (200, 202):
            raise DemoFailed(f"{method} {path} answered {reply.status}: {reply.text[:500]}")
        return reply
