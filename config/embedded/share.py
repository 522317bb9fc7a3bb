"""A command's share in the servers: the first one starts them, the last one stops them.

Users are counted by a shared lock on a file, which the system lets go of when a process
dies, however it dies. Whoever can turn its lock into an exclusive one was the last.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from . import postgres, valkey
from .account import own_file, own_folder, server_account
from .errors import INSTEAD, EmbeddedError
from .place import Place, find_place
from .programs import find_programs

ENDING = (signal.SIGTERM, signal.SIGHUP)
SERVERS = {"DATABASE_URL": postgres, "REDIS_URL": valkey}
NAMES = {"DATABASE_URL": "PostgreSQL", "REDIS_URL": "Valkey"}


class Share:
    def __init__(self, project: Path) -> None:
        self.project = project
        self.pid = os.getpid()
        self.users: IO[bytes] | None = None
        self.children: list[subprocess.Popen[bytes]] = []
        self.caught: list[signal.Signals] = []

    def join(self, needed: set[str]) -> None:
        """Count ourselves in, and have the needed servers (by variable) answering."""
        folder = find_place(self.project).folder
        with alone(folder):
            self.users = lock(folder / "users.lock", fcntl.LOCK_SH)
            try:
                self.start_missing(needed)
            except BaseException:
                self.users.close()
                raise
        self.catch_endings()

    def start_missing(self, needed: set[str]) -> None:
        self.children += start(self.project, silent(find_place(self.project), needed))

    def leave(self) -> None:
        """Count ourselves out; stop the servers if nobody else is left."""
        # A forked child inherits the `with` block, but not the say over the servers.
        if self.users is None or self.pid != os.getpid():
            return
        self.release_endings()
        users, self.users = self.users, None
        place = find_place(self.project)
        with users, alone(place.folder):
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            stop_all(place)
        for child in self.children:
            child.wait(timeout=10)

    def catch_endings(self) -> None:
        """Stop the servers on a signal that would otherwise end us on the spot."""
        if threading.current_thread() is not threading.main_thread():
            return
        for ending in ENDING:
            if signal.getsignal(ending) is signal.SIG_DFL:
                signal.signal(ending, self.end)
                self.caught.append(ending)

    def release_endings(self) -> None:
        # Commands install handlers of their own over ours (a worker, a web server): leave those.
        for ending in self.caught:
            if signal.getsignal(ending) == self.end:
                signal.signal(ending, signal.SIG_DFL)
        self.caught = []

    def end(self, number: int, frame: FrameType | None) -> None:
        self.leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def revive(project: Path, needed: set[str]) -> list[str]:
    """Have those of the needed servers answer that died under a command; what people call them."""
    place = find_place(project)
    if not silent(place, needed):
        return []
    with alone(place.folder):
        dead = silent(place, needed)
        start(project, dead)
    return [NAMES[name] for name in dead]


def silent(place: Place, needed: set[str]) -> list[str]:
    return [name for name in sorted(needed) if not SERVERS[name].answers(place)]


def start(project: Path, variables: list[str]) -> list[subprocess.Popen[bytes]]:
    """The servers of these variables; those of their processes that are our children."""
    if not variables:
        return []
    place, account = find_place(project), server_account(project)
    programs = find_programs(account, Path(place.refuge))
    started = [SERVERS[name].start(place, account, programs) for name in variables]
    return [process for process in started if process]


def stop_all(place: Place) -> None:
    postgres.stop(place)
    valkey.stop(place)
    shutil.rmtree(place.refuge, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One command at a time starts or stops servers."""
    try:
        own_folder(folder)
        turn = lock(folder / "turn.lock", fcntl.LOCK_EX)
    except OSError as exc:
        raise EmbeddedError(
            f"Cannot write to {folder} ({exc.strerror}): "
            f"run the command as the user who owns it, remove it, {INSTEAD}."
        ) from exc
    with turn:
        yield


def lock(path: Path, kind: int) -> IO[bytes]:
    """The file, open and locked; closing it unlocks."""
    file = own_file(path, "ab")
    fcntl.flock(file, kind)
    return file
