"""A local Envybox on a clock that stands still, and somebody who talks to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sandbox.core import Reply
from connectors.sandbox.envybox import Crm, EnvySandbox

NOW = 1_800_000_000  # a Friday, 08:00 UTC
JSON = {"Content-Type": "application/json"}
WRONG_KEY = "Неправильный ключ api"


@dataclass
class Envy:
    """Speaks plain Envybox: a key in the query, JSON inside `request`."""

    box: EnvySandbox
    crm: Crm
    numbers: Any = field(default_factory=lambda: count(1))

    def url(self, method: str, **query: Any) -> str:
        return f"https://{self.crm.host}/openapi/v1/{method}/?{urlencode({'api_key': self.crm.key, **query})}"

    def call(self, method: str, /, **params: Any) -> Reply:
        return self.box.handle("POST", self.url(method), JSON, json.dumps({"request": params}))

    def ask(self, method: str, /, **query: Any) -> Reply:
        return self.box.handle("GET", self.url(method, **query))

    def ok(self, method: str, /, **params: Any) -> dict[str, Any]:
        return good(self.call(method, **params))

    def got(self, method: str, /, **query: Any) -> dict[str, Any]:
        return good(self.ask(method, **query))

    def refused(self, method: str, /, **params: Any) -> tuple[int, str]:
        return bad(self.call(method, **params))

    # -- what most tests begin with -------------------------------------------------------------------

    def body(self, **values: Any) -> dict[str, Any]:
        """A lead of somebody new, unless `values` say who."""
        number = next(self.numbers)
        known = {"name": f"Анна {number}", "phone": f"+7999{number:07d}"} | values
        return {"method": "create", "values": {key: value for key, value in known.items() if value}}

    def set(self, more: dict[str, Any] | None = None, **values: Any) -> int:
        number: int = self.ok("lead/set", **self.body(**values), **(more or {}))["id"]
        return number

    def lead(self, lead_id: int) -> dict[str, Any]:
        row: dict[str, Any] = self.ok("lead/get", lead_id=lead_id)["result"]
        return row

    def start(self, lead_id: int, **more: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.ok("lead/start", lead_id=lead_id, **more)["result"]
        return result

    def deal(self, deal_id: int, **more: Any) -> dict[str, Any]:
        row: dict[str, Any] = self.ok("deal/get", deal_id=deal_id, **more)["result"]
        return row

    def new_deal(self, more: dict[str, Any] | None = None, **values: Any) -> int:
        number: int = self.start(self.set(more, **values))["deal_id"]
        return number


def good(reply: Reply) -> dict[str, Any]:
    body: dict[str, Any] = reply.value()
    assert (reply.status, body.get("status_code"), body.get("message")) == (200, 200, "success"), reply.text
    return body


def bad(reply: Reply) -> tuple[int, str]:
    body = reply.value()
    assert set(body) == {"status_code", "message"}
    return body["status_code"], body["message"]


@pytest.fixture
def envy() -> EnvySandbox:
    box = EnvySandbox(courier=lambda *_: 200)
    box.clock.freeze(NOW)
    box.switches["ids"] = "numbers"  # ids can be compared so; how each method prints them has its own test
    return box


@pytest.fixture
def crm(envy: EnvySandbox) -> Crm:
    return envy.add_account("demo7")


@pytest.fixture
def ev(envy: EnvySandbox, crm: Crm) -> Envy:
    return Envy(envy, crm)
