"""The local Envybox over HTTP: a port for each account, the control API, the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.sandbox.envybox import EnvySandbox
from connectors.sandbox.server import Hub


class Served:
    def __init__(self, hub: Hub, envy: EnvySandbox) -> None:
        self.hub, self.envy = hub, envy
        self.crm = hub.add_account(envy, "demo7")
        self.url = hub.url(self.crm.port)

    def call(self, path: str, key: str = "", **params: Any) -> Any:
        url = f"{self.url}/openapi/v1/{path}/"
        query = {"api_key": key or self.crm.key}
        return requests.post(url, params=query, json={"request": params}, timeout=5).json()

    def control(self, path: str, body: dict[str, Any]) -> requests.Response:
        url = f"{self.hub.url(self.hub.control_port)}/_sandbox/envybox/{path}"
        return requests.post(url, json=body, timeout=5)


@pytest.fixture
def served() -> Iterator[Served]:
    envy = EnvySandbox(courier=lambda *_: 200)
    hub = Hub([envy], port=0)
    thread = hub.start()
    yield Served(hub, envy)
    hub.stop()
    thread.join(2)


def test_a_port_is_an_account(served):
    values = {"name": "<b>Анна</b>", "phone": "79991112233", "comment": "Площадь: 54"}
    made = served.call("lead/set", method="create", values=values)
    assert made["message"] == "success"
    for url in (served.url, f"{served.url}/leads/{made['id']}"):
        page = requests.get(url, timeout=5).text
        assert "Площадь: 54" in page
        assert "<b>Анна" not in page
    assert requests.get(served.hub.url(served.hub.www["envybox"]), timeout=5).status_code == 404


def test_the_control_api(served):
    key = served.control("key", {}).json()["api_key"]
    assert key == served.crm.key
    served.control("revoke", {"account": "demo7"})
    assert served.call("lead/search", key=key, phone="1")["message"] == "Неправильный ключ api"
    added = served.control("add_input", {"element": 3, "name": "Новое"}).json()["id"]
    assert served.control("forget", {"kind": "input", "id": added}).status_code == 200
    assert served.control("change", {"port": 1}).status_code == 404
    assert served.control("delete", {"kind": "lead", "id": 1}).status_code == 404
    assert served.control("no-such", {}).status_code == 404


def test_a_reset_empties_the_world(served):
    served.control("reset", {"accounts": ["shop"]})
    assert [crm.subdomain for crm in served.envy.crms.values()] == ["shop"]
