"""The tokens' ordeal in its short form, as a person starts it; `make torture RUN=alone` takes minutes."""

from __future__ import annotations

import subprocess
import sys

from django.db import connection

from config.embedded import PROJECT


def torture(*arguments: str) -> str:
    """What the script printed; it must have held."""
    command = [sys.executable, "-m", "tests.torture", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_processes_make_one_exchange_a_round_together_and_lose_no_token(django_db_setup: None):
    small = ("--processes=4", "--rounds=6", "--name=tokens_test")
    said = torture("tokens", *small, f"--template={connection.settings_dict['TEST']['TEMPLATE']}")
    assert "tokens lost: 0; rounds that went wrong: 0" in said
