"""The main run in small: real processes, every kind of blow, and nothing lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ANSWERS, SECONDS = 300, 900
JOINED_AT_LEAST = 20  # of those who come back
RUN = [sys.executable, "-m", "tests.torture", "answers", "--short", "--seed=5", "--name=torture_test"]


def test_300_answers_under_every_blow_are_leads_or_stand_on_their_persons_open_one(tmp_path):
    told = tmp_path / "figures.json"
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

    assert run.returncode == 0, said
    figures = json.loads(told.read_text())
    assert figures["accepted"] == ANSWERS, said
    assert figures["leads"] + figures["joined"] == ANSWERS, said
    assert figures["joined"] > JOINED_AT_LEAST, said
    assert figures["contacts_doubled"] == 0, said
    assert figures["ended"] == {}, said
    assert "HOLDS" in said


def stop(run: subprocess.Popen[str]) -> None:
    """Politely: it has processes of its own to stop."""
    if run.poll() is None:
        run.terminate()
        try:
            run.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            run.kill()
