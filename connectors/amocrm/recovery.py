"""What amoCRM has already: the lead of an external id, the contact of a person (reference 5.1, 5.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.amocrm.client import remote_id
from connectors.amocrm.lists import embedded, field_texts, page_of
from connectors.contact import email_key, emails_in, is_phone, national_digits
from connectors.draft import Person
from connectors.errors import ConnectorError
from connectors.http import HttpClient
from connectors.survey import Surveyed, SurveyPage, marks_in
from connectors.text import text_of

SKEW = 900  # seconds that the CRM's clock and ours may differ, generously
MOST_PAGES, SURVEY_PAGES = 40, 400
PAGE = 250  # leads
Row = Mapping[str, Any]


# -- leads ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundLead:
    """The remote ids of a lead, its main contact and its company; empty where there is none."""

    lead: str
    contact: str = ""
    company: str = ""

    def journal(self) -> dict[str, str]:
        """The steps to keep. Raises ``Unclear`` for an id that can't be stored."""
        found = {"lead": self.lead, "contact": self.contact, "company": self.company}
        return {step: known for step, value in found.items() if (known := remote_id(value))}


@dataclass(slots=True)
class Scan:
    """What a walk over the newest leads saw: ``found`` by external id, ``namesakes`` by the lead's name.

    All leads made after ``reached`` (seconds since 1970) were seen; 0.0: every lead of the account.
    """

    found: dict[str, FoundLead] = field(default_factory=dict)
    namesakes: dict[str, list[Row]] = field(default_factory=dict)
    reached: float = float("inf")

    def covers(self, since: float) -> bool:
        """Is a lead made at ``since`` or later surely not there, when the scan doesn't show it?"""
        return self.reached <= since - SKEW


def search(http_client: HttpClient, uid: str, mark_field: int) -> FoundLead | None:
    """Ask the search index, which may lag; a hit counts only when the external id is there to the letter."""
    return next(iter(search_all(http_client, uid, mark_field)), None)


def search_all(http_client: HttpClient, uid: str, mark_field: int) -> list[FoundLead]:
    """The same, the newest first."""
    params = {"query": uid, "limit": PAGE, "with": "contacts", "order[created_at]": "desc"}
    hits = page_of(http_client.call("GET", "/api/v4/leads", params=params), "leads")
    return [found(hit) for hit in hits if carries(hit, uid, mark_field)]


def scan(
    http_client: HttpClient,
    uids: Iterable[str],
    mark_field: int,
    since: float,
    *,
    names: Collection[str] = (),
) -> Scan:
    """Walk the newest leads back to ``since`` (seconds since 1970): needs no index, serves a whole batch.

    Ends at a page that reaches older leads, at an empty page, after ``MOST_PAGES``, or once all ``uids`` are
    found. Leads with one of the ``names`` and without an external id are kept by their names.
    """
    wanted, seen = set(uids), Scan()
    for number in range(1, MOST_PAGES + 1):
        params = {"order[created_at]": "desc", "limit": PAGE, "page": number, "with": "contacts"}
        page = page_of(http_client.call("GET", "/api/v4/leads", params=params), "leads")
        for lead in page:
            for uid in [uid for uid in wanted if carries(lead, uid, mark_field)]:
                seen.found[uid] = found(lead)
                wanted.discard(uid)
            name = text_of(lead.get("name"))
            if name in names and not external_id(lead, mark_field):
                seen.namesakes.setdefault(name, []).append(lead)
        if not page:
            seen.reached = 0.0
        elif (ages := [created_at(lead) for lead in page]) == sorted(ages, reverse=True):
            seen.reached = min(seen.reached, ages[-1])  # an order that isn't obeyed proves nothing
        if not wanted or seen.covers(since):
            break
    return seen


def carries(lead: Row, uid: str, mark_field: int) -> bool:
    """Is this the lead of ``uid``? It stands in its own field, or in the name where there was no field."""
    name = str(lead.get("name") or "")
    return f"[{uid}]" in name or name == uid or external_id(lead, mark_field) == uid


def external_id(lead: Row, mark_field: int) -> str:
    """What the field for external ids holds; empty where there is no such field or no value."""
    return next(field_texts(lead, mark_field), "") if mark_field else ""


