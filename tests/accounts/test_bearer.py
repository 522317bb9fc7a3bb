"""Whose request it is: the table of tokens that are taken and refused."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.rest import authentication

pytestmark = pytest.mark.django_db
KEY = "a-key-of-the-quiz-platform-that-is-long-enough-for-sha-512-and-not-only-256"
TOMORROW = time.time() + 86_400
SHOP = {"id": "shop", "exp": TOMORROW}


@pytest.fixture(autouse=True)
def platform(settings: Any) -> None:
    settings.JWT_KEY, settings.JWT_ALGORITHMS, settings.JWT_ACCOUNT_CLAIM = KEY, ["HS256"], "id"


def signed(claims: dict[str, Any], key: str = KEY, **options: Any) -> str:
    return "Bearer " + jwt.encode(claims, key, algorithm=options.pop("algorithm", "HS256"), **options)


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return (
        "Bearer " + ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in parts) + "."
    )


def ask(header: str | None) -> Any:
    return Client(headers={"Authorization": header} if header is not None else {}).delete("/account")


@pytest.mark.parametrize(
    "claims",
    [SHOP, SHOP | {"id": 42}, SHOP | {"id": "квиз-7"}],
    ids=["text", "number", "cyrillic"],
)
def test_a_good_token_is_taken(claims):
    answer = ask(signed(claims))
    assert (answer.status_code, answer.json()) == (200, "Success")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "Authentication credentials were not provided."),
        ("", "Authentication credentials were not provided."),
        ("Basic c2hvcDpzaG9w", "Authentication credentials were not provided."),
        ("Bearer", "Authentication credentials were not provided."),
        ("Bearer rubbish", "The token is not valid"),
        ("Bearer \x00", "The token is not valid"),
        ("Bearer " + "A" * 10_000, "The token is not valid"),
        (unsigned(SHOP), "The token is not valid"),
        (signed(SHOP, key="another key that is long enough for sha"), "The token is not valid"),
        (signed(SHOP, algorithm="HS512"), "The token is not valid"),
        (signed(SHOP | {"nbf": time.time() + 900}), "The token is not valid"),
        (signed(SHOP | {"exp": 1}), "The token has expired"),
        (signed({"id": "shop"}), "The token never expires: exp is required"),
        (signed({"exp": TOMORROW}), "account id is required"),
        (signed(SHOP | {"id": ""}), "account id is required"),
        (signed(SHOP | {"id": None}), "account id is required"),
        (signed(SHOP | {"id": True}), "account id is required"),
        (signed(SHOP | {"id": ["shop"]}), "account id is required"),
        (signed(SHOP | {"id": "a\x00b"}), "account id is required"),
        (signed(SHOP | {"id": "a" * 201}), "account id is required"),
    ],
)
def test_any_other_token_is_401_with_a_sentence(header, said):
    answer = ask(header)
    assert (answer.status_code, answer.json()) == (401, said)
    assert answer["WWW-Authenticate"] == "Bearer"


def test_issuer_and_audience_are_checked_where_they_are_set(settings):
    settings.JWT_ISSUER, settings.JWT_AUDIENCE = "quiz", "crm"
    assert ask(signed(SHOP)).status_code == 401
    assert ask(signed(SHOP | {"iss": "quiz", "aud": "crm"})).status_code == 200


def test_tokens_without_an_end_are_taken_where_the_operator_says_so(settings):
    settings.JWT_REQUIRE_EXP = False
    assert ask(signed({"id": "shop"})).status_code == 200


def test_a_token_can_be_issued_for_a_try():
    out = io.StringIO()
    call_command("issue_token", "shop", stdout=out)
    assert ask(f"Bearer {out.getvalue().strip()}").status_code == 200


def test_no_token_is_issued_where_only_the_platform_can_sign(settings):
    settings.JWT_ALGORITHMS = ["RS256"]
    with pytest.raises(CommandError):
        call_command("issue_token", "shop")


def test_an_accept_that_does_not_mention_json_is_no_reason_for_406():
    answer = Client(headers={"Authorization": signed(SHOP), "Accept": "text/html"}).delete("/account")
    assert answer.json() == "Success"


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were checked."""
    real, seen = jwt.decode, []

    def decode(token: str, *args: Any, **options: Any) -> Any:
        seen.append(token)
        return real(token, *args, **options)

    monkeypatch.setattr(authentication.jwt, "decode", decode)
    return seen


def test_a_good_token_is_checked_once_a_minute_and_under_each_setting(checked, monkeypatch, settings):
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    token = signed(SHOP | {"jti": "once a minute"})
    for seconds, times in (
        (0, 1),
        (authentication.VERDICT_LIVES - 1, 1),
        (authentication.VERDICT_LIVES + 1, 2),
    ):
        ahead[0] = seconds
        assert ask(token).status_code == 200
        assert len(checked) == times
    settings.JWT_AUDIENCE = "somebody else"
    assert ask(token).status_code == 401
    settings.JWT_AUDIENCE, settings.JWT_KEY = "", "another key that is long enough for sha 256 as well"
    assert ask(token).status_code == 401


def test_a_token_is_good_no_longer_than_it_says(checked, monkeypatch):
    token = signed({"id": "shop", "exp": int(time.time()) + 10})
    real = time.time
    assert [ask(token).status_code for _ in range(2)] == [200, 200]
    monkeypatch.setattr(time, "time", lambda: real() + 11)
    assert ask(token).status_code == 200  # within the leeway of clocks that differ, but checked again
    assert len(checked) == 2


def test_a_bad_token_is_checked_each_time(checked):
    token = signed(SHOP, key="another key that is long enough for sha")
    assert [ask(token).status_code for _ in range(2)] == [401, 401]
    assert len(checked) == 2


def test_verdicts_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(authentication, "MOST_VERDICTS", 3)
    for number in range(10):
        assert ask(signed(SHOP | {"jti": str(number)})).status_code == 200
    assert len(authentication.verdicts.known) <= 3
