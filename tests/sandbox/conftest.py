"""A local amoCRM on a clock that stands still, and somebody who talks to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from connectors.sandbox.amocrm import Account, AmoSandbox
from connectors.sandbox.core import Dropped, Reply, TimedOut
from connectors.sandbox.server import Hub
from tests.sandbox.bitrix_words import (  # noqa: F401
    b24,
    b24_hub,
    bx,
    employee,
    listener,
    over_http,
    portal,
    sign_in,
)
from tests.sandbox.envy_words import crm, envy, ev  # noqa: F401
from tests.sandbox.solos_words import shop, sol  # noqa: F401

NOW = 1_800_000_000  # a Friday, 08:00 UTC


class Client:
    """Speaks plain amoCRM: a token, a host, JSON."""

    def __init__(self, amo: AmoSandbox, account: Account, token: str) -> None:
        self.amo, self.account, self.token = amo, account, token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        url = path if path.startswith("http") else f"https://{self.account.host}/api/v4{path}"
        named = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.amo.handle(method, url, named, data)

    def get(self, path: str, **query: Any) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Any = None) -> Reply:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any = None) -> Reply:
        return self.call("PATCH", path, body)

    def names(self, path: str, **query: Any) -> list[str]:
        reply = self.get(path, **query)
        if reply.status == 204:
            return []
        [rows] = reply.value()["_embedded"].values()
        return [row["name"] for row in rows]

    def add(self, kind: str, **card: Any) -> int:
        reply = self.post(f"/{kind}", [card])
        assert reply.status == 200, reply.text
        number: int = reply.value()["_embedded"][kind][0]["id"]
        return number

    def complex(self, *leads: dict[str, Any]) -> Reply:
        return self.post("/leads/complex", list(leads))


class Oauth:
    """The integration's side of the consent."""

    def __init__(self, amo: AmoSandbox, account: Account) -> None:
        self.amo, self.account = amo, account
        self.url = f"https://{account.host}/oauth2/access_token"

    def authorize_url(self, **more: str) -> str:
        query = {"client_id": self.amo.integration.client_id, "mode": "post_message", **more}
        return "https://www.amocrm.ru/oauth?" + urlencode(query)

    def consent(self, **more: Any) -> dict[str, str]:
        allow = more.pop("allow", True)
        location = self.amo.consent(self.authorize_url(**more), self.account, allow=allow)
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def token(self, url: str = "", **fields: Any) -> Reply:
        ours = self.amo.integration
        body = {"client_id": ours.client_id, "client_secret": ours.client_secret}
        body |= {"redirect_uri": ours.redirect_uri, **fields}
        body = {name: value for name, value in body.items() if value is not None}
        headers = {"Content-Type": "application/json"}
        return self.amo.handle("POST", url or self.url, headers, json.dumps(body))

    def exchange(self, code: str, **fields: Any) -> Reply:
        return self.token(grant_type="authorization_code", code=code, **fields)

    def refresh(self, refresh_token: str, **fields: Any) -> Reply:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **fields)

    def pair(self) -> dict[str, Any]:
        tokens: dict[str, Any] = self.exchange(self.consent()["code"]).value()
        return tokens


@pytest.fixture
def amo() -> AmoSandbox:
    sandbox = AmoSandbox(courier=lambda *_: 200)
    sandbox.clock.freeze(NOW)
    return sandbox


@pytest.fixture
def account(amo: AmoSandbox) -> Account:
    return amo.add_account("demo7")


@pytest.fixture
def api(amo: AmoSandbox, account: Account) -> Client:
    return Client(amo, account, amo.issue_tokens(account)["access_token"])


@pytest.fixture
def manager(amo: AmoSandbox, account: Account) -> Client:
    """The same account with the token of a user who is no administrator."""
    person = next(user for user in account.users.values() if user.is_active and not user.is_admin)
    return Client(amo, account, amo.issue_tokens(account, person)["access_token"])


@pytest.fixture
def oauth(amo: AmoSandbox, account: Account) -> Oauth:
    return Oauth(amo, account)


@pytest.fixture
def in_process(amo: AmoSandbox) -> Iterator[responses.RequestsMock]:
    """`requests` to the vendor's real hosts end in the sandbox."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        try:
            reply = amo.handle(request.method, request.url, dict(request.headers), request.body)
        except TimedOut as lost:
            raise requests.ReadTimeout(str(lost)) from lost
        except Dropped as lost:
            raise requests.ConnectionError(ProtocolError("Connection aborted.", lost)) from lost
        headers = dict(reply.headers)
        return reply.status, headers, reply.body

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            hosts = re.compile(r"https://[\w-]+\.(amocrm\.ru|amocrm\.com|kommo\.com)/")
            mock.add_callback(method, hosts, callback=answer, content_type=None)
        yield mock


@pytest.fixture
def hub(amo: AmoSandbox) -> Iterator[Hub]:
    """The sandbox over HTTP, on ports the system chooses."""
    amo.clock.thaw()
    hub = Hub([amo], port=0)
    thread = hub.start()
    yield hub
    hub.stop()
    thread.join(2)


class Http:
    """A client of the hub: the control API and one account."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.session = hub, requests.Session()
        self.amo = hub.sandboxes["amocrm"]
        self.account = hub.add_account(self.amo, "demo7")
        self.url = hub.url(self.account.port)
        self.token = self.amo.issue_tokens(self.account)["access_token"]

    def control(self, path: str, body: dict | None = None) -> requests.Response:
        url = f"{self.hub.url(self.hub.control_port)}/_sandbox/amocrm/{path}"
        return (
            self.session.get(url, timeout=5) if body is None else self.session.post(url, json=body, timeout=5)
        )

    def call(self, method: str, path: str, json: object = None, **headers: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        return self.session.request(
            method, self.url + "/api/v4" + path, json=json, headers=headers, timeout=5
        )


@pytest.fixture
def http(hub: Hub) -> Http:
    return Http(hub)
