"""Sentry hears what broke and where, and nothing of what was in it."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.sentry import told

ROOT = Path(__file__).resolve().parents[1]
SECRETS = ("Анна Белова", "+79990001122", "s3cr3t-token", "anna@example.ru", "visit-77")
# A process of its own: the client changes the process it runs in.
CODE = """
import logging
import django
django.setup()
import sentry_sdk
import structlog
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import path
from config.celery import app
from structlog.contextvars import bind_contextvars

payload = {"name": "Анна Белова", "phone": "+79990001122"}

def view(request: HttpRequest):
    local = dict(payload)
    request.body
    raise ValueError(f"can't read {local} of anna@example.ru")

urlpatterns = [path("answers", view)]
handler500 = "config.errors.server_error"

with override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"]):
    Client(raise_request_exception=False).post(
        "/answers?phone=%2B79990001122", payload, content_type="application/json",
        headers={"Authorization": "Bearer s3cr3t-token", "X-Request-Id": "r-5",
                 "Cookie": "sessionid=s3cr3t-token"},
    )

@app.task(name="tests.broken")
def broken(name: str) -> None:
    bind_contextvars(account=5)
    raise KeyError(name)

broken.apply(args=["visit-77"], throw=False)
try:
    raise RuntimeError("Анна Белова")
except RuntimeError:
    log = structlog.stdlib.get_logger("rules.x")
    log.exception("the lead can't be drafted", delivery=7, answer="visit-77")
sentry_sdk.flush(10)
"""


@pytest.fixture
def catcher() -> Iterator[tuple[str, list[str]]]:
    """A local Sentry: its DSN, and the bodies that it got."""
    bodies: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            bodies.append(body.decode())
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", bodies
    server.shutdown()
    server.server_close()


def test_what_broke_is_told_and_no_payload(catcher: tuple[str, list[str]], tmp_path: Path) -> None:
    dsn, bodies = catcher
    script = tmp_path / "broken_service.py"
    script.write_text(CODE)
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SENTRY_DSN": dsn,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for body in bodies for line in body.splitlines() if '"exception"' in line]
    types = {event["exception"]["values"][-1]["type"]: event for event in events}
    assert set(types) == {"ValueError", "KeyError", "RuntimeError"}
    assert types["ValueError"]["tags"]["request_id"] == "r-5"
    assert types["KeyError"]["tags"]["task"] == "tests.broken"
    assert types["RuntimeError"]["logentry"]["message"] == "the lead can't be drafted"
    assert types["ValueError"]["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "view"
    said = "".join(bodies)
    assert [secret for secret in SECRETS if secret in said or json.dumps(secret)[1:-1] in said] == []


def test_what_is_not_named_stays_here() -> None:
    event = {
        "event_id": "1",
        "request": {"data": "x"},
        "user": {"id": 1},
        "extra": {"x": "x"},
        "contexts": {},
    }
    assert set(told(event, {})) == {"event_id", "tags"}  # type: ignore[typeddict-item]


def test_without_a_dsn_nothing_is_started() -> None:
    assert not [one for one in logging.getLogger().handlers if "sentry" in type(one).__module__]
