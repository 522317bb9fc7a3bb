"""Phones and e-mails, wherever a row has them, in one form (reference 5.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.contact import emails_in, phones_in
from connectors.response_shape import DATE

PHONE = re.compile(r"[\d\s()+.\-]{10,30}")
SEVERAL = re.compile(r"[,;\n]")
HOME = "RU"  # whose local numbers come without their country: solOS serves Russian companies
LONGEST = 1000  # a text, not a contact


def contacts_in(row: Any) -> frozenset[str]:
    """Every value that is a phone or an e-mail, as ``contacts_of`` has it; not those within a sentence."""
    return frozenset(
        found for text in _texts(row) for part in SEVERAL.split(text) for found in _contact(part.strip())
    )


def contacts_of(keys: Iterable[str]) -> frozenset[str]:
    """Of a person's keys (``phone:+7...``, ``email:a@b``): phones in E.164, e-mails in lower case."""
    return frozenset(found for key in keys if (found := key.partition(":")[2]))


def _contact(text: str) -> Iterator[str]:
    if "@" in text:
        yield from emails_in(text)
    elif PHONE.fullmatch(text) and not DATE.fullmatch(text):
        yield from phones_in(text, HOME)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool) and len(text := str(value)) <= LONGEST:
        yield text
