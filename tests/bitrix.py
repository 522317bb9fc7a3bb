"""A dentist's portal in the local Bitrix24, behind its real names, and the way through the consent page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import responses
from django.test import Client

from connectors.sandbox.bitrix24 import BitrixSandbox, Portal
from tests.connectors.bridge import serve

REDIRECT = "http://testserver/webhook/create"
EVENTS = "http://testserver/bitrix/events"
OWN_HOST = "crm.dentist.example"
HOSTS = rf"https://([\w-]+\.bitrix24\.(ru|com)|oauth\.bitrix24\.tech|oauth\.bitrix\.info|{OWN_HOST})/"


def post_event(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float) -> int:
    """Bitrix24's courier, at our door."""
    return Client().post(urlsplit(url).path, body, content_type=headers["Content-Type"]).status_code


@pytest.fixture
def b24(settings: Any) -> Iterator[BitrixSandbox]:
    """Bitrix24, with our application in it. Nobody waits for its limits."""
    box = BitrixSandbox(redirect_uri=REDIRECT, events_url=EVENTS, courier=post_event)
    ours = {"client_id": box.app.client_id, "client_secret": box.app.client_secret}
    options = replace(settings.CRM_OPTIONS["bitrix24"], redirect_uri=REDIRECT, requests_per_second=0, **ours)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "bitrix24": options}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, box, HOSTS)
        yield box


@pytest.fixture
def dentist(b24: BitrixSandbox) -> Portal:
    """A portal; its owner is the quiz account "shop"."""
    return b24.add_portal("dentist")


def name_portal(client: Client, url: str, **more: Any) -> Any:
    """``POST /bitrix/account``."""
    return client.post("/bitrix/account", {"client_bitrix_url": url, **more}, content_type="application/json")


def come_back(location: str, browser: Client | None = None, **changed: str) -> Any:
    """Follow the portal's redirect, with some of its parameters changed; "" takes one away."""
    parts = urlsplit(location)
    query = {**dict(parse_qsl(parts.query)), **changed}
    kept = {name: value for name, value in query.items() if value}
    return (browser or Client()).get(f"{parts.path}?{urlencode(kept)}")


@pytest.fixture
def connect_portal(
    b24: BitrixSandbox, caller: Callable[..., Client], queued: list[Any], db: None
) -> Callable[..., Any]:
    """The whole way: the portal named, its consent, back to us. Returns our answer to the browser."""

    def connect(portal: Portal, account_id: str = "shop", **consent: Any) -> Any:
        link = name_portal(caller(account_id), portal.host).json()["link"]
        return come_back(b24.consent(link, portal, **consent) or "")

    return connect
