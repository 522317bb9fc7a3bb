"""The demo, as somebody who has just cloned the repository starts it: real processes, real servers."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.demo.answers import ANSWERS
from config.demo.scenario import scenarios

PROJECT = Path(__file__).resolve().parents[2]
# A demo that a developer has running keeps its database, folder and ports.
DEMO = [sys.executable, "manage.py", "demo", "--name=demo_test"]
ROW = re.compile(r"^(\S+) +(visit-\d+) +(\d+)  +(\S.*?)  +(\S.*?)  +(\d+\.\d\d)$", re.MULTILINE)


def test_every_answer_is_one_lead_in_every_crm():
    done = subprocess.run(
        [*DEMO, "--exit"], cwd=PROJECT, capture_output=True, text=True, timeout=170, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    rows = ROW.findall(done.stdout)
    wanted = {(one.label, answer["answerID"]) for one in scenarios() for answer in ANSWERS}
    assert {(crm, answer) for crm, answer, *_ in rows} == wanted
    assert len({(crm, lead) for crm, _, lead, *_ in rows}) == len(rows) == len(wanted)
    assert f"All {len(wanted)} leads are there exactly once, each with its contact" in done.stdout


def test_an_interrupted_demo_leaves_nothing_running():
    demo = subprocess.Popen(
        [*DEMO, "--exit"], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    log = PROJECT / ".local" / "demo_test" / "web.log"
    assert "Starting" in demo.stdout.readline()
    begun = time.time()
    while not (log.exists() and log.stat().st_mtime > begun and "Listening at" in log.read_text()):
        assert demo.poll() is None
        assert time.time() < begun + 60
        time.sleep(0.1)

    demo.send_signal(signal.SIGINT)
    said, _ = demo.communicate(timeout=30)

    assert demo.returncode == 128 + signal.SIGINT
    assert "Stopped." in said
    host, port = re.findall(r"Listening at: http://([\d.]+):(\d+)", log.read_text())[-1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
