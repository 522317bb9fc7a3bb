"""Who answered: the contact form of an answer as a ``Person``, and what in it could not be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import phonenumbers

from connectors.draft import Loss, Person

EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s.,;<>\"]{2,63}")
NAME_PARTS = ("lastName", "firstName", "secondName")
HANDLED = {"name", "phone", "phones", "email", "emails", "company", "city", *NAME_PARTS}
MESSENGERS = ("telegram", "whatsapp", "viber", "vkontakte", "facebook", "instagram", "skype")


def read_person(contact: Mapping[str, Any], region: str) -> tuple[Person, tuple[Loss, ...]]:
    """The person and the losses. ``region`` (``RU``) is where phones without a country code belong."""
    phones, bad_phones = _sort(texts(contact, "phone", "phones"), lambda text: e164(text, region))
    emails, bad_emails = _sort(texts(contact, "email", "emails"), plain_email)
    losses = [Loss("phone", text, "it can't be read as a phone number") for text in bad_phones]
    losses += [Loss("email", text, "it is not an e-mail address") for text in bad_emails]
    person = Person(
        name=_name(contact),
        phones=phones,
        emails=emails,
        messengers={key: found for key in MESSENGERS if (found := _one(contact, key))},
        city=_one(contact, "city"),
    )
    return person, tuple(losses)


def e164(text: str, region: str) -> str:
    """``8 (999) 000-11-22`` in RU as ``+79990001122``; empty where it is no possible number."""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def plain_email(text: str) -> str:
    """The address in lower case; empty where it is none."""
    text = text.strip().lower()
    return text if EMAIL.fullmatch(text) else ""


def contact_keys(contact: Mapping[str, Any], region: str) -> list[str]:
    """What makes two answers the same person's (``Person.keys``)."""
    person, _ = read_person(contact, region)
    return list(person.keys)


def extras(contact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the form asked beyond the usual: (key, text)."""
    for key in contact:
        if key not in HANDLED and (text := _one(contact, key)):
            yield key, text


def texts(source: Mapping[str, Any], *keys: str) -> list[str]:
    """All texts under the keys, a list's items one by one, without blanks and repeats."""
    found: dict[str, None] = {}
    for key in keys:
        value = source.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, (str, int, float)) and str(item).strip():
                found[str(item).strip()] = None
    return list(found)


def _one(source: Mapping[str, Any], key: str) -> str:
    return ", ".join(texts(source, key))


def _name(contact: Mapping[str, Any]) -> str:
    parts = [_one(contact, part) for part in NAME_PARTS]
    return _one(contact, "name") or " ".join(part for part in parts if part)


def _sort(items: list[str], read: Any) -> tuple[tuple[str, ...], list[str]]:
    """(what could be read, each once; what could not)."""
    good = {item: read(item) for item in items}
    return tuple(dict.fromkeys(v for v in good.values() if v)), [k for k, v in good.items() if not v]
