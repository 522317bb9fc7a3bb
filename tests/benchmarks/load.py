"""A client that costs next to nothing: prebuilt requests over kept-alive connections, one thread, no library.

It says what share of a core it took itself, because a client that is busy measures itself.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection
from statistics import quantiles

PATIENCE = 120.0
CHUNK = 256 * 1024


@dataclass
class Load:
    """What came back. Seconds; ``busy`` is the client's own share of a core."""

    seconds: float = 0.0
    busy: float = 0.0
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    def percentile(self, number: int) -> float:
        """Seconds within which so many of a hundred replies came."""
        return quantiles(self.took, n=100, method="inclusive")[number - 1]


class Connection:
    """One request at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = create_connection(address, PATIENCE)
        self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.received, self.sent_at = b"", 0.0

    def send(self, request: bytes) -> None:
        self.received, self.sent_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int:
        """The status once the reply is whole, 0 before. Raises ``ConnectionError`` where it never will be."""
        if not (chunk := self.socket.recv(CHUNK)):
            raise ConnectionError("The server closed a connection that was to be kept alive")
        self.received += chunk
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or len(body) < length_of(head):
            return 0
        return int(head[9:12])


def length_of(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise ConnectionError("A reply without Content-Length can't be told from half of one")
    return int(rest.partition(b"\r\n")[0])


def request(path: str, token: str, body: bytes = b"", method: str = "POST") -> bytes:
    """One request, ready to be sent."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def put_load(
    address: tuple[str, int], requests: Iterator[bytes], connections: int, enough: Callable[[Load], bool]
) -> Load:
    """Keep every connection busy until it is ``enough`` or there are no more requests."""
    load = Load()
    begun, own = time.perf_counter(), time.process_time()
    with DefaultSelector() as selector:
        for _ in range(connections):
            start(Connection(address), selector, requests)
        while selector.get_map():
            for key, _ in selector.select(PATIENCE) or give_up():
                take(key.data, selector, requests, load)
            load.seconds = time.perf_counter() - begun
            if enough(load):
                requests = iter(())
    load.busy = (time.process_time() - own) / load.seconds
    return load


def paced(requests: Iterator[bytes], per_second: float) -> Iterator[bytes]:
    """The same, none sooner than its turn: a load below what the server could bear."""
    due = time.perf_counter()
    for request in requests:
        time.sleep(max(due - time.perf_counter(), 0))
        yield request
        due = max(due + 1 / per_second, time.perf_counter() - 1)


def give_up() -> list[object]:
    raise TimeoutError(f"No reply for {PATIENCE:g} seconds")


def start(connection: Connection, selector: DefaultSelector, requests: Iterator[bytes]) -> None:
    selector.register(connection.socket, EVENT_READ, connection)
    go_on(connection, selector, requests)


def take(connection: Connection, selector: DefaultSelector, requests: Iterator[bytes], load: Load) -> None:
    if status := connection.receive():
        load.took.append(time.perf_counter() - connection.sent_at)
        load.statuses[status] += 1
        go_on(connection, selector, requests)


def go_on(connection: Connection, selector: DefaultSelector, requests: Iterator[bytes]) -> None:
    following = next(requests, None)
    if following is not None:
        connection.send(following)
        return
    selector.unregister(connection.socket)
    connection.socket.close()
