"""Processes of a command of ours: each in a group of its own, asked to end when the command ends.

However the command ends: on Linux a process learns even of its parent's death by kill -9.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

PAUSE = 0.05
PR_SET_PDEATHSIG = 1


class Process:
    """One running command. ``output`` takes what it says; without one that goes where ours goes."""

    def __init__(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes] | None = None
    ) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
            preexec_fn=ending_with(os.getpid()),  # safe: we have no threads
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self.process.poll()

    def signal(self, number: signal.Signals) -> None:
        """To the whole group, where the process's own children are too."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def stop(processes: Iterable[Process], seconds: float) -> None:
    """Ask all of them at once; kill the groups of those that don't listen."""
    leaving = list(processes)
    for one in leaving:
        one.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(one.status is None for one in leaving) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    for one in leaving:
        one.signal(signal.SIGKILL)
        one.process.wait()


def ending_with(parent: int) -> Callable[[], None]:
    """What a new process does first. Only Linux tells it of its parent's death; elsewhere it stays behind."""
    system = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if system is not None:
            system.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before we could ask
                os._exit(1)

    return prepare
