"""One private PostgreSQL: started, found again after a crash, stopped.

Whether it lives is decided by connecting. A pid file may outlive its server, and the
pid in it may by then belong to a zombie or to a stranger.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from .account import Account, give, own_file, private
from .errors import INSTEAD, EmbeddedError
from .place import NAME, SOCKET, Place
from .programs import Programs, make_private

START_SECONDS = 60.0  # after a crash PostgreSQL replays its log first
STOP_SECONDS = 60.0
PAUSE = 0.02
# fsync stays on: an answer that was acknowledged is on disk, here as in production.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Letters beyond ASCII must have an upper and a lower case, whatever the system's locale.
CLUSTER = [
    *("--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
]


def answers(place: Place) -> bool:
    """True when the server is up; the database of the service exists then."""
    try:
        with psycopg.connect(
            host=str(place.sockets), user=NAME, dbname="postgres", autocommit=True, connect_timeout=10
        ) as connection:
            ours = connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME])
            if not ours.rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    except psycopg.OperationalError:
        return False
    return True


def stop(place: Place) -> None:
    pid = live_pid(place)
    if pid is None:
        return
    # SIGINT is the fast shutdown; SIGTERM would wait until every client has gone.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while live_pid(place) == pid:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"The embedded PostgreSQL (pid {pid}) does not stop: end it by hand.")
        time.sleep(PAUSE)


def start(place: Place, account: Account, programs: Programs) -> "subprocess.Popen[bytes] | None":
    """Start the server and wait until it answers; the process, unless one was on its way already."""
    deadline = time.monotonic() + START_SECONDS
    if live_pid(place) is not None and wait(place, None, deadline):
        return None
    make_room(place, account, programs)
    while True:
        process = launch(place, account, programs)
        if wait(place, process, deadline):
            return process
        # Left-over backends of a killed server finish their statement before they go.
        if "still in use" not in last_words(place) or time.monotonic() > deadline:
            raise EmbeddedError(
                f"The embedded PostgreSQL did not start ({last_words(place)}): "
                f"see {place.folder / 'postgres.log'}, {INSTEAD}."
            )
        time.sleep(0.2)


def wait(place: Place, process: "subprocess.Popen[bytes] | None", deadline: float) -> bool:
    """True once the server answers, False when it has gone."""
    while time.monotonic() < deadline:
        if answers(place):
            return True
        gone = live_pid(place) is None if process is None else process.poll() is not None
        if gone:
            return False
        time.sleep(PAUSE)
    raise EmbeddedError(
        f"The embedded PostgreSQL does not answer after {START_SECONDS:.0f} seconds: "
        f"see {place.folder / 'postgres.log'}, {INSTEAD}."
    )


def make_room(place: Place, account: Account, programs: Programs) -> None:
    make_private(place.sockets, account)
    if place.data.exists():
        disown_pid_files(place)
    else:
        create_cluster(place, account, programs)


def create_cluster(place: Place, account: Account, programs: Programs) -> None:
    """Build the data folder under another name: a half-built one is never taken for whole."""
    draft = place.data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    give(draft, account)
    with ExitStack() as handles:
        name, fds = reachable(draft, account, handles)
        made = account.run([str(programs.initdb), "--pgdata", name, *CLUSTER], pass_fds=fds)
    if made.returncode:
        said = " ".join(made.stderr.split())
        raise EmbeddedError(f"The embedded PostgreSQL cannot be set up ({said}): mend that, {INSTEAD}.")
    draft.rename(place.data)


def launch(place: Place, account: Account, programs: Programs) -> "subprocess.Popen[bytes]":
    with ExitStack() as handles:
        data, data_fds = reachable(place.data, account, handles)
        sockets, socket_fds = reachable(place.sockets, account, handles)
        settings = SETTINGS | {"unix_socket_directories": f'"{sockets}"'}
        log = handles.enter_context(own_file(place.folder / "postgres.log", "wb"))
        return account.start(
            [str(programs.postgres), "-D", data, *(f"--{key}={value}" for key, value in settings.items())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=data_fds + socket_fds,
        )


def reachable(path: Path, account: Account, handles: ExitStack) -> tuple[str, tuple[int, ...]]:
    """A name by which the server's account reaches `path`, and the open folders that name needs.

    Below a folder closed to that account the path itself would be refused. Root opens
    the folder and hands it over open; nobody's permissions change.
    """
    if account.uid is None or not Path("/proc/self/fd").is_dir():
        return str(path), ()
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    handles.callback(os.close, fd)
    return f"/proc/self/fd/{fd}", (fd,)


def live_pid(place: Place) -> int | None:
    """The pid of a living server on our data folder; a zombie or a stranger does not count."""
    try:
        pid = int((place.data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    try:
        if not Path("/proc/self").exists():
            os.kill(pid, 0)
            return pid
        # The server works inside its data folder, a zombie nowhere.
        return pid if os.path.samefile(f"/proc/{pid}/cwd", place.data) else None
    except OSError:
        return None


def disown_pid_files(place: Place) -> None:
    """Keep pid files of a dead server from stopping a new one, should their pid be in use again.

    `postmaster.pid` also names the shared memory by which PostgreSQL notices surviving
    backends, so it stays; PostgreSQL overlooks the pid of its own parent, which we are.
    """
    (place.sockets / f"{SOCKET}.lock").unlink(missing_ok=True)
    pid_file = place.data / "postmaster.pid"
    if not pid_file.exists():
        return
    with open(pid_file, "rb+", opener=private) as file:
        _, *rest = file.read().splitlines(keepends=True) or [b""]
        file.seek(0)
        file.truncate()
        file.write(b"".join([b"%d\n" % os.getpid(), *rest]))


def last_words(place: Place) -> str:
    with suppress(OSError):
        lines = (place.folder / "postgres.log").read_text(errors="replace").splitlines()
        told = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
        return (told or lines or [""])[-1]
    return ""
