"""What a delivery would send on a first try, for the preview. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.amocrm.creation import COMPLEX
from connectors.amocrm.customers import CUSTOMERS, LINK, customer_item
from connectors.amocrm.facts import Facts
from connectors.amocrm.notes import NOTES, note_texts
from connectors.amocrm.overflow import STEPS
from connectors.amocrm.people import HITS, searches
from connectors.amocrm.work import Work
from connectors.draft import LeadDraft, Plan, PlannedRequest

LATER = "<id of the new {}>"


def plan(draft: LeadDraft, facts: Facts, base_url: str) -> Plan:
    """The requests in order, what would be dropped, and what is wrong with the rule."""
    work = Work.begin(draft, facts)
    if draft.known_contact.isdigit():
        work.attach(draft.known_contact)
    requests = [
        PlannedRequest(method, base_url + path, body, why) for method, path, body, why in _steps(work, facts)
    ]
    return Plan(tuple(requests), tuple(work.losses), tuple(work.problems))


Step = tuple[str, str, object, str]


def _steps(work: Work, facts: Facts) -> Iterator[Step]:
    if work.parcel.contact and not work.parcel.contact_id:
        for query in searches(work.draft.person):
            body = {"query": query, "limit": HITS}
            yield "GET", "/api/v4/contacts", body, "is the person in amoCRM already?"
    yield "POST", COMPLEX, [work.parcel.body(work.uid)], "the lead with its contact and company"
    yield from _overflow(work)
    if work.parcel.customer:
        yield "POST", CUSTOMERS, [customer_item(work.draft, facts, work.parcel.customer)], "the customer"
        yield "POST", LINK, [_link(work)], "the customer's contact"
    for text in note_texts(work):
        note = {"entity_id": LATER.format("lead"), "note_type": "common", "params": {"text": text}}
        yield "POST", NOTES, [{**note, "request_id": work.uid}], "all answers, readable"


def _overflow(work: Work) -> Iterator[Step]:
    for sheet in work.parcel.sheets():
        is_kept = sheet.entity == "contacts" and work.parcel.contact_id
        is_incoming = sheet.entity == "leads" and work.parcel.metadata
        if sheet.rest() and not is_kept and not is_incoming:
            values = [piece.entry for piece in sheet.rest()]
            body = {"id": LATER.format(STEPS[sheet.entity]), "custom_fields_values": values}
            yield "PATCH", f"/api/v4/{sheet.entity}", [body], "values beyond the 40 of a creation"


def _link(work: Work) -> dict[str, object]:
    contact = int(work.parcel.contact_id) if work.parcel.contact_id else LATER.format("contact")
    customer = LATER.format("customer")
    return {"entity_id": customer, "to_entity_id": contact, "to_entity_type": "contacts"}
