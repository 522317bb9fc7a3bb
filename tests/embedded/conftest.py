"""A checkout of our own per test, with real commands in it and real servers under it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
import pytest

from config.embedded import PROJECT, place, postgres, valkey
from config.embedded.share import stop_all

PACKAGES = str(Path(psycopg.__file__).parents[1])
# Somebody the system knows by name, but neither root nor "nobody", who may run servers already.
PLAIN_USER = next(user.pw_uid for user in pwd.getpwall() if user.pw_uid not in {0, 65534})
NAMELESS_USER = 54321
COMMAND = """
import sys
from config import embedded
try:
    with embedded.running():
        print("running", *embedded.settings_urls(), flush=True)
        sys.stdin.readline()
except embedded.EmbeddedError as exc:
    sys.exit(str(exc))
print("stopped", flush=True)
"""


def heed_signals() -> None:
    """As in a terminal: who runs tests in the background may ignore signals, and children inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Command(subprocess.Popen):
    """A command of the project that runs until it is told to finish."""

    def started(self) -> "Command":
        line = self.stdout.readline()
        assert line.startswith("running"), line + self.communicate()[1]
        return self

    def finish(self) -> None:
        said, complaints = self.communicate("\n", timeout=120)  # on a busy machine, too
        assert (self.returncode, said) == (0, "stopped\n"), complaints


@dataclass
class Checkout:
    path: Path
    user: int | None = None
    variables: dict[str, str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    def bring_code(self) -> None:
        (self.path / "config").mkdir(parents=True)
        (self.path / "config" / "__init__.py").touch()
        shutil.copytree(PROJECT / "config" / "embedded", self.path / "config" / "embedded")
        if self.user is not None:
            for each in (self.path, *self.path.rglob("*")):
                os.chown(each, self.user, self.user)

    def command(self, script: str = COMMAND) -> Command:
        outside = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        who = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        command = Command(
            [interpreter(self.user), "-c", script],
            cwd=self.path,
            env=outside | {"PYTHONPATH": PACKAGES} | self.variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_signals,
            **who,
        )
        self.commands.append(command)
        return command

    def run(self) -> Command:
        return self.command().started()

    @property
    def place(self) -> place.Place:
        return place.read(self.path)

    @property
    def servers_answer(self) -> tuple[bool, bool]:
        return postgres.answers(self.place), valkey.answers(self.place)

    @property
    def postmaster(self) -> int | None:
        return postgres.live_pid(self.place)

    @property
    def valkey(self) -> int:
        log = (self.place.folder / "valkey.log").read_text()
        return int(re.findall(r"\bpid=(\d+)", log)[-1])

    def sql(self, statement: str) -> list[tuple]:
        with psycopg.connect(host=str(self.place.sockets), user="quiz_crm", dbname="quiz_crm") as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def tidy(self) -> None:
        for command in self.commands:
            command.kill()
            command.communicate()
        if self.place:
            stop_all(self.place)


@cache
def interpreter(user: int | None) -> str:
    """Ours, or the system's twin of it where ours lies in root's home, closed to a plain user."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        with suppress(OSError):
            who = {} if user is None else {"user": user, "group": user, "extra_groups": []}
            subprocess.run([program, "-c", ""], check=True, cwd="/", **who)
            return program
    pytest.skip("a plain user cannot run this Python")


@pytest.fixture
def make_checkout() -> Iterator[Callable[..., Checkout]]:
    # Not tmp_path: its parents are closed to every other user.
    top = Path(tempfile.mkdtemp(prefix="checkout-"))
    top.chmod(0o755)
    made: list[Checkout] = []

    def make(name: str = "shop", user: int | None = None) -> Checkout:
        made.append(Checkout(top / name, user))
        made[-1].bring_code()
        return made[-1]

    yield make
    for checkout in made:
        checkout.tidy()
    shutil.rmtree(top)


@pytest.fixture(scope="session")
def used_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has run before; a new one takes a second to build."""
    checkout = Checkout(tmp_path_factory.mktemp("used") / "shop")
    checkout.bring_code()
    checkout.run().finish()
    return checkout.place.data


@pytest.fixture
def shop(make_checkout: Callable[..., Checkout], used_data: Path) -> Checkout:
    """A checkout whose servers have run before."""
    checkout = make_checkout()
    data = checkout.path / ".local" / "servers" / "postgres"
    data.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(used_data), str(data)], check=True)  # with its owner
    return checkout
