"""Hosts that an operator allowed by name, outside any vendor's domain: reached at public addresses alone.

Every address of the name is looked at before a connection, and the one that was looked at is the one that is
connected to: the name is not asked again in between, so it can't answer twice.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import OrderedDict
from typing import Any

import urllib3
from urllib3.connectionpool import HTTPSConnectionPool

from connectors.deadline import DeadlineAdapter, TlsConnection
from connectors.http import SESSION
from connectors.messages import message

UNICAST = ipaddress.ip_network("2000::/3")  # outside it are the mapped, translated (NAT64) and local ones
# Which the standard library takes for public, or did before it learned of them.
SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",  # a cloud's own server, reached from inside alone
        "2001::/23",  # protocols, Teredo among them
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_MOUNTING = threading.Lock()


class NotPublic(OSError):
    """The name leads into a network that is nobody else's."""


def vet(base_url: str) -> None:
    """From now on requests to ``base_url`` are vetted, in this process."""
    prefix = f"{base_url}/"
    if not base_url.startswith("https://") or prefix in SESSION.adapters:
        return
    with _MOUNTING:
        # ``Session.mount`` changes the table in place, under the eyes of threads that look into it.
        adapters = {prefix: GuardedAdapter(pool_maxsize=8, max_retries=0), **SESSION.adapters}
        longest_first = sorted(adapters.items(), key=lambda one: len(one[0]), reverse=True)
        SESSION.adapters = OrderedDict(longest_first)


def public_address(host: str, port: int) -> str:
    """An address of ``host``. Raises ``NotPublic`` unless all of them are public."""
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not found or not all(map(_is_public, found)):
        raise NotPublic(message("{host} does not lead to public addresses alone", host=host))
    return min(found, key=lambda address: ("." not in address, address))


def is_inside(host: str) -> bool:
    """Is this an address, in figures, that is not public? Names are looked up when they are connected to."""
    try:
        return not _is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    """An ordinary address of the internet: none that is special, none that wraps another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and ip not in UNICAST:
        return False
    return (
        ip.is_global
        and not ip.is_multicast
        and not any(ip in net for net in SPECIAL if net.version == ip.version)
    )


class GuardedConnection(TlsConnection):
    """Connects to the address that was vetted; certificate and SNI stay the name's."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            self._dns_host = public_address(name, self.port or 443)
            return super()._new_conn()
        except (NotPublic, socket.gaierror) as exc:
            raise urllib3.exceptions.NewConnectionError(self, str(exc)) from exc
        finally:
            self._dns_host = name


class GuardedPool(HTTPSConnectionPool):
    ConnectionCls = GuardedConnection


class GuardedAdapter(DeadlineAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": GuardedPool}
