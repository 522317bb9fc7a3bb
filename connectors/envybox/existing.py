"""A client that Envybox had before the lead is written as the rule says (reference 4.4).

Taking a lead into work makes a client, or links the one with the same phone; no answer says which. Both bear
the moment when they were made, by the same clock: a client that is older than its lead was there before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.changes import Change
from connectors.contact import is_same_reach
from connectors.draft import UnplacedValue, WriteMode
from connectors.envybox.client import custom_values, whole
from connectors.envybox.records import FieldEntry
from connectors.errors import Refused
from connectors.existing import UNREAD, Written, note_written, noted, take_back, texts_of, verdict
from connectors.messages import message
from connectors.repeated import JOINED
from connectors.text import text_of

if TYPE_CHECKING:
    from connectors.envybox.delivery import Delivery

CONTACT, CLIENT = "contact", "client"  # our word, and Envybox's


def write_existing(delivery: Delivery, mode: WriteMode) -> bool:
    """False where the client came with the lead: then it is filled like anything new."""
    item = delivery.item
    try:
        client = whole(delivery.client.clients.read(item.journal[CONTACT]))
        if not _was_there(delivery, client):
            return False
        reach = [text_of(row.get("value")) for row in delivery.client.clients.contacts(item.journal[CONTACT])]
    except Refused as refusal:
        delivery.payload.lose(CLIENT, message(str(UNREAD), said=refusal.message))
        return True
    entries, fresh = _entries(delivery, mode, custom_values(client))
    lacking = list(_lacking(delivery, mode, reach))
    for code, known, one in lacking:
        fresh.append(Written(CONTACT, item.journal[CONTACT], code, code, known, tuple(known), (one,), True))
    note_written(item.journal, fresh)
    delivery.done()
    refused = delivery.write(CLIENT, entries)
    item.refuse(CLIENT, entries, refused)
    for code, _, one in lacking:
        if not delivery.add_contact(code.lower(), one):
            refused.append(code)
    take_back(item.journal, CONTACT, refused)
    delivery.done()
    return True


def _was_there(delivery: Delivery, client: Mapping[str, Any]) -> bool:
    """Where nobody can tell, it is left as one that was."""
    if delivery.item.has("merged") or delivery.item.has(JOINED):
        return True
    lead = delivery.client.leads.read(delivery.item.lead)
    made, came = text_of(client.get("created_at")), text_of(lead.get("created_at"))
    return not (made and came) or made < came


def _entries(
    delivery: Delivery, mode: WriteMode, current: Mapping[str, Any]
) -> tuple[list[FieldEntry], list[Written]]:
    """What is to be written, and what was there; the rest is told."""
    item, found, fresh = delivery.item, list[FieldEntry](), list[Written]()
    before = noted(item.journal, CONTACT, item.journal[CONTACT])
    names = {v.target.remote_id: v.target.name for v in item.draft.values if v.target.entity == CLIENT}
    for entry in delivery.payload.entries.get(CLIENT, ()):
        key, there = entry.input_id, current.get(entry.input_id)
        change, why = verdict(mode.of(key), there, entry.value, before.get(key))
        if change is Change.WRITE:
            found.append(entry)
            name, shown = names.get(key, entry.question), texts_of(there)
            fresh.append(Written(CONTACT, item.journal[CONTACT], key, name, there, shown, (entry.text,)))
        elif change is not Change.SKIP:
            item.lose(UnplacedValue(entry.question, entry.text, why, CLIENT))
    return found, fresh


def _lacking(delivery: Delivery, mode: WriteMode, reach: Sequence[str]) -> Any:
    """(PHONE or EMAIL, those that are there, one that is to be added)."""
    person = delivery.item.draft.person
    for code, ours in (("PHONE", person.phones), ("EMAIL", person.emails)):
        known = [text for text in reach if text and ("@" in text) == (code == "EMAIL")]
        for one in ours:
            if mode.adds(code, not known) and not any(is_same_reach(there, one) for there in known):
                yield code, known, one
