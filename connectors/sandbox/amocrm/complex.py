"""POST /leads/complex: a lead with its contact and company, and duplicate control (reference 4.2, 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.sandbox.amocrm import incoming
from connectors.sandbox.amocrm.drafts import Draft, Reader
from connectors.sandbox.amocrm.duplicates import merge, twins
from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.hal import HAL, Call, problem
from connectors.sandbox.amocrm.model import Card
from connectors.sandbox.amocrm.store import create
from connectors.sandbox.amocrm.writes import check_existing, request_id
from connectors.sandbox.core import Reply

MAX_ITEMS, MAX_VALUES = 50, 40


@dataclass
class Item:
    """One lead with what comes along: a draft of a new card, or an existing one."""

    lead: Draft
    contact: Draft | Card | None = None
    company: Draft | Card | None = None

    @property
    def metadata(self) -> dict[str, Any] | None:
        found = self.lead.embedded.get("metadata")
        return found if isinstance(found, dict) else None


def add(call: Call) -> Reply:
    rows = call.rows()
    if len(rows) > MAX_ITEMS:
        return problem(422, f"Limit {MAX_ITEMS} per page")
    all_errors = [Errors(request_id(row, index)) for index, row in enumerate(rows)]
    items = [_read(call, row, errors) for row, errors in zip(rows, all_errors, strict=True)]
    if any(all_errors):
        return validation_failed(all_errors)
    # Compared with what was stored before this call, never with each other.
    before = [_twins(call, item) for item in items]
    return Reply.json(200, _rows(call, items, before), HAL)


def _read(call: Call, row: dict[str, Any], errors: Errors) -> Item:
    reader = Reader(call.account, call.box.switches)
    item = Item(reader.read("leads", row, errors))
    _count_values(row, errors)
    item.contact = _nested(call, reader, item.lead, "contacts", errors)
    item.company = _nested(call, reader, item.lead, "companies", errors)
    metadata = item.lead.embedded.get("metadata")
    if metadata is not None:
        with errors.under("_embedded", "metadata"):
            incoming.check_metadata(metadata, errors, category=True)
    return item


def _count_values(row: dict[str, Any], errors: Errors) -> None:
    values = row.get("custom_fields_values")
    if isinstance(values, list) and len(values) > MAX_VALUES:
        detail = f"This collection should contain {MAX_VALUES} elements or less."
        errors.add("TooMany", detail, "custom_fields_values")


def _nested(call: Call, reader: Reader, lead: Draft, kind: str, errors: Errors) -> Draft | Card | None:
    given = lead.embedded.get(kind)
    if given is None or given == []:
        return None
    with errors.under("_embedded", kind):
        if not isinstance(given, list):
            errors.add("InvalidType", "This value should be of type array.")
            return None
        if len(given) > 1:
            errors.add("TooMany", "This collection should contain 1 element or less.")
            return None
        with errors.under(0):
            return _person(call, reader, kind, given[0], errors)


def _person(call: Call, reader: Reader, kind: str, given: Any, errors: Errors) -> Draft | Card | None:
    """`{"id": …}` names an existing card, whose own fields are left alone (reference 8.21)."""
    if isinstance(given, dict) and "id" in given:
        check_existing(call, kind, given, set(given), errors)
        return call.account.card(kind, given["id"])
    if isinstance(given, dict):
        _count_values(given, errors)
    return reader.read(kind, given, errors)


def _twins(call: Call, item: Item) -> list[Card]:
    return twins(call, item.lead, item.contact) if call.account.dup_control.enabled else []


def _rows(call: Call, items: list[Item], before: list[list[Card]]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for item, found in zip(items, before, strict=True):
        if found and found[-1].id in rows:  # two inputs became one stored lead: one row, both request ids
            merge(call, found, item.lead, item.contact)
            rows[found[-1].id]["request_id"].append(item.lead.request_id)
            continue
        lead = merge(call, found, item.lead, item.contact) if found else _create(call, item)
        rows[lead.id] = {
            "id": lead.id,
            "contact_id": lead.main_contact(),
            "company_id": next(iter(lead.linked("companies")), None),
            "request_id": [item.lead.request_id],
            "merged": bool(found),
        }
    return list(rows.values())


def _create(call: Call, item: Item) -> Card:
    if item.metadata is not None or call.box.switches["complex_to_incoming"]:
        pipeline = call.account.pipelines[item.lead.props.get("pipeline_id", call.account.main_pipeline.id)]
        item.lead.props |= {"pipeline_id": pipeline.id, "status_id": pipeline.incoming.id}
    lead = create(call, item.lead)
    contact = create(call, item.contact) if isinstance(item.contact, Draft) else item.contact
    company = create(call, item.company) if isinstance(item.company, Draft) else item.company
    if contact is not None:
        call.account.link(lead, contact, is_main=True)
    by_id = isinstance(item.company, Card)
    if company is not None and not (by_id and call.box.switches["complex_ignores_company_id"]):
        call.account.link(lead, company)
        if contact is not None and isinstance(item.contact, Draft) and not by_id:
            call.account.link(contact, company)
    if item.metadata is not None:
        incoming.register(call, lead, item.metadata)
        if contact is not None and isinstance(item.contact, Draft):
            contact.hidden = True
    return lead
