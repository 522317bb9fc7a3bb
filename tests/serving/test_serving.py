"""The one command: what dies is started again, nothing outlives it, and it says what it is missing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import serving
from config.serving import CannotServe, Service, Supervisor, check_secrets, is_local, wait_for_port

PROJECT = Path(__file__).resolve().parents[2]
SLEEP = ("-c", "import time; time.sleep(60)")
COMMAND = f"""
import pathlib
from config.serving import Service, Supervisor
with Supervisor([Service("web", {SLEEP!r}), Service("beat", {SLEEP!r})], pathlib.Path("."), print) as family:
    family.look()
    print(*(one.process.pid for one in family.services), flush=True)
    family.run()
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def family(tmp_path, said):
    """A supervisor of one sleeper."""
    with Supervisor([Service("web", SLEEP)], tmp_path, said.append) as family:
        family.look()
        yield family


def looked_until(family: Supervisor, ready) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        family.look()
        time.sleep(0.01)


def killed(family: Supervisor) -> int:
    """The pid of who was killed, once that has been noticed."""
    [web] = family.services
    pid = web.process.pid
    os.kill(pid, signal.SIGKILL)
    looked_until(family, lambda: web.process is None)
    return pid


def test_who_is_killed_is_started_again(family, said, monkeypatch):
    monkeypatch.setattr(serving, "FIRST_PAUSE", 0.1)
    [web] = family.services
    web.begun -= serving.STEADY + 1
    pid = killed(family)
    looked_until(family, lambda: web.process)
    assert web.process.pid != pid
    assert said == ["web ended (status -9), it starts again in 0 s"]


def test_who_dies_again_and_again_waits_longer(family):
    [web] = family.services
    pauses = []
    for _ in range(7):
        killed(family)
        pauses.append(web.pause)
        web.due = 0
        family.look()
    assert pauses == [2, 4, 8, 16, 30, 30, 30]


def test_all_begin_anew_when_a_server_has_moved(family):
    [web] = family.services
    before = web.process.pid
    family.mend, family.looked = (lambda: True), 0
    family.look()
    assert web.process.pid != before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_outlives_a_killed_command():
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=PROJECT, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    pids = [int(pid) for pid in command.stdout.readline().split()]
    command.kill()
    command.communicate()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotServe, match=rf"Can't listen at {bind} \(Address already in use\): free it"):
            wait_for_port(bind, seconds=0)
    wait_for_port(bind, seconds=0)
    with pytest.raises(CannotServe, match=r"Can't listen at here \(not HOST:PORT\)"):
        wait_for_port("here", seconds=0)


def test_development_secrets_are_for_this_machine_only(monkeypatch):
    for name in (*serving.SECRETS, "JWT_JWKS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert "for trying out only" in check_secrets("127.0.0.1:8000", "http://localhost:8000")
    for bind, public in (("0.0.0.0:80", "http://localhost"), ("127.0.0.1:8000", "https://quiz.example")):
        with pytest.raises(CannotServe, match="SECRET_KEY and JWT_KEY and ENCRYPTION_KEYS not set"):
            check_secrets(bind, public)

    monkeypatch.setenv("SECRET_KEY", "one of our own")
    monkeypatch.setenv("ENCRYPTION_KEYS", "another")
    monkeypatch.setenv("JWT_JWKS_URL", "https://quiz.example/keys")
    assert check_secrets("0.0.0.0:80", "https://quiz.example") == ""


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False), ("", False)],
)
def test_which_addresses_are_this_machine_only(host, local):
    assert is_local(host) is local
