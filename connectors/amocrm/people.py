"""Is this person in the CRM already? (reference 5.1)

``query`` is a full-text search over every field, so a hit counts only after its phones and e-mails were read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connectors.draft import Person
from connectors.http import Door

TAIL = 10  # phones are found by their last digits, without the country code
SHORTEST_TAIL = 7
HITS = 50


def find_contact(door: Door, person: Person, *, but: Collection[str] = ()) -> str:
    """The id of the person's contact, the lowest where there are several; empty where there is none.

    Phones first, then e-mails. ``but`` are ids that the CRM has refused.
    """
    for query, keys in searches(person):
        params = {"query": query, "limit": HITS}
        hits = embedded(door.call("GET", "/api/v4/contacts", params=params), "contacts")
        found = [int(hit["id"]) for hit in hits if keys & set(reachable(hit)) and str(hit["id"]) not in but]
        if found:
            return str(min(found))
    return ""


def searches(person: Person) -> Iterator[tuple[str, set[str]]]:
    """What to ask, and which keys make a hit the person."""
    for phone in person.phones:
        key = phone_key(phone)
        if len(key) >= SHORTEST_TAIL:
            yield key[-TAIL:], {key}
    for email in person.emails:
        if "@" in email:
            yield email, {email.strip().lower()}


def reachable(contact: Mapping[str, Any]) -> Iterator[str]:
    """The keys of a contact's phones and e-mails."""
    for field in contact.get("custom_fields_values") or []:
        texts = (str(value.get("value") or "") for value in field.get("values") or [])
        if field.get("field_code") == "PHONE":
            yield from (phone_key(text) for text in texts)
        elif field.get("field_code") == "EMAIL":
            yield from (text.strip().lower() for text in texts)


def phone_key(text: str) -> str:
    """One key for ``+7 999 000-11-22``, ``8 (999) 0001122`` and ``9990001122``: digits as in E.164."""
    digits = "".join(c for c in text if c.isdecimal()).removeprefix("00")
    if len(digits) == 11 and digits.startswith("8") and not text.strip().startswith("+"):
        return "7" + digits[1:]
    if len(digits) == 10 and digits.startswith("9") and not text.strip().startswith("+"):
        return "7" + digits
    return digits


def embedded(body: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a HAL page; none for the empty answer that stands for an empty list (3.1)."""
    rows: Iterable[Any] = ((body or {}).get("_embedded") or {}).get(name) or []
    return [row for row in rows if isinstance(row, dict)]
