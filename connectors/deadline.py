"""Connections on which an answer must come whole within a deadline, its headers included.

A socket's timeout counts from the last byte, so a server that sends one now and then would never meet it and
could keep a worker for hours.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

READ_TIMEOUTS = 3  # an answer must be complete within so many read timeouts


class DeadlineReader(io.RawIOBase):
    """The bytes of one answer. Raises ``TimeoutError`` after ``READ_TIMEOUTS`` of the socket's timeouts."""

    def __init__(self, sock: socket.socket) -> None:
        self.raw = sock.makefile("rb", buffering=0)
        self.sock, self.timeout = sock, sock.gettimeout()
        self.until = time.monotonic() + READ_TIMEOUTS * self.timeout if self.timeout else float("inf")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer is too slow")
        if self.timeout is None or left >= self.timeout:
            return self.raw.readinto(buffer)
        self.sock.settimeout(left)
        try:
            return self.raw.readinto(buffer)
        finally:
            self.sock.settimeout(self.timeout)  # the connection may be used again

    def close(self) -> None:
        self.raw.close()
        super().close()


class _Readable:
    """All that an answer wants of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(DeadlineReader(self.sock))


class DeadlineResponse(http.client.HTTPResponse):
    """An answer whose status line, headers and body are read under one deadline.

    What a server says in between (1xx: processing, early hints) is no answer. The standard library takes it
    for one, and then the true answer for that of whatever is asked next by this connection.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Readable(sock), *args, **kwargs)  # type: ignore[arg-type]

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            said: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 100 <= said[1] < 200 or said[1] == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return said
            http.client.parse_headers(self.fp)

    def _check_close(self) -> bool:
        """Nor is a connection used again on which more may come: another protocol, a body where none is."""
        has_none = self.status in (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED)
        surplus = has_none and (self.chunked or self.headers.get("Content-Length", "0") != "0")
        switched = self.status == http.HTTPStatus.SWITCHING_PROTOCOLS
        return switched or surplus or super()._check_close()  # type: ignore[misc]


class PlainConnection(HTTPConnection):
    response_class = DeadlineResponse


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class TlsConnection(HTTPSConnection):
    response_class = DeadlineResponse


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Connections whose answers have a deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
