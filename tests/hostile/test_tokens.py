"""Bearer tokens that nobody may come in with, on every route."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from tests.hostile.routes import rest_routes
from tests.hostile.wire import knock

KEY = "a-key-of-the-quiz-platform-long-enough-for-sha-256"


def b64(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(claims: Any, key: str = KEY, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=header or None)


NOW = int(time.time())
GOOD = {"id": "shop", "iss": "quiz", "aud": "crm", "exp": NOW + 86_400}
ENDLESS = b'{"id": "shop", "exp": ' + b"9" * 5000 + b"}"
BAD_TOKENS = {
    "alg none": f"{b64({'alg': 'none'})}.{b64(GOOD)}.",
    "alg None": f"{b64({'alg': 'None'})}.{b64(GOOD)}.{b64(b'x')}",
    "no alg": f"{b64({})}.{b64(GOOD)}.{b64(b'x')}",
    "alg a list": f"{b64({'alg': ['HS256']})}.{b64(GOOD)}.{b64(b'x')}",
    "another key": signed(GOOD, "another-key-of-somebody-long-enough-for-sha256"),
    "another algorithm": signed(GOOD, KEY + KEY, algorithm="HS512"),
    "an empty key": f"{b64({'alg': 'HS256'})}.{b64(GOOD)}.",
    "another audience": signed(GOOD | {"aud": "shop"}),
    "another issuer": signed(GOOD | {"iss": "evil"}),
    "no audience": signed({name: GOOD[name] for name in ("id", "iss", "exp")}),
    "no issuer": signed({name: GOOD[name] for name in ("id", "aud", "exp")}),
    "no expiry": signed({name: GOOD[name] for name in ("id", "iss", "aud")}),
    "expired": signed(GOOD | {"exp": NOW - 3600}),
    "not yet": signed(GOOD | {"nbf": NOW + 3600}),
    "expiry a text": signed(GOOD | {"exp": "never"}),
    "expiry endless": f"{b64({'alg': 'HS256'})}.{b64(ENDLESS)}.x",
    "no account": signed({name: GOOD[name] for name in ("iss", "aud", "exp")}),
    "account null": signed(GOOD | {"id": None}),
    "account a list": signed(GOOD | {"id": ["shop"]}),
    "account with NUL": signed(GOOD | {"id": "sh\0op"}),
    "account with half a pair": signed(GOOD | {"id": "sh\ud800op"}),
    "account of spaces": signed(GOOD | {"id": "   "}),
    "account endless": signed(GOOD | {"id": "9" * 100_000}),
    "claims a list": f"{b64({'alg': 'HS256'})}.{b64([GOOD])}.x",
    "a foreign key's address": signed(GOOD, "x" * 40, jku="https://evil.example/jwks"),
    "a key of its own": signed(GOOD, "x" * 40, jwk={"kty": "oct", "k": b64(b"x" * 40)}),
    "a key's path": signed(GOOD, "x" * 40, kid="../../../dev/null"),
    "critical": signed(GOOD, "x" * 40, crit=["exp"]),
    "deep": f"{b64(b'[' * 20_000)}.{b64(b'[' * 20_000)}.x",
    "100 KB": "A" * 100_000,
    "100 KB of dots": "." * 100_000,
    "five parts": "a.b.c.d.e",
    "no text": "\xff\xfe\xfd",
    "another line": f"{signed(GOOD)}\r\nX-Account: admin",
}


@pytest.fixture
def platform(settings: Any) -> None:
    settings.JWT_KEY, settings.JWT_ALGORITHMS, settings.JWT_ACCOUNT_CLAIM = KEY, ["HS256"], "id"
    settings.JWT_ISSUER, settings.JWT_AUDIENCE = "quiz", "crm"


@pytest.mark.django_db(transaction=True)
def test_the_good_token_among_them_is_taken(platform: None) -> None:
    assert knock("GET", "/deliveries", HTTP_AUTHORIZATION=f"Bearer {signed(GOOD)}").status == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_opens_no_route(platform: None, name: str) -> None:
    for route in rest_routes():
        method = route.methods[0].upper()
        target = route.url(**dict.fromkeys(route.ids, 1))
        reply = knock(method, target, HTTP_AUTHORIZATION=f"Bearer {BAD_TOKENS[name]}")
        assert reply.status == 401, route
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        said = reply.json()
        assert (said if isinstance(said, str) else said["error"]["message"]) in {
            "The token is not valid",
            "The token has expired",
            "The token never expires: exp is required",
            "account id is required",
        }
