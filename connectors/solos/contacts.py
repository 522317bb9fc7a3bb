"""Phones and e-mails, wherever a row has them, in one form (reference 5.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.samples import DATE

PHONE = re.compile(r"[\d\s()+.\-]{10,30}")
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")
SEVERAL = re.compile(r"[,;\n]")
LOCAL = 10  # digits of a Russian phone without its country
LONGEST = 1000  # a text, not a contact


def contacts_in(row: Any) -> frozenset[str]:
    """Every value that is a phone or an e-mail, as ``contacts_of`` has it; not those within a sentence."""
    return frozenset(
        found for text in _texts(row) for part in SEVERAL.split(text) if (found := _contact(part))
    )


def contacts_of(keys: Iterable[str]) -> frozenset[str]:
    """Of a person's keys (``phone:+7...``, ``email:a@b``): digits, and e-mails in lower case."""
    return frozenset(found for key in keys if (found := _contact(key.partition(":")[2])))


def _contact(text: str) -> str:
    text = text.strip()
    if EMAIL.fullmatch(text):
        return text.lower()
    is_phone = PHONE.fullmatch(text) and not DATE.fullmatch(text)
    return _phone(re.sub(r"\D", "", text)) if is_phone else ""


def _phone(digits: str) -> str:
    """Russian ones come with 8, with 7, or without their country."""
    if len(digits) == LOCAL + 1 and digits.startswith("8"):
        return "7" + digits[1:]
    return "7" + digits if len(digits) == LOCAL else digits


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool) and len(text := str(value)) <= LONGEST:
        yield text
