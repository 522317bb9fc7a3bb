"""Duplicate control: which stored leads an input joins, and how (reference 5.3)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.amocrm.drafts import Draft
from connectors.sandbox.amocrm.hal import Call
from connectors.sandbox.amocrm.model import LOST, WON, Card
from connectors.sandbox.amocrm.search import normal_phone
from connectors.sandbox.amocrm.store import update

MOST = 3  # more duplicates than that, and nothing is merged


def twins(call: Call, lead: Draft, contact: Draft | Card | None) -> list[Card]:
    """Stored leads that match, oldest first; empty when there are none or too many."""
    found: dict[int, Card] = {}
    for key in call.account.dup_control.by:
        for kind, values in (("contacts", _values(contact)), ("leads", lead.values)):
            for text in _texts(call, kind, values, key):
                found |= {card.id: card for card in _leads_with(call, kind, key, text)}
    action = call.account.dup_control.action
    if len(found) > MOST or action == "create":
        return []
    cards = [found[number] for number in sorted(found)]
    return cards[-1:] if action == "newest" else cards


def _values(contact: Draft | Card | None) -> dict[int, Any]:
    return contact.values if contact is not None else {}


def _field_id(call: Call, kind: str, key: str | int) -> int | None:
    fields = call.account.fields[kind]
    found = fields.by_id.get(key) if isinstance(key, int) else fields.by_code.get(key)
    return found.id if found else None


def _texts(call: Call, kind: str, values: dict[int, Any], key: str | int) -> list[str]:
    items = values.get(_field_id(call, kind, key) or 0) or []
    return [str(item["value"]) for item in items if item.get("value")]


def _same(key: str | int, one: str, other: str) -> bool:
    if key == "PHONE":
        return normal_phone(one) == normal_phone(other)
    return one.casefold() == other.casefold()


def _leads_with(call: Call, kind: str, key: str | int, text: str) -> list[Card]:
    account = call.account
    query = normal_phone(text)[-10:] if key == "PHONE" else text
    hits = account.tables[kind].search(query, call.box.clock.now(), lambda card: card.id, backwards=False)
    same = [
        card for card in hits if any(_same(key, text, old) for old in _texts(call, kind, card.values, key))
    ]
    if kind == "contacts":
        same = [lead for contact in same for lead in _leads_of(call, contact)]
    return [lead for lead in same if _counts(call, lead)]


def _leads_of(call: Call, contact: Card) -> list[Card]:
    """Only leads where the contact is the main one."""
    leads = (call.account.tables["leads"][number] for number in contact.linked("leads"))
    return [lead for lead in leads if lead.main_contact() == contact.id]


def _counts(call: Call, lead: Card) -> bool:
    chosen = call.account.dup_control.statuses
    if lead["is_deleted"]:
        return False
    if chosen is None:
        return lead["status_id"] not in (WON, LOST)
    return (lead["pipeline_id"], lead["status_id"]) in chosen


def merge(call: Call, stored: list[Card], lead: Draft, contact: Draft | Card | None) -> Card:
    """The input joins its twins; they keep their stage, and their values if the account says so."""
    keep = call.account.dup_control.conflict == "keep"
    for card in stored:
        values = {key: v for key, v in lead.values.items() if not (keep and key in card.values)}
        added = [*(lead.tags or []), *lead.tags_to_add]
        update(call, card, Draft("leads", lead.request_id, values=values, tags_to_add=added, old=card))
    main = stored[-1].main_contact()
    if main is not None and isinstance(contact, Draft):
        _merge_contact(call, call.account.tables["contacts"][main], contact, keep)
    return stored[-1]


def _merge_contact(call: Call, card: Card, draft: Draft, keep: bool) -> None:
    """Phones and e-mails are appended when overwriting."""
    values: dict[int, Any] = {}
    for key, items in draft.values.items():
        old = card.values.get(key, [])
        if keep and old:
            continue
        many = call.account.fields["contacts"].by_id[key].type == "multitext"
        known = {item["value"] for item in old}
        values[key] = old + [item for item in items or [] if item["value"] not in known] if many else items
    update(call, card, Draft("contacts", draft.request_id, values=values, old=card))
