"""The smaller ordeals in their short forms, as a person starts them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.embedded import PROJECT


def torture(*arguments: str) -> str:
    """What the script printed; it must have held."""
    command = [sys.executable, "-m", "tests.torture", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_processes_make_one_exchange_a_round_together_and_lose_no_token():
    said = torture("tokens", "--processes", "6", "--rounds", "6", "--name", "tokens_test")
    assert "tokens lost: 0; rounds that went wrong: 0" in said


@pytest.mark.skipif(sys.platform != "linux", reason="who is whose child is read from /proc")
def test_the_single_command_survives_being_killed():
    said = torture("alone", "--answers", "24", "--deaths", "1", "--short", "--name", "alone_test")
    assert "HOLDS: 24 answers accepted: 0 lost, 0 doubled, 0 stuck." in said
