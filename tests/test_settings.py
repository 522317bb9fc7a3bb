"""Settings as an operator meets them: `.env.example` tells all, and what is wrong says so at the start."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import DEMANDED

PROJECT = Path(__file__).resolve().parents[1]
EXAMPLE = (PROJECT / ".env.example").read_text()
LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
OF_COMPOSE = {"POSTGRES_PASSWORD"}
SERVERS = {"DATABASE_URL": "postgres://quiz@127.0.0.1:1/quiz", "REDIS_URL": "redis://127.0.0.1:1/0"}
RECORD = """
import json, environ
read = {}
ask = environ.Env.get_value
def record(self, name, *rest, **options):
    read[name] = ask(self, name, *rest, **options)
    return read[name]
environ.Env.get_value = record
import config.settings
print(json.dumps(read, default=str))
"""


def start(code: str = RECORD, **variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of its own: production, except for what is given."""
    system = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    env = {**system, **SERVERS, **DEMANDED, **variables}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)


def settings_read(**variables: str) -> dict[str, object]:
    done = start(**variables)
    assert done.returncode == 0, done.stderr
    values: dict[str, object] = json.loads(done.stdout)
    return values


@pytest.fixture(scope="module")
def defaults():
    return settings_read()


def test_the_example_lists_every_setting_and_no_other(defaults):
    listed = [name for _, name, _ in LINE.findall(EXAMPLE)]

    assert sorted(listed) == sorted({*defaults, *OF_COMPOSE})


def test_the_example_shows_the_defaults(defaults):
    shown = {name: value for mark, name, value in LINE.findall(EXAMPLE) if mark}

    same = settings_read(**{**shown, **SERVERS})

    assert {name: same[name] for name in shown} == {name: defaults[name] for name in shown}


@pytest.mark.parametrize("name", DEMANDED)
def test_what_is_demanded_and_missing_is_named(name):
    done = start(**{name: ""})

    assert done.returncode != 0
    assert f"{name} is not set" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EVENT_DAYS", "-1", "EVENT_DAYS must be 0 (no events) or a number of days."),
        ("SYNC_MINUTES", "often", "SYNC_MINUTES is 'often'; it must be a whole number."),
        ("AMOCRM_REQUESTS_PER_SECOND", "fast", "it must be a number."),
        ("SSL_REDIRECT", "maybe", "SSL_REDIRECT is 'maybe'; it must be true or false."),
        ("LOG_FORMAT", "xml", "it must be one of plain, json."),
        ("LOG_LEVEL", "loud", "it must be one of DEBUG,"),
        ("PUBLIC_URL", "quiz.example.com", "PUBLIC_URL must be an address that begins with https://."),
        ("DATABASE_URL", "mysql://quiz@db/quiz", "must be an address that begins with postgres://."),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must be an address that begins with redis://."),
        ("ENCRYPTION_KEYS", "too short", "ENCRYPTION_KEYS must be Fernet keys"),
    ],
)
def test_a_wrong_value_is_named(name, value, sentence):
    done = start(**{name: value})

    assert done.returncode != 0
    assert sentence in done.stderr.splitlines()[-1]
    assert "PASSWORD" not in done.stderr


def test_what_every_connection_says_to_the_database():
    code = "import config.settings; print(config.settings.DATABASES['default']['OPTIONS'].get('options'))"
    idle, quiet = "-c idle_in_transaction_session_timeout=60s", "-c quiz_crm.events=off"
    assert start(code).stdout.strip() == idle
    assert start(code, EVENT_DAYS="0").stdout.strip() == f"{idle} {quiet}"
    assert start(code, DATABASE_IDLE_SECONDS="0").stdout.strip() == "None"
    named = {
        "DATABASE_URL": f"{SERVERS['DATABASE_URL']}?options=-c%20jit%3Doff",
        "DATABASE_IDLE_SECONDS": "0",
    }
    assert start(code, EVENT_DAYS="0", **named).stdout.strip() == f"-c jit=off {quiet}"
