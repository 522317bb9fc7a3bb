"""One private Valkey on a loopback port, without persistence.

It carries wake-up calls and rate limits only. The database row is the truth, and the
sweep finds what a lost message would have said, so nothing is written to disk.
"""

import socket
import subprocess
import time
from contextlib import suppress

from .account import Account, own_file
from .errors import INSTEAD, EmbeddedError
from .place import Place
from .programs import Programs

START_SECONDS = 20.0
STOP_SECONDS = 20.0
PAUSE = 0.02
MOVES = 5  # ports to try before giving up
CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
daemonize no
databases 16
"""


def answers(place: Place) -> bool:
    """True when our server is at the port; a stranger there does not know the password."""
    return say(place, "PING") == b"+PONG\r\n"


def say(place: Place, command: str) -> bytes:
    """The server's one-line reply, empty without one."""
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", place.port), timeout=5) as connection,
        connection.makefile("rb") as replies,
    ):
        connection.sendall(f"AUTH {place.password}\r\n{command}\r\n".encode())
        if replies.readline(100) == b"+OK\r\n":
            return replies.readline(100)
    return b""


def stop(place: Place) -> None:
    if not answers(place):
        return
    say(place, "SHUTDOWN NOSAVE")
    deadline = time.monotonic() + STOP_SECONDS
    while answers(place):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"The embedded Valkey at port {place.port} does not stop: end it by hand.")
        time.sleep(PAUSE)


def start(place: Place, account: Account, programs: Programs) -> "subprocess.Popen[bytes]":
    """Start the server and wait until it answers, at another port if this one is taken."""
    for _ in range(MOVES):
        process = launch(place, account, programs)
        if wait(place, process):
            return process
        place = place.at_another_port()
    raise EmbeddedError(f"The embedded Valkey did not start: see {place.folder / 'valkey.log'}, {INSTEAD}.")


def launch(place: Place, account: Account, programs: Programs) -> "subprocess.Popen[bytes]":
    with own_file(place.folder / "valkey.log", "wb") as log:
        process = account.start([str(programs.valkey), "-"], stdin=subprocess.PIPE, stdout=log, stderr=log)
    # Through a pipe, because everybody on the machine can read a command line.
    if process.stdin:
        with suppress(BrokenPipeError), process.stdin as config:
            config.write(CONFIG.format(port=place.port, password=place.password).encode())
    return process


def wait(place: Place, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(PAUSE)
        if answers(place):
            return True
    if process.poll() is None:
        process.kill()
        process.wait()
    return False
