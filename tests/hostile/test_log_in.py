"""Guessing passwords: too many wrong ones for a name from an address end in a pause, for these two alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
RIGHT = "right-horse-battery"
HASHER = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def staff(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT, settings.PASSWORD_HASHERS = 3, HASHER
    for name in ("anna", "boris"):
        User.objects.create_superuser(name, password=RIGHT)


def knock(name: str, password: str, address: str = "203.0.113.9", forwarded: str = "") -> int:
    more = {"HTTP_X_FORWARDED_FOR": forwarded, "HTTP_X_FORWARDED_PROTO": "https"} if forwarded else {}
    form = {"username": name, "password": password}
    return Client().post("/admin/login/", form, REMOTE_ADDR=address, **more).status_code


def test_a_name_rests_at_the_address_from_which_it_was_guessed_at_and_nowhere_else() -> None:
    assert [knock("anna", "wrong") for _ in range(3)] == [200, 200, 429]
    assert knock("anna", RIGHT) == 429
    assert knock("boris", RIGHT) == 302
    assert knock("anna", RIGHT, "198.51.100.77") == 302


@pytest.mark.parametrize("forged", ["10.0.0.{}", "10.0.0.{}, 10.9.9.{}", "nonsense-{}"])
def test_a_forged_address_helps_nobody_behind_a_proxy(settings: Any, forged: str) -> None:
    """The proxy writes the true one behind it."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    tries = [
        knock("anna", "wrong", "10.1.1.1", f"{forged.format(number, number)}, 203.0.113.9")
        for number in range(3)
    ]
    assert tries == [200, 200, 429]
    assert knock("anna", RIGHT, "10.1.1.1", "8.8.8.8, 203.0.113.9") == 429
    assert knock("anna", RIGHT, "10.1.1.1", "203.0.113.9, 198.51.100.77") == 302


def test_without_a_proxy_the_header_is_nobodys_word() -> None:
    tries = [knock("anna", "wrong", forwarded=f"198.51.100.{number}") for number in range(3)]
    assert tries == [200, 200, 429]


@pytest.mark.parametrize("said", ["", "\x00", "x" * 9000, "' OR 1=1 --", "203.0.113.9, "])
def test_a_header_that_is_no_address_is_passed_over(settings: Any, said: str) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert knock("anna", "wrong", "10.1.1.1", said) == 200
