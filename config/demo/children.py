"""The demo's processes: started together, watched while they run, stopped together.

Each has a log file of its own. They end with us, however we end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from config.demo.errors import DemoFailed
from config.embedded.account import own_file
from config.processes import PAUSE, Process, stop

STOP_SECONDS = 10.0
LAST_LINES = 15


class Child(Process):
    """One process with its log; ``name`` is what people call it."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str]
    ) -> None:
        self.name, self.log = name, log
        self.serves = True  # a command that is to end by itself doesn't
        log.unlink(missing_ok=True)
        with own_file(log, "wb") as file:
            super().__init__(command, cwd, env, file)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-LAST_LINES:])

    def failed(self, what: str) -> DemoFailed:
        return DemoFailed(f"{self.name} {what}. The end of {self.log}:\n{self.last_words()}")


class Children:
    """All processes of one run. Used as a context: leaving it stops them."""

    def __init__(self, folder: Path, cwd: Path, env: Mapping[str, str]) -> None:
        self.folder, self.cwd, self.env = folder, cwd, env
        self.running: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(self.running)

    def start(self, name: str, *command: str) -> Child:
        """A service that is to run until it is stopped; ``command`` goes to our Python."""
        child = Child(name, [sys.executable, *command], self.folder / f"{name}.log", self.cwd, self.env)
        self.running.append(child)
        return child

    def run(self, name: str, *command: str, seconds: float = 300) -> str:
        """A command that ends by itself; what it printed. Raises ``DemoFailed``.

        A busy machine takes minutes for the migrations alone.
        """
        child = self.start(name, *command)
        child.serves = False
        self.wait(lambda: child.status is not None, seconds, f"{name} to end")
        self.running.remove(child)
        if child.status:
            raise child.failed("failed")
        return child.log.read_text()

    def wait(self, ready: Callable[[], object], seconds: float, what: str, every: float = PAUSE) -> None:
        """Until ``ready``, asked ``every`` so many seconds; a service that dies meanwhile ends the waiting.
        Raises ``DemoFailed``."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"Waited {seconds:.0f} seconds for {what}, in vain. Logs: {self.folder}")
            time.sleep(every)

    def check(self) -> None:
        """Raises ``DemoFailed`` where a service has ended by itself."""
        for child in self.running:
            if child.serves and child.status is not None:
                raise child.failed(f"stopped (exit status {child.status})")

    def stop(self, children: Iterable[Child]) -> None:
        """Ask all of them at once; kill the groups of those that don't listen."""
        leaving = list(children)
        stop(leaving, STOP_SECONDS)
        self.running = [child for child in self.running if child not in leaving]
