"""The run's processes, each of which may be killed and started anew; and the local CRMs."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Mapping
from pathlib import Path

from config.demo import processes
from config.demo.children import Child, Children
from config.demo.environment import CONTROL_PORT, Environment
from tests.torture.servers import with_query

THREADS = 8
SERVICES = ("web", "beat")


class Cast:
    """``workers`` are called worker1, worker2 ...; so are their connections to PostgreSQL."""

    def __init__(
        self,
        environment: Environment,
        env: Mapping[str, str],
        cwd: Path,
        workers: int,
        clocks: Mapping[str, float] | None = None,
    ) -> None:
        """``clocks``: by worker, how many seconds its machine's clock is off."""
        self.environment, self.cwd = environment, cwd
        self.clocks = dict(clocks or {})
        self.login = ("staff", secrets.token_urlsafe(16))
        self.children = Children(environment.folder, cwd, env)
        self.workers = tuple(f"worker{number}" for number in range(1, workers + 1))
        self.playing: dict[str, Child] = {}
        self.lives: dict[str, int] = {}

    def __enter__(self) -> Cast:
        return self

    def __exit__(self, *_: object) -> None:
        self.children.stop(self.children.running)

    def open(self) -> None:
        """Everything up, on a database with its tables."""
        for left_over in (*self.environment.folder.glob("*.log"), *self.environment.folder.glob("beat-*")):
            left_over.unlink(missing_ok=True)
        options = ("--host", self.environment.sandbox_host, "--port", str(CONTROL_PORT), "--seed", "0")
        self.children.start(
            "sandbox", "manage.py", "run_sandbox", *options, "--redirect", self.environment.redirect_url
        )
        processes.prepare(self.children, processes.superuser(self.children, *self.login))
        for name in ("web", *self.workers, "beat"):
            self.start(name)
        processes.wait_for_sandboxes(self.environment, self.children)
        processes.wait_for_web(self.environment, self.children)
        for name in self.workers:
            processes.wait_for_worker(self.playing[name], self.children)

    def start(self, name: str) -> None:
        """Once more, unless it plays. Each life has a log of its own."""
        if name in self.playing:
            return
        self.lives[name] = self.lives.get(name, 0) + 1
        self.playing[name] = self.children.start(f"{name}-{self.lives[name]}", *self._command(name))

    def kill(self, name: str) -> None:
        """SIGKILL to the whole group; nothing where it is dead already."""
        child = self.playing.pop(name, None)
        if child is not None:
            self.children.running.remove(child)
            child.signal(signal.SIGKILL)
            child.process.wait()

    def freeze(self, name: str) -> Child | None:
        """SIGSTOP to the whole group: it lives, and does nothing. None where it is dead."""
        child = self.playing.get(name)
        if child is not None:
            child.signal(signal.SIGSTOP)
        return child

    def thaw(self, child: Child) -> None:
        """Whether or not it was killed meanwhile."""
        if child.status is None:
            child.signal(signal.SIGCONT)

    def supervise(self) -> list[str]:
        """As systemd or compose would: whoever ended by itself is started again. Their names."""
        ended = [name for name, child in self.playing.items() if child.status is not None]
        for name in ended:
            self.kill(name)
            self.start(name)
        return ended

    def _command(self, name: str) -> tuple[str, ...]:
        if name == "web":
            place = ("--bind", f"127.0.0.1:{self.environment.port}", "--graceful-timeout", "3")
            return ("-m", "gunicorn", "-c", "python:config.gunicorn", *place, "config.wsgi")
        self.children.env = {
            **self.children.env,
            "DATABASE_URL": with_query(self.environment.database_url, application_name=name),
        }
        if name == "beat":
            timetable = self.environment.folder / f"beat-{self.lives[name]}.db"
            options = (f"--schedule={timetable}", "--pidfile=", "--loglevel=INFO")
            return ("-m", "celery", "-A", "config", "beat", *options)
        size = ("--pool=threads", f"--concurrency={THREADS}", "-n", f"{name}@torture", "--loglevel=INFO")
        if name in self.clocks:
            skewed = ("-m", "tests.torture.skewed", str(self.clocks[name]), "-A", "config", "worker")
            return (*skewed, *size, "--without-gossip", "--without-mingle")
        return ("-m", "celery", "-A", "config", "worker", *size, "--without-gossip", "--without-mingle")
