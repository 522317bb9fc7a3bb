"""The demo's processes end with it, and say why when they end before it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from config.demo import children
from config.demo.children import Children
from config.demo.errors import DemoFailed

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(inner.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def family(tmp_path: Path) -> Children:
    folder = tmp_path / ".local" / "demo"
    folder.mkdir(parents=True)
    return Children(folder, tmp_path, os.environ)


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_who_does_not_listen_is_killed_with_its_own_children(family, monkeypatch):
    monkeypatch.setattr(children, "STOP_SECONDS", 0.3)
    with family:
        child = family.start("stubborn", "-c", STUBBORN)
        family.wait(lambda: child.log.read_text().strip(), 20, "its child")
        inner = int(child.log.read_text())

    assert child.status == -9
    deadline = time.monotonic() + 5
    while is_alive(inner) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(inner)


def test_a_service_that_stops_ends_the_waiting_with_its_last_words(family):
    family.start("web", "-c", "import sys; print('no port', flush=True); sys.exit(3)")
    with family, pytest.raises(DemoFailed, match=r"web stopped \(exit status 3\)[^|]*\| no port"):
        family.wait(lambda: False, 20, "nothing")


def test_a_service_that_stops_politely_ends_the_waiting_too(family):
    family.start("beat", "-c", "pass")
    with family, pytest.raises(DemoFailed, match="beat stopped"):
        family.wait(lambda: False, 20, "nothing")
