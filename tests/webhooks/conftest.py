"""The quiz platform with a server of its own, which takes webhooks or does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts import db_clock
from accounts.events import feed, sending, signing
from accounts.events.models import NewEvent, WebhookEndpoint


class Receiver(ThreadingHTTPServer):
    """Verifies by the library whatever it gets, and answers what ``answers`` says of an event (200 unless
    it says otherwise); ``got`` are the events that it took."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []  # (type of the event, path)
        self.headers: list[dict[str, str]] = []
        self.secrets: list[str] = []
        self.answers: Callable[[dict[str, Any]], int] = lambda event: 200
        self.extra: dict[str, str] = {}
        self.body = b""
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks?tenant=1"

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.got]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            event = verified(self.server.secrets, body, dict(self.headers))
            status = self.server.answers(event) if event else 401
            self.server.asked.append((event["type"] if event else "", self.path))
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
            if status < 300 and event:
                self.server.got.append(event)
            body = self.server.body
        connections.close_all()  # where an answer has looked into the database
        self.send_response(status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Not into the tests' output."""


def verified(secrets: list[str], body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    for secret in secrets:
        try:
            return dict(Webhook(secret).verify(body, headers))
        except WebhookVerificationError:
            continue
    return {}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with Receiver() as server:
        settings.SANDBOX_HOSTS = frozenset({f"127.0.0.1:{server.server_port}"})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def platform(settings: Any, db: None) -> Client:
    """The quiz platform's own client."""
    claims = {"exp": time.time() + 10 * 365 * 86_400, settings.JWT_SCOPE_CLAIM: settings.JWT_PLATFORM_SCOPE}
    token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def endpoint(platform: Client, receiver: Receiver) -> Callable[..., dict[str, Any]]:
    """Makes an endpoint at the receiver, which knows its secret."""

    def make(**body: Any) -> dict[str, Any]:
        answer = platform.post(
            "/webhook-endpoints", {"url": receiver.url, **body}, content_type="application/json"
        )
        assert answer.status_code == 201, answer.content
        made: dict[str, Any] = answer.json()
        receiver.secrets.append(made["secret"])
        return made

    return make


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Time passes for us and the database, but not for the receiver, which takes no old signatures."""
    clocks, passed = {clock: clock.now for clock in (timezone, db_clock)}, timedelta()
    sign, real = signing.headers, timezone.now

    def later(**time: float) -> None:
        nonlocal passed
        passed += timedelta(**time)

    for clock, now in clocks.items():
        monkeypatch.setattr(clock, "now", lambda now=now: now() + passed)
    monkeypatch.setattr(signing, "headers", lambda row, key, body, now: sign(row, key, body, real()))
    return later


def happen(*types: str, owner: str = "shop", **data: Any) -> None:
    """Events are written."""
    NewEvent.objects.bulk_create(
        NewEvent(owner=owner, type=kind, at=timezone.now(), data=data) for kind in types
    )


def work() -> None:
    """What beat and workers do until nothing is due."""
    for _ in range(20):
        while feed.number():
            pass
        due = sending.due()
        for pk in due:
            sending.send(pk)
        if not due:
            return
    raise AssertionError("the endpoints never came to rest")


def row() -> WebhookEndpoint:
    return WebhookEndpoint.objects.get()
