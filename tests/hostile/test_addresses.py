"""Addresses that strangers would like us to call: refused on every way in, and nothing is sent."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import responses
from django.test import Client

from accounts.models import Account, Token
from tests.bitrix import b24, dentist, name_portal  # noqa: F401

pytestmark = pytest.mark.django_db
INSIDE = [
    "127.0.0.1",
    "127.1",
    "127.0.0.1:6379",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "10.0.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "169.254.169.254/latest/meta-data",
    "metadata.google.internal",
    "100.100.100.200",
    "2130706433",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.nip.io",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[64:ff9b::7f00:1]",
    "[fd00:ec2::254]",
    "::1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "unix:/var/run/docker.sock",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "//127.0.0.1",
    "\\\\127.0.0.1",
    "http:127.0.0.1",
]
DRESSED = [
    "evil.example",
    "{good}.evil.example",
    "evil.example/{good}",
    "evil.example#{good}",
    "evil.example?{good}",
    "{good}@evil.example",
    "evil.example@{good}",
    "user:pw@{good}",
    "{good}:8443",
    "{good}:80@127.0.0.1",
    "{good}.",
    "{good}..",
    ".{good}",
    "a.{good}",
    "evil.example\\.{good}",
    "{good}%00.evil.example",
    "{good}%2eevil.example",
    "{good}\x00.evil.example",
    "{good}\r\nHost: evil.example",
    "{good}\tx",
    "{good} evil.example",
    "xn--{good}",
    "-{good}",
    "{good};evil.example",
    "{good},evil.example",
    "{good}|evil.example",
    "https://https://{good}",
    "ftp://{good}",
    "{ru}",
    "{look}",
    "{wide}",
    "a" * 64 + ".{suffix}",
    "a" * 5000 + ".{suffix}",
    "www.{suffix}",
    "{suffix}",
    ".{suffix}",
]
GOOD = {
    "amocrm": "flowers.amocrm.ru",
    "bitrix24": "dentist.bitrix24.ru",
    "envybox": "florist.envycrm.com",
    "solos": "demo7.solos.pro",
}


def hosts_for(good: str) -> list[str]:
    """Everything of the lists, dressed up as an address of this CRM. Look-alikes are of other alphabets."""
    suffix = good.partition(".")[2]
    words = {
        "good": good,
        "suffix": suffix,
        "ru": good.replace("e", "е").replace("o", "о"),
        "look": good.replace(".", "．"),
        "wide": "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in good),
    }
    return [*INSIDE, *(text.format(**words) for text in DRESSED)]


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for an address, or for a connection, fails the test."""

    def asked(*what: Any, **more: Any) -> Any:
        raise AssertionError(f"asked for {what[:2]}")

    monkeypatch.setattr("connectors.http.SESSION.get_adapter", asked)
    monkeypatch.setattr(socket, "getaddrinfo", asked)


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("bitrix24", "/bitrix/account", {"client_bitrix_url": ""}),
        ("envybox", "/envybox/account", {"base_url": "", "api_key": "k"}),
        ("solos", "/solos/account", {"base_url": "", "token": "t", "secret": "s"}),
    ],
)
def test_an_address_that_a_customer_types_is_the_crms_or_refused(
    caller: Any, nothing_leaves: None, kind: str, path: str, body: dict[str, str]
) -> None:
    address = next(iter(body))
    for host in hosts_for(GOOD[kind]):
        for typed in (host, f"https://{host}", f"http://{host}/"):
            if allowed(typed, GOOD[kind]):
                continue
            answer = caller().post(path, {**body, address: typed}, content_type="application/json")
            assert (typed, answer.status_code) == (typed, 400)
    assert not Account.objects.exists()


def allowed(typed: str, good: str) -> bool:
    """What a person may well copy: the path, the query and the blanks around are cut off (D39)."""
    return typed.strip().removeprefix("https://").removeprefix("http://").rstrip("/") == good


def back(query: dict[str, str], **changed: str) -> Any:
    return Client().get(f"/webhook/create?{urlencode({**query, **changed})}")


def test_a_referer_is_the_crms_or_our_secret_stays_here(
    amo: Any, flower_shop: Any, caller: Any, queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.http.SESSION.get_adapter", lambda *a, **k: pytest.fail("sent"))
    for host in hosts_for(GOOD["amocrm"]):
        place = amo.consent(caller().post("/account").json()["link"], flower_shop)
        answer = back(dict(parse_qsl(urlsplit(place).query)), referer=host)
        assert (host, answer.status_code) == (host, 400)
    assert not Token.objects.exists()


@pytest.mark.parametrize("name", ["domain", "server_domain"])
def test_a_portals_names_are_the_crms_or_our_secret_stays_here(
    b24: Any,  # noqa: F811
    dentist: Any,  # noqa: F811
    caller: Any,
    queued: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    asked: list[str] = []
    real = b24.handle
    monkeypatch.setattr(
        b24, "handle", lambda method, url, *rest: asked.append(url) or real(method, url, *rest)
    )
    for host in hosts_for(GOOD["bitrix24"]):
        place = b24.consent(name_portal(caller(), dentist.host).json()["link"], dentist)
        asked.clear()
        back(dict(parse_qsl(urlsplit(place).query)), **{name: host})
        hosts = {urlsplit(url).hostname for url in asked}
        assert hosts <= {dentist.host, "oauth.bitrix24.tech", "oauth.bitrix.info"}, host


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_by_nobody(
    amo: Any, flower_shop: Any, caller: Any, queued: Any, status: int
) -> None:
    place = amo.consent(caller().post("/account").json()["link"], flower_shop)
    with responses.RequestsMock() as mock:
        away = {"Location": "http://169.254.169.254/latest/meta-data"}
        mock.post("https://flowers.amocrm.ru/oauth2/access_token", status=status, headers=away)
        assert back(dict(parse_qsl(urlsplit(place).query))).status_code == 400
        assert len(mock.calls) == 1
