"""Is this person in the CRM already? (reference 5.1)

``query`` is a full-text search over every field, so a hit counts only after its phones and e-mails were read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connectors.contact import email_key, emails_in, is_phone, national_digits
from connectors.draft import Person
from connectors.http import HttpClient

SHORTEST_TAIL = 7
HITS = 50


def find_contact(http_client: HttpClient, person: Person, *, but: Collection[str] = ()) -> str:
    """The id of the person's contact, the lowest where there are several; empty where there is none.

    ``but`` are ids that the CRM has refused.
    """
    for query in searches(person):
        params = {"query": query, "limit": HITS}
        hits = embedded(http_client.call("GET", "/api/v4/contacts", params=params), "contacts")
        found = [int(hit["id"]) for hit in hits if belongs_to(hit, person) and str(hit["id"]) not in but]
        if found:
            return str(min(found))
    return ""


def searches(person: Person) -> Iterator[str]:
    """What to ask, until there is a hit: phones by their digits without the country code, then e-mails."""
    numbers = map(national_digits, person.phones)
    yield from (number for number in numbers if len(number) >= SHORTEST_TAIL)
    yield from (email for email in person.emails if "@" in email)


def belongs_to(contact: Mapping[str, Any], person: Person) -> bool:
    """Does the contact have a phone or an e-mail of the person, however it is written there?"""
    emails = {email_key(email) for email in person.emails}
    for field in contact.get("custom_fields_values") or []:
        texts = [str(value.get("value") or "") for value in field.get("values") or []]
        if field.get("field_code") == "PHONE":
            if any(is_phone(text, phone) for text in texts for phone in person.phones):
                return True
        elif field.get("field_code") == "EMAIL" and any(emails & emails_in(text) for text in texts):
            return True
    return False


def embedded(body: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a HAL page; none for the empty answer that stands for an empty list (3.1)."""
    rows: Iterable[Any] = ((body or {}).get("_embedded") or {}).get(name) or []
    return [row for row in rows if isinstance(row, dict)]
