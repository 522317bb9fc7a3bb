"""What processes cost: seconds of a core, with all that they started. Of ``/proc``, so 0 beside Linux."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import psycopg

PROC = Path("/proc")


def spent(*roots: int) -> float:
    """Seconds of a core that these processes, their children and those that ended have used so far."""
    if not PROC.is_dir():
        return 0.0
    ticks, children = dict[int, int](), defaultdict[int, list[int]](list)
    for folder in PROC.glob("[0-9]*"):
        try:
            columns = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks[int(folder.name)] = sum(map(int, columns[11:15]))
        children[int(columns[1])].append(int(folder.name))
    found, waiting = set[int](), list(roots)
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children[process]
    return sum(ticks.get(process, 0) for process in found) / os.sysconf("SC_CLK_TCK")


def postgres(database: psycopg.Connection) -> int:
    """The server's first process, where it runs on this machine; else 0, which costs nothing."""
    backend = database.info.backend_pid
    try:
        return int((PROC / str(backend) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
