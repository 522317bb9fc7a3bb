"""Was the lead made after all? Finding our mark after an answer was lost (reference 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.amocrm.people import embedded
from connectors.http import HttpClient

SKEW = 900  # seconds that the CRM's clock and ours may differ, generously
MOST_PAGES = 40
PAGE = 250


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead that carries our mark, and who came with it."""

    lead: str
    contact: str = ""
    company: str = ""

    def journal(self) -> dict[str, str]:
        found = {"lead": self.lead, "contact": self.contact, "company": self.company}
        return {step: remote_id for step, remote_id in found.items() if remote_id}


def search(http_client: HttpClient, uid: str, mark_field: int) -> FoundLead | None:
    """Ask the search index, which may lag; a hit counts only when the mark is there to the letter."""
    return next(iter(search_all(http_client, uid, mark_field)), None)


def search_all(http_client: HttpClient, uid: str, mark_field: int) -> list[FoundLead]:
    """The same, the newest first."""
    params = {"query": uid, "limit": PAGE, "with": "contacts", "order[created_at]": "desc"}
    hits = embedded(http_client.call("GET", "/api/v4/leads", params=params), "leads")
    return [found(hit) for hit in hits if carries(hit, uid, mark_field)]


def scan(
    http_client: HttpClient, uids: Iterable[str], mark_field: int, since: float, pages: int = MOST_PAGES
) -> Mapping[str, FoundLead]:
    """Walk the newest leads back to ``since``: needs no index, and serves a whole batch."""
    wanted, result = set(uids), dict[str, FoundLead]()
    for lead in _newest(http_client, since - SKEW, pages):
        for uid in [uid for uid in wanted if carries(lead, uid, mark_field)]:
            result[uid] = found(lead)
            wanted.discard(uid)
        if not wanted:
            break
    return result


def _newest(http_client: HttpClient, since: float, pages: int) -> Iterator[Mapping[str, Any]]:
    for number in range(1, pages + 1):
        params = {"order[created_at]": "desc", "limit": PAGE, "page": number, "with": "contacts"}
        page = embedded(http_client.call("GET", "/api/v4/leads", params=params), "leads")
        yield from page
        if not page or min(int(lead.get("created_at") or 0) for lead in page) < since:
            return


def carries(lead: Mapping[str, Any], uid: str, mark_field: int) -> bool:
    """Is this our lead? The mark stands in its own field, or in the name where there was no field."""
    if f"[{uid}]" in str(lead.get("name") or "") or lead.get("name") == uid:
        return True
    return any(
        str(value.get("value")) == uid
        for field in lead.get("custom_fields_values") or []
        if mark_field and field.get("field_id") == mark_field
        for value in field.get("values") or []
    )


def found(lead: Mapping[str, Any]) -> FoundLead:
    contacts = embedded(lead, "contacts")
    main = next((c for c in contacts if c.get("is_main")), contacts[0] if contacts else {})
    company = next(iter(embedded(lead, "companies")), {})
    return FoundLead(str(lead["id"]), str(main.get("id") or ""), str(company.get("id") or ""))