def created_at(row: Row) -> float:
    """Of a lead or an event, seconds since 1970; 0.0 where it doesn't say."""
    at = row.get("created_at")
    return float(at) if isinstance(at, (int, float)) else 0.0


def found(lead: Row) -> FoundLead:
    contacts = embedded(lead, "contacts")
    main = next((c for c in contacts if c.get("is_main")), contacts[0] if contacts else {})
    company = next(iter(embedded(lead, "companies")), {})
    return FoundLead(text_of(lead["id"]), text_of(main.get("id")), text_of(company.get("id")))


def same_lead(http_client: HttpClient, namesakes: Iterable[Row], person: Person, since: float) -> list[Row]:
    """Those of the leads of one name that may be the person's and were made at ``since`` or later.

    A person without phone or e-mail can't be told from others of that name. Raises like any call.
    """
    late = [lead for lead in namesakes if created_at(lead) >= since - SKEW]
    if not (person.phones or person.emails):
        return late
    return [lead for lead in late if _is_persons(http_client, found(lead).contact, person)]


def _is_persons(http_client: HttpClient, contact: str, person: Person) -> bool:
    if not contact:
        return False
    try:
        row = http_client.call("GET", f"/api/v4/contacts/{contact}")
    except ConnectorError as error:
        if error.code == "http_404":
            return False
        raise
    return isinstance(row, dict) and belongs_to(row, person)


# -- all of them ------------------------------------------------------------------------------------------


def survey(http_client: HttpClient, mark_field: int, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
    """A page of the leads made since then, the newest first; needs neither an index nor the paid filters.

    Leads that come in meanwhile push others to later pages, where they are met again. Raises like any call.
    """
    number = int(place.get("page", 1))
    params = {"order[created_at]": "desc", "limit": PAGE, "page": number}
    leads = page_of(http_client.call("GET", "/api/v4/leads", params=params), "leads")
    rows = tuple(_surveyed(lead, mark_field) for lead in leads)
    ages = [created_at(lead) for lead in leads]
    ordered = bool(place.get("ordered", True)) and ages == sorted(ages, reverse=True)
    if not leads:  # behind a full page it may only be too deep to be shown
        return SurveyPage(rows, complete=not place.get("full"))
    if ordered and ages[-1] < since.timestamp() - SKEW:
        return SurveyPage(rows, complete=True)
    if number >= SURVEY_PAGES:
        return SurveyPage(rows)
    return SurveyPage(rows, {"page": number + 1, "ordered": ordered, "full": len(leads) == PAGE})


def _surveyed(lead: Row, mark_field: int) -> Surveyed:
    """The external id stands in its own field, or in the name where there was no field."""
    own = external_id(lead, mark_field)
    uids = (own,) if own else marks_in(text_of(lead.get("name")))
    return Surveyed("lead", text_of(lead.get("id")), uids, text_of(lead.get("pipeline_id")))


# -- people -----------------------------------------------------------------------------------------------

SHORTEST_TAIL = 7
HITS = 50


def find_contact(http_client: HttpClient, person: Person, *, but: Collection[str] = ()) -> tuple[str, str]:
    """The id of the person's contact, the lowest where there are several, and by what it was found
    (``phone``, ``email``); empty where there is none.

    ``but`` are ids that the CRM has refused.
    """
    for query in searches(person):
        params = {"query": query, "limit": HITS}
        hits = page_of(http_client.call("GET", "/api/v4/contacts", params=params), "contacts")
        found = [int(hit["id"]) for hit in hits if belongs_to(hit, person) and str(hit["id"]) not in but]
        if found:
            return str(min(found)), "email" if "@" in query else "phone"
    return "", ""


def searches(person: Person) -> Iterator[str]:
    """What to ask, until there is a hit: phones by their digits without the country code, then e-mails."""
    numbers = map(national_digits, person.phones)
    yield from (number for number in numbers if len(number) >= SHORTEST_TAIL)
    yield from (email for email in person.emails if "@" in email)


def belongs_to(contact: Mapping[str, Any], person: Person) -> bool:
    """Does the contact have a phone or an e-mail of the person, however it is written there?"""
    emails = {email_key(email) for email in person.emails}
    return any(
        is_phone(text, phone) for text in field_texts(contact, "PHONE") for phone in person.phones
    ) or any(emails & emails_in(text) for text in field_texts(contact, "EMAIL"))
