"""A token that ``issue_token`` prints in a checkout opens the demo of the same checkout."""

from __future__ import annotations

import os
import subprocess
from io import StringIO
from pathlib import Path

import jwt
import pytest
from django.core.management import call_command

import manage
from config.demo.environment import Environment
from config.serving import SECRETS

PROJECT = Path(manage.__file__).parent


def test_the_demo_takes_what_issue_token_prints():
    printed = StringIO()
    call_command("issue_token", "1001", stdout=printed)
    demo = Environment("demo", Path(), 8000, "127.0.0.1", "", "").variables({})
    claims = jwt.decode(
        printed.getvalue().strip(), demo["JWT_KEY"], algorithms=demo["JWT_ALGORITHMS"].split(",")
    )
    assert claims[demo["JWT_ACCOUNT_CLAIM"]] == "1001"


def test_make_demo_puts_no_key_in_the_place_of_the_checkouts():
    said = subprocess.run(
        ["make", "--dry-run", "demo", "VENV=/nowhere"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "manage.py demo" in said.stdout
    assert "JWT_KEY" not in said.stdout


@pytest.mark.parametrize("database", ["", "postgres://somebody@db.example/quiz"])
def test_the_demo_is_lent_the_secrets_that_are_missing_alone(monkeypatch, database):
    monkeypatch.setattr("manage.dotenv", lambda: None)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("JWT_KEY", "the checkout's own")
    for name in SECRETS:
        if name != "JWT_KEY":
            monkeypatch.delenv(name, raising=False)
    manage.lend_secrets()
    assert os.environ["JWT_KEY"] == "the checkout's own"
    assert [bool(os.environ.get(name)) for name in SECRETS if name != "JWT_KEY"] == [bool(database)] * 2
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
