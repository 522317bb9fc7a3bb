"""The HTTP door: local CRMs on loopback ports.

A control port (index page and control API), then a "www" port for each CRM and a port for each of its
accounts. A vendor's own host name in the Host header is understood on any port; with a certificate, so is
TLS: the first byte of a connection tells.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any

from connectors.sandbox import SANDBOXES, sandbox_class
from connectors.sandbox.control import handle_control
from connectors.sandbox.core import Dropped, Reply, Sandbox, TimedOut

CONTROL_PORT = 8100
PORTS_EACH = 20  # www and the first accounts
FURTHER_PORTS = range(8500, 9000)  # for more accounts, of all CRMs; then the system chooses
IDLE = 75.0
TLS_HANDSHAKE = b"\x16"
HANG = 60.0  # how long a timed-out request is left hanging


class Hub:
    """The sandboxes, their ports, and one thread that accepts for all of them."""

    def __init__(
        self,
        sandboxes: Iterable[Sandbox] | None = None,
        host: str = "127.0.0.1",
        port: int = CONTROL_PORT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        chosen = [sandbox_class(kind)() for kind in SANDBOXES] if sandboxes is None else list(sandboxes)
        self.sandboxes = {sandbox.kind: sandbox for sandbox in chosen}
        self.host, self.tls = host, tls
        self.fixed_ports = port != 0  # port 0: the system chooses every port (tests)
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[int, socket.socket] = {}
        self._owners: dict[int, Sandbox | None] = {}
        self._free: dict[str, list[int]] = {}
        self._further = list(FURTHER_PORTS) if self.fixed_ports else []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wake, woken = socket.socketpair()
        self._selector.register(woken, selectors.EVENT_READ, None)
        self.control_port = self._listen(port, None)
        self.www: dict[str, int] = {}
        for sandbox in chosen:
            self._open_www(sandbox)

    # -- ports -----------------------------------------------------------------------------------

    def _listen(self, port: int, owner: Sandbox | None) -> int:
        listener = socket.create_server((self.host, port), backlog=256)
        listener.setblocking(False)
        chosen = int(listener.getsockname()[1])
        self._listeners[chosen], self._owners[chosen] = listener, owner
        self._selector.register(listener, selectors.EVENT_READ, chosen)
        return chosen

    def _open_www(self, sandbox: Sandbox) -> None:
        base = sandbox.base_port if self.fixed_ports else 0
        port = self._listen(base, sandbox)
        self.www[sandbox.kind] = port
        sandbox.ports[port] = None
        self._free[sandbox.kind] = list(range(base + 1, base + PORTS_EACH)) if base else []

    def new_port(self, sandbox: Sandbox) -> int:
        """A listening port for one more account: the next of the CRM's own, then of all CRMs', then any."""
        with self._lock:
            while free := self._free[sandbox.kind] or self._further:
                port = free.pop(0)
                if port in self._listeners:
                    return port
                with contextlib.suppress(OSError):
                    return self._listen(port, sandbox)
            return self._listen(0, sandbox)

    def add_account(self, sandbox: Sandbox, subdomain: str = "", **options: Any) -> Any:
        return sandbox.add_account(subdomain, port=self.new_port(sandbox), **options)

    def reset(self, sandbox: Sandbox) -> None:
        """An empty world; the listeners stay and are given out again."""
        sandbox.reset()
        www = self.www[sandbox.kind]
        with self._lock:
            ours = [port for port, owner in self._owners.items() if owner is sandbox and port != www]
            self._free[sandbox.kind] = sorted({*self._free[sandbox.kind], *ours})
        sandbox.ports[www] = None

    def url(self, port: int) -> str:
        return f"http://{self.host}:{port}"

    def addresses(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": sandbox.kind,
                "title": sandbox.title,
                "www": self.url(self.www[sandbox.kind]),
                "accounts": [(owner.host, self.url(port)) for port, owner in sandbox.ports.items() if owner],
                "requests": sandbox.journal.total,
            }
            for sandbox in self.sandboxes.values()
        ]

    # -- who answers -----------------------------------------------------------------------------

    def door(self, port: int, host_header: str) -> Callable[..., Reply]:
        hostname = host_header.partition(":")[0].lower()
        owner = self._owners.get(port)
        if owner is None or not owner.owns_host(hostname):
            owner = next((s for s in self.sandboxes.values() if s.owns_host(hostname)), owner)
        if owner is not None:
            return owner.handle
        return lambda method, url, headers, body, _: handle_control(self, method, url, headers, body)

    # -- serving ---------------------------------------------------------------------------------

    def serve(self) -> None:
        """Until `stop`; accepts here, answers in a thread for each connection."""
        pump = threading.Thread(target=self._pump, daemon=True)
        pump.start()
        while not self._stop.is_set():
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._accept(key.fileobj, key.data)
        for listener in self._listeners.values():
            listener.close()
        self._selector.close()

    def _accept(self, listener: Any, port: int) -> None:
        try:
            connection, address = listener.accept()
        except OSError:
            return
        thread = threading.Thread(target=self._talk, args=(connection, address, port), daemon=True)
        thread.start()

    def _talk(self, connection: socket.socket, address: Any, port: int) -> None:
        connection.settimeout(IDLE)
        with contextlib.suppress(OSError, ssl.SSLError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE
            if secure and self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            Conversation(connection, address, self, port, "https" if secure else "http")
        with contextlib.suppress(OSError):
            connection.close()

    def _pump(self) -> None:
        """Webhooks go out as they fall due."""
        while not self._stop.wait(1.0):
            for sandbox in self.sandboxes.values():
                sandbox.pump()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):  # it may have seen the flag and be gone already
            self._wake.send(b"x")


class Conversation(BaseHTTPRequestHandler):
    """One connection: requests in turn, kept alive."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nginx", ""
    wbufsize = -1  # head and body leave in one packet

    def __init__(self, connection: socket.socket, address: Any, hub: Hub, port: int, scheme: str) -> None:
        self.hub, self.port, self.scheme = hub, port, scheme
        super().__init__(connection, address, hub)  # type: ignore[arg-type]

    def _serve(self) -> None:
        came = time.monotonic()  # before a large body was read
        body = self._body()
        host = self.headers.get("Host") or f"{self.hub.host}:{self.port}"
        url = f"{self.scheme}://{self._netloc(host)}{self.path}"
        try:
            answer = self.hub.door(self.port, host)
            reply = answer(self.command, url, dict(self.headers.items()), body, time.monotonic() - came)
        except TimedOut:
            self.hub._stop.wait(HANG)
            self._drop()
        except Dropped:
            self._drop()
        else:
            self._send(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _netloc(self, host: str) -> str:
        """The port is where the connection came in, whatever a forwarding client wrote."""
        hostname, _, port = host.partition(":")
        return host if port == str(self.port) else f"{hostname}:{self.port}" if port else host

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, reply: Reply) -> None:
        answer = self.send_response_only if "Date" in reply.headers else self.send_response
        answer(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.drip and reply.body:
            self._drip(reply)
        else:
            self.wfile.write(reply.body)

    def _drip(self, reply: Reply) -> None:
        pieces = 10
        size = -(-len(reply.body) // pieces)
        for at in range(0, len(reply.body), size):
            self.hub._stop.wait(reply.drip / pieces)
            self.wfile.write(reply.body[at : at + size])
            self.wfile.flush()

    def _drop(self) -> None:
        """A reset, not a polite end: linger 0 makes the kernel send RST."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *args: Any) -> None:
        """The journal has it all."""
