"""The main run in small: real processes, every kind of blow, and nothing lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ANSWERS, SECONDS = 300, 900
JOINED_AT_LEAST = 20  # of those who come back
RUN = [sys.executable, "-m", "tests.torture", "answers", "--short", "--seed=5", "--name=torture_test"]


@dataclass(frozen=True)
class Told:
    """How a run ended, what it printed, its figures."""

    status: int
    said: str
    figures: dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """300 answers under every blow."""
    told = tmp_path_factory.mktemp("torture") / "figures.json"
    run = subprocess.Popen(
        [*RUN, f"--answers={ANSWERS}", f"--json={told}", "--patience=600"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = run.communicate(timeout=SECONDS)
    finally:
        stop(run)
    return Told(run.returncode, said, json.loads(told.read_text()) if told.exists() else {})


def test_the_run_holds(run: Told):
    assert run.status == 0, run.said
    assert "HOLDS" in run.said


def test_every_answer_is_a_lead_or_stands_on_its_persons_open_one(run: Told):
    assert run.figures["accepted"] == ANSWERS, run.said
    assert run.figures["leads"] + run.figures["joined"] == ANSWERS, run.said
    assert run.figures["joined"] > JOINED_AT_LEAST, run.said


def test_no_contact_is_doubled_and_no_process_ends_by_itself(run: Told):
    assert run.figures["contacts_doubled"] == 0, run.said
    assert run.figures["ended"] == {}, run.said


def stop(run: subprocess.Popen[str]) -> None:
    """Politely: it has processes of its own to stop."""
    if run.poll() is None:
        run.terminate()
        try:
            run.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            run.kill()
