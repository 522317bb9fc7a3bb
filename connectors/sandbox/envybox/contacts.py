"""Phones and e-mails as Envybox compares them (reference 1.6): digits, a leading 8 is 7."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def phone_digits(value: Any) -> str:
    digits = re.sub(r"\D", "", str(value or ""))
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits


def email_key(value: Any) -> str:
    return str(value or "").strip().lower()


def keys_of(phones: Iterable[Any], emails: Iterable[Any]) -> tuple[str, ...]:
    found = [*map(phone_digits, phones), *map(email_key, emails)]
    return tuple(dict.fromkeys(key for key in found if key))
