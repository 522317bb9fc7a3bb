"""A small installation: a copy of the code somewhere else, and the one command that runs it all.

Killed as a power cut kills: the command, its children and theirs, PostgreSQL and Valkey with them if wanted.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from config.demo import processes
from config.demo.children import Child, Children
from config.demo.environment import CONTROL_PORT, Environment
from config.embedded import PROJECT, postgres, share
from config.embedded.place import Place, find_place

CODE = ("manage.py", "config", "accounts", "crm_cache", "rules", "connectors", "templates", "tests")
GONE_SECONDS = 20.0


class House:
    """``tests.torture.cast.Cast`` where everything is one command."""

    workers = ()

    def __init__(self, environment: Environment, env: Mapping[str, str], home: Path) -> None:
        self.environment = environment
        self.children = Children(environment.folder, home, env)
        self.place = find_place(home)
        self.command: Child | None = None
        self.lives, self.begun = 0, 0.0
        self.login = ("staff", secrets.token_urlsafe(16))

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.children.stop(reversed(self.children.running))
        share.stop_all(self.place)

    def open(self) -> None:
        """The local CRMs apart, as they outlive everything; then the command."""
        options = ("--host", self.environment.sandbox_host, "--port", str(CONTROL_PORT), "--seed", "0")
        redirect = ("--redirect", self.environment.redirect_url)
        self.children.start("sandbox", "manage.py", "run_sandbox", *options, *redirect)
        processes.wait_for_sandboxes(self.environment, self.children)
        self.start()
        self.children.wait(self.is_up, 120, "the service to be ready")
        staff = processes.superuser(self.children, *self.login)
        self.children.run("createsuperuser", "manage.py", *staff)

    def start(self, name: str = "") -> None:
        """Whoever is missed: the one command brings everybody."""
        if self.command is None:
            self.lives += 1
            where = ("--bind", f"127.0.0.1:{self.environment.port}")
            self.command = self.children.start(f"serve-{self.lives}", "manage.py", "serve", *where)
            self.command.serves = False  # it may be killed
            self.begun = time.monotonic()

    def supervise(self) -> list[str]:
        """Nobody but us looks after the command itself."""
        if self.command is None or self.command.status is None:
            return []
        self._forget()
        self.start()
        return ["serve"]

    def is_up(self) -> bool:
        return processes.answers(f"{self.environment.url}/readyz")

    def kill(self, with_servers: bool) -> None:
        """Everything at once by SIGKILL, or everything but PostgreSQL and Valkey."""
        if self.command is None:
            return
        servers = servers_of(self.place)
        victims = family([self.command.pid])
        victims = victims | servers if with_servers else victims - servers
        kill(self.command.pid, *victims)
        self._forget()

    def kill_servers(self) -> None:
        """PostgreSQL and Valkey only: the command has to bring them back."""
        kill(*servers_of(self.place))

    def _forget(self) -> None:
        if self.command is not None:
            self.command.process.wait()
            self.children.running.remove(self.command)
            self.command = None


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def move_in(home: Path) -> None:
    """A fresh copy of the code, without anything that an earlier run has left."""
    if home.exists():
        share.stop_all(find_place(home))
        shutil.rmtree(home)
    home.mkdir()
    for name in CODE:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, home / name)


def family(pids: Iterable[int]) -> set[int]:
    """The processes and all their descendants, as far as they are alive."""
    found = set(pids)
    children = parents()
    while more := {pid for pid, parent in children.items() if parent in found} - found:
        found |= more
    return found


def parents() -> dict[int, int]:
    """Every process's parent, by Linux."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def servers_of(place: Place) -> set[int]:
    pid = postgres.live_pid(place)
    log = place.folder / "valkey.log"
    told = re.findall(r"\bpid=(\d+)", log.read_text()) if log.exists() else []
    valkeys = [int(pid) for pid in told[-1:] if is_valkey(int(pid))]
    return family([*([pid] if pid else []), *valkeys])


def is_valkey(pid: int) -> bool:
    """A pid may be a stranger's by now."""
    with suppress(OSError):
        return "valkey" in Path(f"/proc/{pid}/comm").read_text()
    return False
