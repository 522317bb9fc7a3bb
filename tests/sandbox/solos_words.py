"""A local solOS on a clock that stands still, and somebody who talks to it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sandbox.core import Reply
from connectors.sandbox.solos import Account, SolosSandbox

NOW = 1_800_000_000  # 2027-01-15 08:00:00 UTC
LEAD = {
    "user_id": 2,
    "name": "Анна",
    "phone": "+79990000001",
    "email": "anna@example.com",
    "reference_id": 4,
    "comment": "Окна qz-1",
    "extra": {"utm_source": "ads"},
}


class Shop:
    """Speaks plain solOS: two headers, JSON, underscore lists."""

    def __init__(self, sol: SolosSandbox, account: Account) -> None:
        self.sol, self.account = sol, account
        self.headers = {**account.headers, "User-Agent": "solOS/1.0"}

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        named = {**(self.headers if headers is None else headers), "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        return self.sol.handle(method, f"https://{self.account.host}{path}", named, data)

    def get(self, path: str, **query: Any) -> Reply:
        return self.call("GET", f"/backend/public{path}?{urlencode(query)}")

    def rows(self, path: str = "/projects", **query: Any) -> list[dict[str, Any]]:
        reply = self.get(path, **query)
        assert reply.status == 200, reply.text
        rows: list[dict[str, Any]] = reply.value()["payload"]
        return rows

    def ids(self, path: str = "/projects", **query: Any) -> list[int]:
        return [row["id"] for row in self.rows(path, **query)]

    def ask(self, **body: Any) -> Reply:
        """P2."""
        return self.call("POST", "/backend/public/projects/filter", body)

    def filter(self, **body: Any) -> list[int]:
        reply = self.ask(**body)
        assert reply.status == 200, reply.text
        return [row["id"] for row in reply.value()["payload"]]

    def post(self, module: str, payload: Any) -> Reply:
        return self.call("POST", "/api/post/", {"module": module, "payload": payload})

    def read(self, module: str, **more: Any) -> Reply:
        return self.call("POST", "/api/get/", {"module": module, **more})

    def lead(self, **changes: Any) -> int:
        reply = self.post("leads", {**LEAD, **changes})
        number: int = reply.value()["payload"]["id"]
        return number

    def act(self, operation: str, **arguments: Any) -> Any:
        return self.sol.act(self.account, operation, **arguments)


@pytest.fixture
def sol() -> SolosSandbox:
    sandbox = SolosSandbox(courier=lambda *_: 200)
    sandbox.clock.freeze(NOW)
    return sandbox


@pytest.fixture
def shop(sol: SolosSandbox) -> Shop:
    """An account with a dozen projects."""
    return Shop(sol, sol.add_account("demo7"))
