"""The demo, as somebody who has just cloned the repository starts it: real processes, real servers."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.demo.answers import ANSWERS
from config.demo.scenario import scenarios
from tests.docs.test_quickstart import commands_of

PROJECT = Path(__file__).resolve().parents[2]
# A demo that a developer has running keeps its database, folder and ports.
DEMO = (sys.executable, "manage.py", "demo", "--name=demo_test")
# What comes back, sooner or later, by a pattern of the command: "after some seconds" has to be true.
EXPECTED: dict[str, Callable[[Any], bool]] = {
    r"rules/7 -d": lambda said: said == "Success",
    r"rules/7$": lambda said: said["FieldsRule"]["lead"][0]["QuestionID"]["colour"] > 0,
    r"rules/7/preview": lambda said: len(said["requests"]) == 2 and len(said["losses"]) == 1,
    r"URL/answers": lambda said: len(said["deliveries"]) == len(scenarios()),
    r"deliveries\?quizID=7": lambda said: (
        [one["state"] for one in said["items"]] == ["delivered"] * len(scenarios())
        and all(one["link"] for one in said["items"])
    ),
    r"status=won": lambda said: [one["amount"] for one in said["items"]] == ["54000.00"],
    r"POST \$URL/account": lambda said: said["link"].startswith("http://"),
    r"envybox/account": lambda said: said["stale"] is False,
}
PATIENCE = 60  # seconds
REFUSED = re.compile(r"(Bad Request|Not Found|Unauthorized|[A-Za-z]+: |rules already exist)")
ROW = re.compile(r"^(\S+) +(visit-\d+) +(\d+)  +(\S.*?)  +(\S.*?)  +(\d+\.\d\d)$", re.MULTILINE)


@pytest.fixture(scope="module")
def command(django_db_setup: None) -> list[str]:
    """On tables that are made already: to make them takes half of a demo's start."""
    return [*DEMO, f"--template={connection.settings_dict['TEST']['TEMPLATE']}"]


def test_an_interrupted_demo_leaves_nothing_running(command: list[str]):
    demo = subprocess.Popen(
        [*command, "--exit"], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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


@dataclass
class Demo:
    """``said`` is all that it has printed."""

    said: str

    def address(self, what: str) -> str:
        """As it was printed: ``Admin``, ``API``, ``Local CRMs``."""
        [found] = re.findall(rf"^{what} +(http://[^/\s]+)", self.said, re.MULTILINE)
        return found


@dataclass
class Shell:
    """Somebody's terminal: variables and functions stay. ``met`` are the expectations that came true,
    ``leads`` what the answer became, by CRM."""

    demo: Demo
    begun: list[str] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    leads: dict[str, str] = field(default_factory=dict)

    def paste(self, command: str) -> None:
        """Addresses are the demo's own; what is not there yet is asked for again, as a person would."""
        crms = self.demo.address("Local CRMs").rpartition(":")[0]
        command = command.replace("http://127.0.0.1:8000", self.demo.address("API"))
        command = re.sub(r"http://127\.0\.0\.1:(?=81)", f"{crms}:", command)
        command = command.replace(".venv/bin/python", sys.executable)
        if self.leads:  # the demo may have sent a lead of its own before
            command = re.sub(r'(?<="lead_id": )\d+', self.leads["amocrm"], command)
        if variable := re.match(r"([A-Z]+)=", command):
            value = self.run(f'{command}\nprintf %s "${variable[1]}"')
            self.begun.append(f"{variable[1]}={shlex.quote(value)}")
            return
        if command.startswith("api()"):
            self.begun.append(command)
            return
        wanted = next((pattern for pattern in EXPECTED if re.search(pattern, command)), "")
        until = time.monotonic() + PATIENCE
        while not (said := json.loads(self.run(command))) or (wanted and not EXPECTED[wanted](said)):
            assert time.monotonic() < until, f"{command}\n{said}"
            time.sleep(0.3)
        assert not (isinstance(said, str) and REFUSED.match(said)), f"{command}\n{said}"
        assert not (isinstance(said, dict) and "error" in said), f"{command}\n{said}"
        if wanted.startswith("deliveries"):
            self.leads = {one["crm"]: one["leadID"] for one in said["items"]}
        self.met.add(wanted)

    def run(self, command: str) -> str:
        script = "\n".join(["set -euo pipefail", *self.begun, command])
        done = subprocess.run(
            ["bash", "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def demo(command: list[str]) -> Iterator[Demo]:
    """One that has shown everything and serves."""
    process = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    late = threading.Timer(170, process.kill)
    late.start()
    said = ""
    for line in process.stdout:
        said += line
        if "Serving until Ctrl-C" in line:
            break
    late.cancel()
    try:
        assert "Serving until Ctrl-C" in said, said
        yield Demo(said)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_every_answer_is_one_lead_in_every_crm(demo: Demo):
    rows = ROW.findall(demo.said)
    wanted = {(one.label, answer["answerID"]) for one in scenarios() for answer in ANSWERS}
    assert {(crm, answer) for crm, answer, *_ in rows} == wanted
    assert len({(crm, lead) for crm, _, lead, *_ in rows}) == len(rows) == len(wanted)
    assert f"All {len(wanted)} leads are there exactly once, each with its contact" in demo.said


def test_the_quickstart_leads_to_an_own_lead_in_every_crm(demo: Demo):
    """Every command of the document in its order, as somebody pastes them."""
    shell = Shell(demo)
    for command in commands_of("docs/quickstart.md")[1:]:
        shell.paste(command)
    assert shell.met >= set(EXPECTED)
