"""Notes, links between cards, and the event list (reference 4.6, 4.11, 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.filters import texts_of
from connectors.sandbox.amocrm.hal import Call, hal, page, problem, refuse
from connectors.sandbox.amocrm.model import Card, Note
from connectors.sandbox.amocrm.writes import customers_open, request_id
from connectors.sandbox.core import Reply
from connectors.sandbox.php import map_of

NOTE_TYPES = {
    "common", "call_in", "call_out", "service_message", "extended_service_message", "message_cashier",
    "geolocation", "sms_in", "sms_out", "attachment",
}  # fmt: skip
NOTE_KEYS = {"entity_id", "note_type", "params", "request_id", "created_by", "responsible_user_id"}
LINKS = {
    "leads": {"contacts", "companies"},
    "contacts": {"companies", "customers"},
    "companies": {"contacts", "leads", "customers"},
    "customers": {"contacts", "companies"},
}
MAX_EVENTS = 100


# -- notes -------------------------------------------------------------------------------------------


def notes(call: Call) -> Reply:
    book = call.account.notes
    found = (book[number] for number in call.account.notes_of.get((call.kind, call.id), []))
    return page(call, "notes", _asked_notes(call, found), lambda note: _note(call, note))


def all_notes(call: Call) -> Reply:
    found = (note for note in call.account.notes.values() if note.kind == call.kind)
    return page(call, "notes", _asked_notes(call, found), lambda note: _note(call, note))


def _asked_notes(call: Call, found: Iterable[Note]) -> Iterator[Note]:
    """By id, by type, by the card they are of; this filter is no part of the paid option."""
    ids, types, cards = (texts_of(call.filter.get(key)) for key in ("id", "note_type", "entity_id"))
    for note in found:
        asked = ((ids, str(note.id)), (types, note.note_type), (cards, str(note.entity_id)))
        if all(value in wanted for wanted, value in asked if wanted):
            yield note


def note(call: Call) -> Reply:
    found = call.account.notes.get(call.ids[1])
    if found is None or (found.kind, found.entity_id) != (call.kind, call.id):
        return problem(404, "Not Found")
    return hal(_note(call, found))


def _note(call: Call, note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "entity_id": note.entity_id,
        "created_by": note.created_by,
        "updated_by": note.created_by,
        "created_at": note.created_at,
        "updated_at": note.created_at,
        "responsible_user_id": note.created_by,
        "group_id": 0,
        "note_type": note.note_type,
        "params": note.params,
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/{note.kind}/{note.entity_id}/notes/{note.id}"),
    }


def add_notes(call: Call) -> Reply:
    customers_open(call)
    rows = call.rows()
    all_errors = [Errors(request_id(row, index)) for index, row in enumerate(rows)]
    cards = [_check_note(call, row, errors) for row, errors in zip(rows, all_errors, strict=True)]
    if any(all_errors):
        return validation_failed(all_errors)
    made = []
    for row, card, errors in zip(rows, cards, all_errors, strict=True):
        author = row.get("created_by", call.user.id)
        note = call.box.note(call.account, card, row["note_type"], row.get("params") or {}, author)
        links = call.href(f"/api/v4/{call.kind}/{note.entity_id}/notes/{note.id}")
        row = {"id": note.id, "entity_id": note.entity_id, "request_id": errors.request_id, "_links": links}
        made.append(row)
    return hal({"_links": call.href(call.request.path), "_embedded": {"notes": made}})


def _check_note(call: Call, row: dict[str, Any], errors: Errors) -> Card | None:
    for key in row.keys() - NOTE_KEYS:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    if row.get("note_type") not in NOTE_TYPES:
        errors.no_choice("note_type")
    params = row.get("params")
    if not isinstance(params, dict):
        errors.add("FieldMissing" if params is None else "InvalidType", "This field is missing.", "params")
    elif row.get("note_type") == "common" and not isinstance(params.get("text"), str):
        errors.add("FieldMissing", "This field is missing.", "params", "text")
    card = call.account.card(call.kind, call.ids[0] if call.ids else row.get("entity_id"))
    if card is None:
        errors.no_choice("entity_id")
    return card


# -- links -------------------------------------------------------------------------------------------


def link(call: Call) -> Reply:
    pairs = _pairs(call)
    for card, other, metadata in pairs:
        if other.kind == "contacts":
            _only_one_main(card, metadata)
        if card.kind == "leads" and other.kind == "companies":
            for number in card.linked("companies"):  # one company a lead
                call.account.unlink(card, call.account.tables["companies"][number])
        call.account.link(card, other, **metadata)
    shown = [_link(card, other, metadata) for card, other, metadata in pairs]
    links = call.href(call.request.path)
    return hal({"_total_items": len(shown), "_links": links, "_embedded": {"links": shown}})


def _only_one_main(card: Card, metadata: dict[str, Any]) -> None:
    metadata.setdefault("is_main", not card.linked("contacts"))
    if metadata["is_main"]:
        for (kind, _), old in card.links.items():
            if kind == "contacts":
                old["is_main"] = False


def unlink(call: Call) -> Reply:
    for card, other, _ in _pairs(call):
        call.account.unlink(card, other)
    return Reply(204)


def links(call: Call) -> Reply:
    numbers = call.ids or [int(n) for n in texts_of(call.filter.get("entity_id")) if n.isdigit()]
    cards = [card for number in numbers if (card := call.account.card(call.kind, number))]
    if call.ids and not cards:
        return problem(404, "Not Found")
    shown = [
        {**_shape(card, kind, number), "metadata": metadata or None}
        for card in cards
        for (kind, number), metadata in card.links.items()
    ]
    found = {
        "_total_items": len(shown),
        "_links": call.href(call.request.path),
        "_embedded": {"links": shown},
    }
    return hal(found)


def _pairs(call: Call) -> list[tuple[Card, Card, dict[str, Any]]]:
    rows = call.rows()
    all_errors = [Errors(str(index)) for index, _ in enumerate(rows)]
    found = [_pair(call, row, errors) for row, errors in zip(rows, all_errors, strict=True)]
    if any(all_errors):
        raise_validation(all_errors)
    return [pair for pair in found if pair]


def raise_validation(all_errors: list[Errors]) -> None:
    failed = refuse(400, "")
    failed.reply = validation_failed(all_errors)
    raise failed


def _pair(call: Call, row: dict[str, Any], errors: Errors) -> tuple[Card, Card, dict[str, Any]] | None:
    card = call.account.card(call.kind, call.ids[0] if call.ids else row.get("entity_id"))
    kind = row.get("to_entity_type")
    if card is None:
        errors.no_choice("entity_id")
    if kind not in LINKS[call.kind]:
        errors.no_choice("to_entity_type")
        return None
    other = call.account.card(kind, row.get("to_entity_id"))
    metadata = dict(row.get("metadata") or {})
    if other is None:
        errors.no_choice("to_entity_id")
    author = call.account.users.get(metadata.pop("updated_by", call.user.id))
    if author is None:
        errors.no_choice("metadata", "updated_by")
    return (card, other, metadata) if card and other and author else None


def _shape(card: Card, kind: str, number: int) -> dict[str, Any]:
    return {"entity_id": card.id, "entity_type": card.kind, "to_entity_id": number, "to_entity_type": kind}


def _link(card: Card, other: Card, metadata: dict[str, Any]) -> dict[str, Any]:
    return {**_shape(card, other.kind, other.id), "metadata": metadata or None}


# -- events ------------------------------------------------------------------------------------------


def events(call: Call) -> Reply:
    """Not under the paid filter; newest first, 100 a page at most."""
    types = {name for value in texts_of(call.filter.get("type")) for name in value.split(",")}
    asked = map_of(call.filter.get("created_at"))
    since, until = (float(asked.get(side, "nan")) for side in ("from", "to"))
    listed = call.box.clock.now() - call.box.switches["events_delay"]
    found = (
        event
        for event in reversed(call.account.events)
        if event["created_at"] <= listed
        and (not types or event["type"] in types)
        and not event["created_at"] < since
        and not event["created_at"] > until
    )
    return page(call, "events", found, lambda event: event, cap=MAX_EVENTS)
