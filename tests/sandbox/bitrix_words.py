"""A local Bitrix24 on a clock that stands still, and somebody who talks to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from connectors.sandbox.bitrix24 import BitrixSandbox, Portal
from connectors.sandbox.core import Reply
from connectors.sandbox.server import Hub

NOW = 1_800_000_000  # a Friday, 08:00 UTC
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Bitrix:
    """Speaks plain Bitrix24: a token, a host, JSON."""

    b24: BitrixSandbox
    portal: Portal
    token: str

    def url(self, method: str) -> str:
        return f"https://{self.portal.host}/rest/{method}"

    def call(self, method: str, **params: Any) -> Reply:
        body = json.dumps({"auth": self.token, **params})
        return self.b24.handle("POST", self.url(method), JSON, body)

    def body(self, method: str, **params: Any) -> dict[str, Any]:
        reply = self.call(method, **params)
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.value()
        return found

    def ok(self, method: str, **params: Any) -> Any:
        return self.body(method, **params)["result"]

    def refused(self, method: str, **params: Any) -> tuple[int, str]:
        reply = self.call(method, **params)
        return reply.status, reply.value()["error"]

    def batch(self, cmd: Any, halt: Any = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("batch", cmd=cmd, halt=halt)
        return found

    def add(self, kind: str, **fields: Any) -> int:
        number: int = self.ok(f"crm.{kind}.add", fields=fields)
        return number

    def item(self, type_id: int, **fields: Any) -> dict[str, Any]:
        made = self.ok("crm.item.add", entityTypeId=type_id, fields=fields, useOriginalUfNames="Y")
        item: dict[str, Any] = made["item"]
        return item

    def deal(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("crm.deal.get", id=number)
        return found


@dataclass
class BitrixOauth:
    """The application's side of the sign-in."""

    b24: BitrixSandbox
    portal: Portal
    host: str = "https://oauth.bitrix24.tech"

    def authorize_url(self, **query: str) -> str:
        asked = {"client_id": self.b24.app.client_id, "state": "s1", **query}
        return f"https://{self.portal.host}/oauth/authorize/?{urlencode(asked)}"

    def consent(self, **query: str) -> dict[str, str]:
        location = self.b24.consent(self.authorize_url(**query), self.portal)
        assert location is not None
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def token(self, method: str = "GET", **fields: Any) -> Reply:
        app = self.b24.app
        asked = {"client_id": app.client_id, "client_secret": app.client_secret, **fields}
        text = urlencode({name: value for name, value in asked.items() if value is not None})
        if method == "GET":
            return self.b24.handle("GET", f"{self.host}/oauth/token/?{text}")
        return self.b24.handle("POST", f"{self.host}/oauth/token/", FORM, text)

    def exchange(self, code: str, method: str = "GET", **fields: Any) -> Reply:
        return self.token(method, grant_type="authorization_code", code=code, **fields)

    def refresh(self, refresh_token: str, method: str = "GET", **fields: Any) -> Reply:
        return self.token(method, grant_type="refresh_token", refresh_token=refresh_token, **fields)

    def pair(self) -> dict[str, Any]:
        tokens: dict[str, Any] = self.exchange(self.consent()["code"]).value()
        return tokens


@dataclass
class Listener:
    """Takes the calls that Bitrix24 makes; `status` is what it answers."""

    status: int = 200
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
        assert (method, headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
        self.calls.append((url, dict(parse_qsl(body.decode(), keep_blank_values=True))))
        return self.status


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def b24(listener: Listener) -> BitrixSandbox:
    sandbox = BitrixSandbox(courier=listener)
    sandbox.clock.freeze(NOW)
    return sandbox


@pytest.fixture
def portal(b24: BitrixSandbox) -> Portal:
    return b24.add_portal("acme")


@pytest.fixture
def bx(b24: BitrixSandbox, portal: Portal) -> Bitrix:
    return Bitrix(b24, portal, b24.issue_tokens(portal)["access_token"])


@pytest.fixture
def employee(b24: BitrixSandbox, portal: Portal) -> Bitrix:
    """The same portal with the token of somebody who is no administrator."""
    person = next(user for user in portal.users.values() if user.active and not user.admin)
    return Bitrix(b24, portal, b24.issue_tokens(portal, person)["access_token"])


@pytest.fixture
def sign_in(b24: BitrixSandbox, portal: Portal) -> BitrixOauth:
    return BitrixOauth(b24, portal)


def leads(bx: Any, count: int) -> None:
    for number in range(count):
        bx.add("lead", TITLE=f"lead {number}")


@pytest.fixture
def b24_hub(b24: Any) -> Iterator[Hub]:
    """Nothing listens elsewhere: the portal of the fixtures gets a port as well."""
    b24.clock.thaw()
    b24.clock.reset()
    hub = Hub([b24], port=0)
    thread = hub.start()
    yield hub
    hub.stop()
    thread.join(2)


@pytest.fixture
def over_http(b24_hub: Hub, b24: Any, portal: Any) -> str:
    portal.port = b24_hub.new_port(b24)
    b24.ports[portal.port] = portal
    return b24_hub.url(portal.port)
