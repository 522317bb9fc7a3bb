"""The quiz platform's public keys: they come and go, and the place where they are published may be away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from jwt.algorithms import ECAlgorithm

from accounts.rest import authentication

pytestmark = pytest.mark.django_db
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("old", "new")}
AWAY = "Tokens can't be checked at the moment"


class Platform:
    """What the platform answers at its JWKS address."""

    def __init__(self) -> None:
        self.status, self.asked = 200, 0
        self.body = b""
        self.publish("old")

    def publish(self, *names: str) -> None:
        keys = [json.loads(ECAlgorithm.to_jwk(KEYS[name].public_key())) | {"kid": name} for name in names]
        self.body = json.dumps({"keys": keys}).encode()


@pytest.fixture
def platform(settings: Any) -> Iterator[Platform]:
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            platform.asked += 1
            self.send_response(platform.status)
            self.end_headers()
            self.wfile.write(platform.body)

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings.JWT_JWKS_URL = f"http://127.0.0.1:{server.server_port}/jwks"
    settings.JWT_ALGORITHMS, settings.JWT_ACCOUNT_CLAIM = ["ES256"], "id"
    authentication._jwks.cache_clear()
    yield platform
    server.shutdown()
    server.server_close()
    authentication._jwks.cache_clear()


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock of the kept keys on by so many seconds."""
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    return lambda seconds: ahead.append(ahead.pop() + seconds)


def ask(key: str = "old", path: str = "/account") -> Any:
    claims = {"id": "shop", "exp": time.time() + 3600}
    token = jwt.encode(claims, KEYS[key], algorithm="ES256", headers={"kid": key})
    return Client(headers={"Authorization": f"Bearer {token}"}).get(path)


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.json()) == (401, "The token is not valid")


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (404, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": []}')]
)
def test_while_there_are_no_keys_a_caller_is_asked_to_come_again(platform, after, status, body):
    platform.status, platform.body = status, body
    answer = ask()
    assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, AWAY, "5")
    ours = {"code": "unavailable", "message": AWAY, "field": ""}
    assert ours.items() <= ask(path="/deliveries").json()["error"].items()
    assert platform.asked == 1  # the second request did not wait for an answer that was just missing

    platform.status = 200
    platform.publish("old")
    after(authentication.KEYS_PAUSE + 1)
    assert not refused(ask())
    assert ask().status_code != 503


def test_known_keys_outlive_a_short_absence(platform, after):
    ask()
    platform.status = 500
    after(authentication.KEYS_LIVE / 2)
    assert ask().status_code not in (401, 503)
    after(authentication.KEYS_LIVE)
    assert ask().status_code == 503


def test_a_withdrawn_key_ends_with_the_life_of_the_kept_set(platform, after):
    assert not refused(ask("old"))
    platform.publish("new")
    after(authentication.KEYS_LIVE + 1)
    assert refused(ask("old"))
    assert not refused(ask("new"))


def test_a_new_key_is_known_within_half_a_minute(platform, after):
    ask("old")
    platform.publish("old", "new")
    after(31)
    assert not refused(ask("new"))


def test_a_token_known_as_good_ends_with_the_set_that_it_was_checked_with(platform, after):
    claims = {"id": "shop", "exp": time.time() + 3600}
    token = jwt.encode(claims, KEYS["old"], algorithm="ES256", headers={"kid": "old"})
    again = Client(headers={"Authorization": f"Bearer {token}"})
    assert not refused(ask("old"))
    after(authentication.KEYS_LIVE - 1)
    assert not refused(again.get("/account"))
    platform.publish("new")
    after(2)  # within the minute of the verdict, beyond the life of the set
    assert refused(again.get("/account"))
