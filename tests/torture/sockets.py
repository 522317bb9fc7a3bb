"""Which processes talk to a port, as Linux tells it; nobody elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

ESTABLISHED = "01"


def talking_to(port: int, pids: Iterable[int]) -> set[int]:
    """Those of the processes that have a connection to the port, used just now or kept for later."""
    inodes = set(_connections(port))
    return {pid for pid in pids if not inodes.isdisjoint(_sockets(pid))}


def _connections(port: int) -> Iterator[str]:
    with suppress(OSError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, _, remote, state, *rest = line.split()
            if state == ESTABLISHED and int(remote.rpartition(":")[2], 16) == port:
                yield f"socket:[{rest[5]}]"


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(link.readlink())
