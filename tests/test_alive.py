"""What a container's health check says of its process, and what is served to it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.signals import before_task_publish, heartbeat_sent

from config import alive

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(alive.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture
def no_watcher_stays() -> Iterator[None]:
    kept = [(signal, list(signal.receivers)) for signal in (heartbeat_sent, before_task_publish)]
    yield
    for signal, receivers in kept:
        signal.receivers = receivers


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_is_well_while_it_gives_signs(name: str, folder: Path, no_watcher_stays: None) -> None:
    assert alive.problem_of(name) == "no sign yet"
    watch, signal = {
        "worker": (alive.watch_worker, heartbeat_sent),
        "beat": (alive.watch_beat, before_task_publish),
    }[name]
    watch()
    signal.send(sender=None)
    assert alive.problem_of(name) == ""
    for off in (-61.5, 3600):  # the latter where the clock was set back since
        then = time.time() + off
        os.utime(alive.sign_of(name), (then, then))
        assert "no sign for" in alive.problem_of(name)
        signal.send(sender=None)
        assert alive.problem_of(name) == ""


@pytest.mark.parametrize(("status", "problem"), [(200, ""), (503, "503 {}")])
def test_the_web_server_is_asked_as_the_proxy_asks(
    status: int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", ".quiz.example.com,other.example.com")
    asked: dict[str, Any] = {}

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.update(self.headers, path=self.path)
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.handle_request, daemon=True).start()
    assert alive.problem_of("web", server.server_port) == problem
    server.server_close()
    assert (asked["path"], asked["Host"], asked["X-Forwarded-Proto"]) == (
        "/readyz",
        "quiz.example.com",
        "https",
    )


def test_nobody_listens() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    assert "refused" in alive.problem_of("web", port)


def test_every_part_of_the_service_is_confined_and_watched() -> None:
    parts = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(parts) == {"postgres", "redis", "migrate", "web", "worker", "background", "beat"}
    for name, part in parts.items():
        assert part["logging"]["options"]["max-size"], name
        assert part["mem_limit"], name
        assert "no-new-privileges:true" in part["security_opt"], name
        assert re.search(r":\d", part["image"]) or part["image"] == "quiz-crm", name
        if name != "migrate":
            assert part["healthcheck"]["test"], name
    for name in ("migrate", "web", "worker", "background", "beat"):
        assert parts[name]["read_only"] is True
        assert parts[name]["cap_drop"] == ["ALL"]
    for name, sort in {"web": "web", "worker": "worker", "background": "worker", "beat": "beat"}.items():
        assert parts[name]["healthcheck"]["test"][-3:] == ["-m", "config.alive", sort]
    assert re.search(r"^USER (?!root)\w+", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
