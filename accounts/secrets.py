"""Secrets at rest: a text column that only our keys can read.

``ENCRYPTION_KEYS`` lists Fernet keys; the first one writes, all of them read. So a key is rotated by adding a
new one behind, for all processes to read, then putting it in front, running ``manage.py rotate_secrets``, and
dropping the old one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

PREFIX = "v1:"


class WrongKey(Exception):
    """None of ENCRYPTION_KEYS opens a stored secret."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(plain: str) -> str:
    """The text as it is stored. Empty stays empty."""
    if not plain:
        return ""
    return PREFIX + _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def unseal(stored: str) -> str:
    """The text as it was. Raises ``WrongKey``, never returns the ciphertext."""
    if not stored:
        return ""
    try:
        return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken as exc:
        raise WrongKey(
            "A stored secret opens with none of ENCRYPTION_KEYS; add the key it was written with"
        ) from exc


class SecretField(models.TextField):
    """A ``TextField`` whose column holds ciphertext. It can't be searched, on purpose."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else seal(str(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value if value is None else unseal(value)
