"""The whole service from one command: web, worker and beat as processes that are started again when they die.

Nothing is lost by a death, of theirs or of the command: what matters is in PostgreSQL, and beat finds it.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from config import embedded
from config.processes import Process, stop

SECRETS = ("SECRET_KEY", "JWT_KEY", "ENCRYPTION_KEYS")
LOOK = 0.2  # seconds between looks at the processes
SERVERS_EVERY = 2.0  # seconds between looks at the embedded servers
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a process that died is started again
STEADY = 60.0  # seconds of life after which a death is no longer one of a row
STOP_SECONDS = 60.0  # a lead on its way to a CRM is finished, not cut off
PORT_SECONDS = 30.0  # a killed command's web server may still be answering its last requests

Say = Callable[[str], None]


class CannotServe(Exception):
    """The text says why, and what to do."""


def web(bind: str, threads: int = 8) -> tuple[str, ...]:
    """What Python is to run; ``bind`` is host:port."""
    size = ("--workers", "1", "--threads", str(threads))
    return ("-m", "gunicorn", "-c", "python:config.gunicorn", "--bind", bind, *size, "config.wsgi")


def worker(threads: int = 16) -> tuple[str, ...]:
    size = ("--pool=threads", f"--concurrency={threads}", "--loglevel=INFO")
    quiet = ("--without-gossip", "--without-mingle")  # there is no other worker to get to know
    return ("-m", "celery", "-A", "config", "worker", *size, *quiet)


def beat(timetable: Path) -> tuple[str, ...]:
    """What an earlier beat has left there may be half-written, and says nothing worth knowing."""
    for left_over in timetable.parent.glob(f"{timetable.name}*"):
        left_over.unlink()
    files = (f"--schedule={timetable}", "--pidfile=")
    return ("-m", "celery", "-A", "config", "beat", *files, "--loglevel=INFO")


@dataclass
class Service:
    """One of the processes: what it runs, and when it is to be started (again), by the monotonic clock."""

    name: str
    command: Sequence[str]
    process: Process | None = None
    begun: float = 0.0
    due: float = 0.0
    pause: float = FIRST_PAUSE

    def start(self, cwd: Path, env: Mapping[str, str]) -> None:
        self.process, self.begun = Process([sys.executable, *self.command], cwd, env), time.monotonic()

    def died(self) -> None:
        """Once more in a moment; whoever dies again and again waits longer."""
        now = time.monotonic()
        self.pause = FIRST_PAUSE if now - self.begun > STEADY else min(self.pause * 2, LONGEST_PAUSE)
        self.process, self.due = None, now + self.pause


@dataclass
class Supervisor:
    """Keeps the services running. ``mend`` looks after what they stand on; true: they have to begin anew."""

    services: Sequence[Service]
    cwd: Path
    say: Say
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    mend: Callable[[], bool] = lambda: False
    looked: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Until a signal ends us (``endings.Ended``)."""
        while True:
            self.look()
            time.sleep(LOOK)

    def look(self) -> None:
        now = time.monotonic()
        if now - self.looked > SERVERS_EVERY:
            self.looked = now
            if self.mend():
                self.stop()
        for service in self.services:
            self._look_at(service)

    def stop(self) -> None:
        stop([one.process for one in self.services if one.process], STOP_SECONDS)
        for one in self.services:
            one.process = None

    def _look_at(self, service: Service) -> None:
        if service.process and service.process.status is not None:
            status = service.process.status
            service.died()
            self.say(f"{service.name} ended (status {status}), it starts again in {service.pause:.0f} s")
        if service.process is None and time.monotonic() >= service.due:
            service.start(self.cwd, self.env)


class Servers:
    """The embedded PostgreSQL and Valkey, brought back when they die under us."""

    def __init__(self, say: Say) -> None:
        self.say, self.urls = say, embedded.settings_urls()

    def mend(self) -> bool:
        """True where a server came back at another address."""
        try:
            for name in embedded.bring_back():
                self.say(f"{name} had died and is back")
        except embedded.EmbeddedError as exc:
            self.say(str(exc))
        before, self.urls = self.urls, embedded.settings_urls()
        return before != self.urls


def check_secrets(bind: str, public_url: str) -> str:
    """A word of warning where secrets have their development values, empty where all are set.

    Raises ``CannotServe`` where others than this machine could use them.
    """
    unset = [name for name in SECRETS if not os.environ.get(name)]
    if os.environ.get("JWT_JWKS_URL") and "JWT_KEY" in unset:
        unset.remove("JWT_KEY")
    if not unset:
        return ""
    words = f"{' and '.join(unset)} not set: the development values are known to everybody"
    if is_local(bind.rpartition(":")[0]) and is_local(urlsplit(public_url).hostname or ""):
        return f"{words}, so this is for trying out only"
    raise CannotServe(f"{words}. Put values of your own into .env; .env.example says how to make them.")


def is_local(host: str) -> bool:
    """Does the name or address mean this machine, for itself only?"""
    with suppress(ValueError):
        return ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def wait_for_port(bind: str, seconds: float = PORT_SECONDS) -> None:
    """Raises ``CannotServe`` where somebody else has it, or it is none."""
    host, _, port = bind.rpartition(":")
    deadline = time.monotonic() + seconds
    while problem := taken(host.strip("[]"), port):
        if time.monotonic() > deadline:
            raise CannotServe(
                f"Can't listen at {bind} ({problem}): free it, or choose another one with --bind."
            )
        time.sleep(LOOK)


def taken(host: str, port: str) -> str:
    """Why nobody can listen there; empty where one can."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, int(port)), family=family).close()
    except (OSError, ValueError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or "not HOST:PORT"
        return str(reason).partition(" (")[0]
    return ""
