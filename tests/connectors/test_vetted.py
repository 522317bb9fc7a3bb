"""A portal under a domain of its own is reached at public addresses alone, at the one that was looked at."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import requests
import urllib3

from connectors.auth import NoAuth
from connectors.base import Remote
from connectors.http import SESSION, never_sent
from connectors.limiter import NoRateLimiter
from connectors.registry import CONNECTORS, connector_class, host_policy, options_class
from connectors.ssrf_guard import GuardedAdapter, NotPublic, public_address, vet

NAME = "bitrix.customer.example"


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let the name lead to these addresses; the list fills with the names that were asked."""
    asked: list[str] = []

    def to(*addresses: str) -> list[str]:
        def look_up(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return to


@pytest.mark.parametrize(
    "addresses", [("93.184.216.34",), ("93.184.216.34", "2606:2800:220:1::1"), ("2606:2800:220:1::1",)]
)
def test_public_addresses_are_taken(resolves, addresses):
    resolves(*addresses)
    assert public_address(NAME, 443) == addresses[0]


@pytest.mark.parametrize(
    "bad",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "2002:808:808::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "::ffff:169.254.169.254",
        "::",
        "fec0::1",
        "fe80::a9fe:a9fe%25eth0",
        "fd00:ec2::254",
        "100::1",
        "2001:0:7f00:1::1",
        "2001:db8::1",
        "3fff::1",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
    ],
)
def test_one_private_address_spoils_the_name(resolves, bad):
    resolves("93.184.216.34", bad)
    with pytest.raises(NotPublic):
        public_address(NAME, 443)


@pytest.fixture
def vetted() -> Iterator[None]:
    vet(f"https://{NAME}")
    yield
    SESSION.adapters.pop(f"https://{NAME}/")


def test_the_address_that_was_looked_at_is_connected_to(resolves, vetted, monkeypatch):
    asked = resolves("93.184.216.34")
    reached: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    with pytest.raises(requests.ConnectionError) as caught:
        SESSION.get(f"https://{NAME}/rest/")
    assert (asked, reached) == ([NAME], [("93.184.216.34", 443)])
    assert never_sent(caught.value)


def test_nothing_is_sent_into_our_own_network(resolves, vetted, monkeypatch):
    resolves("10.0.0.1")
    monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda *a, **k: pytest.fail("sent"))
    with pytest.raises(requests.ConnectionError) as caught:
        SESSION.get(f"https://{NAME}/rest/")
    assert never_sent(caught.value)


def test_a_name_that_answers_otherwise_the_next_time_is_looked_at_again(resolves, vetted, monkeypatch):
    """Rebinding: what was public for the first connection says nothing of the second."""
    reached: list[str] = []

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    for address in ("93.184.216.34", "127.0.0.1", "::ffff:10.0.0.1"):
        resolves(address)
        with pytest.raises(requests.ConnectionError):
            SESSION.get(f"https://{NAME}/rest/")
    assert reached == ["93.184.216.34"]


def test_only_the_named_host_is_vetted(vetted):
    assert isinstance(SESSION.get_adapter(f"https://{NAME}/rest/batch"), GuardedAdapter)
    assert not isinstance(SESSION.get_adapter("https://demo7.bitrix24.ru/rest/batch"), GuardedAdapter)


def test_vetting_twice_keeps_the_pool(vetted):
    before = SESSION.get_adapter(f"https://{NAME}/")
    vet(f"https://{NAME}")
    assert SESSION.get_adapter(f"https://{NAME}/") is before


def test_threads_that_look_for_their_adapter_meanwhile_are_not_disturbed(request):
    looking = iter(SESSION.adapters.items())
    next(looking)
    request.getfixturevalue("vetted")
    assert len(list(looking)) == len(SESSION.adapters) - 2


@pytest.mark.parametrize("kind", [kind for kind in CONNECTORS if hasattr(options_class(kind), "self_hosted")])
def test_a_host_that_the_operator_allowed_by_name_is_vetted_whichever_crm_lives_there(kind, request):
    request.addfinalizer(lambda: SESSION.adapters.pop(f"https://{NAME}/", None))
    options = options_class(kind)(self_hosted=(NAME,))
    hosts = host_policy(options, frozenset())
    remote = Remote(hosts.base_url(NAME))
    connector_class(kind)(remote, NoAuth(), NoRateLimiter(), options, hosts).http_client()
    assert isinstance(SESSION.get_adapter(f"https://{NAME}/leads"), GuardedAdapter)
