"""Who answered: the contact form of an answer as a ``Person``, and what in it could not be read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from connectors.contact import (
    CITY,
    COMPANY,
    EMAIL,
    FIRST,
    LAST,
    MESSENGERS,
    MIDDLE,
    NAME,
    PHONE,
    Reach,
    full_name,
    named,
    part_of,
    read_emails,
    read_phones,
    texts_of,
)
from connectors.draft import Person, UnplacedValue, keys_of_person
from rules.mapping.payload import present

HANDLED = frozenset({NAME, FIRST, LAST, MIDDLE, PHONE, EMAIL, COMPANY, CITY})


def read_person(contact: Mapping[str, Any], region: str) -> tuple[Person, tuple[UnplacedValue, ...]]:
    """The person and the losses. ``region`` (``RU``) is where phones without a country code belong.

    Only valid phones and e-mails are the person's; they alone tell whether two answers are of one person.
    """
    phones, emails = _reaches(contact, region)
    told = set(map(part_of, contact))
    person = Person(
        name=full_name(contact),
        phones=_found(phones),
        emails=_found(emails),
        messengers={key: text for key in MESSENGERS if key in told and (text := text_of(contact, key))},
        city=text_of(contact, CITY),
    )
    named = [("phone", reach) for reach in phones] + [("email", reach) for reach in emails]
    return person, tuple(UnplacedValue(name, reach.said, reach.but) for name, reach in named if reach.but)


def contact_keys(contact: Mapping[str, Any], region: str) -> list[str]:
    """What makes two answers the same person's (``Person.keys``)."""
    phones, emails = _reaches(contact, region)
    return keys_of_person(_found(phones), _found(emails))


def keys_of(payload: Mapping[str, Any]) -> list[str]:
    """By which phones and e-mails an answer is found again, whatever its accounts' regions are."""
    return contact_keys(contact_of(payload), settings.PHONE_REGION)


class KeysByRegion:
    """The ``contact_keys`` of an answer in the regions where its phones may belong. Reading phones and
    e-mails is the dearest step without the database, so each region's are read once."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.payload = payload
        self.known: dict[str, list[str]] = {}

    def of(self, region: str) -> list[str]:
        if region not in self.known:
            self.known[region] = contact_keys(contact_of(self.payload), region)
        return self.known[region]


def contact_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The contact form of an answer as ``normalised`` has it."""
    contact = payload.get("contact")
    return present(contact) if isinstance(contact, dict) else {}


def _reaches(contact: Mapping[str, Any], region: str) -> tuple[list[Reach], list[Reach]]:
    """Phones and e-mails."""
    phones = [reach for value in values_of(contact, PHONE) for reach in read_phones(value, region)]
    return phones, [reach for value in values_of(contact, EMAIL) for reach in read_emails(value)]


def extras(contact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the form asked beyond the usual: (key as it was sent, text)."""
    for key, value in contact.items():
        if part_of(key) not in HANDLED and (text := ", ".join(texts_of(value))):
            yield key, text


def values_of(contact: Mapping[str, Any], part: str) -> list[Any]:
    """What stands under all keys that mean ``part`` (``connectors.contact.part_of``)."""
    return [value for key, value in contact.items() if part_of(key) == part]


def text_of(contact: Mapping[str, Any], part: str) -> str:
    """The same as one text; of an object what it is called."""
    return ", ".join(texts_of([named(value) for value in values_of(contact, part)]))


def _found(reaches: list[Reach]) -> tuple[str, ...]:
    if len(reaches) == 1:
        return reaches[0].found  # each once
    return tuple(dict.fromkeys(one for reach in reaches for one in reach.found))
