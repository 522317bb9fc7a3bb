"""A database that is away, or has no connection left: whoever asks is told so within two seconds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config import gunicorn

ROOT = Path(__file__).resolve().parents[2]
SAID = "The database is out of reach at the moment; send the request again"
OURS = {"code": "unavailable", "message": SAID, "field": ""}
# Asks one path after another as the web server does, and prints what was answered. In argv: a token.
ASKING = """
import json, os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import config.wsgi
from django.db import connection
from django.test import Client
from threading import Event, Thread

if os.environ["DATABASE_POOL"] == "1":
    held = Event()
    def hold():
        connection.ensure_connection()
        held.set()
        Event().wait()
    Thread(target=hold, daemon=True).start()
    assert held.wait(20)
client = Client(headers={"Authorization": "Bearer " + sys.argv[1]}, raise_request_exception=False)
answer = {"quizID": 1, "answerID": "a", "contact": {"phone": "+79161234501"}, "answers": []}
for method, path, body in [
    ("get", "/healthz", None),  # first, as it loads the program
    ("get", "/account", None), ("get", "/users", None),
    ("post", "/answers", answer), ("get", "/deliveries", None),
    ("get", "/admin/", None), ("post", "/hooks/1/secret", None),
]:
    if path == "/admin/":
        client.cookies["sessionid"] = "s" * 32
    kind = "application/x-www-form-urlencoded" if path.startswith("/hooks") else "application/json"
    started = time.monotonic()
    got = client.generic(method.upper(), path, json.dumps(body) if body else "", kind)
    seconds = time.monotonic() - started
    print(json.dumps([path, got.status_code, seconds, got.headers.get("Retry-After"), got.content.decode()]))
"""


@pytest.fixture
def away(request: Any) -> Any:
    """The environment of a web process whose database is out of reach in one way or another."""
    (waits,) = (line.partition("=")[2] for line in gunicorn.raw_env)
    environment = os.environ | {
        "DATABASE_WAIT_SECONDS": waits,
        "DATABASE_POOL": "4",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "JWT_KEY": settings.JWT_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "ALLOWED_HOSTS": "testserver",
        "PUBLIC_URL": "http://localhost:8000",
    }
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        port = silent.getsockname()[1]
        match request.param:
            case "silent":
                environment["DATABASE_URL"] = f"postgres://nobody:x@127.0.0.1:{port}/none"
            case "refusing":
                silent.close()
                environment["DATABASE_URL"] = f"postgres://nobody:x@127.0.0.1:{port}/none"
            case "exhausted":
                own = os.environ.get("DATABASE_URL") or settings.EMBEDDED_DATABASE_URL
                environment |= {"DATABASE_URL": own, "DATABASE_POOL": "1"}
        yield environment


@pytest.mark.parametrize("away", ["refusing", "silent", "exhausted"], indirect=True)
def test_whoever_asks_is_told_to_come_again(away, caller):
    token = caller("shop").defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    run = subprocess.run(
        [sys.executable, "-c", ASKING, token], env=away, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    said = {path: rest for path, *rest in map(json.loads, run.stdout.splitlines())}
    assert len(said) == 7, run.stderr[-2000:]

    healthz = said.pop("/healthz")
    assert healthz[0] == 200
    for path, (status, seconds, retry_after, body) in said.items():
        assert (status, retry_after) == (503, "5"), (path, body)
        assert seconds < 2.0, path
        if path in ("/answers", "/deliveries"):
            assert OURS.items() <= json.loads(body)["error"].items()
        elif path in ("/account", "/users"):
            assert json.loads(body) == SAID
        else:
            assert SAID in body
