"""A client that Envybox had before the lead is written as the rule says (reference 4.4).

Taking a lead into work makes a client, or links the one with the same phone; no answer says which. Both bear
the moment when they were made, by the same clock: a client that is older than its lead was there before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.contact import lacking
from connectors.envybox.client import custom_values, whole
from connectors.errors import Refused
from connectors.existing import KnownRecord, take_back, unread
from connectors.repeated import JOINED
from connectors.text import text_of

if TYPE_CHECKING:
    from connectors.envybox.delivery import Delivery

CONTACT, CLIENT = "contact", "client"  # our word, and Envybox's


def write_existing(delivery: Delivery, formers: Sequence[Mapping[str, Any]] = ()) -> bool:
    """False where the rule says nothing of it, or the client came with the lead: then it is filled like
    anything new. ``formers`` are what earlier bodies had for the client's fields.

    With ``only_compare`` nothing is written.
    """
    item = delivery.item
    if CONTACT not in item.draft.existing or not item.has(CONTACT):
        return False
    try:
        client = whole(delivery.client.clients.read(item.journal[CONTACT]))
        if not _was_there(delivery, client):
            return False
        reach = [text_of(row.get("value")) for row in delivery.client.clients.contacts(item.journal[CONTACT])]
    except Refused as refusal:
        delivery.payload.lose(CLIENT, unread(refusal))
        return True
    known, current = KnownRecord(item, CONTACT, CLIENT), custom_values(client)
    entries = [
        entry
        for entry in delivery.payload.entries.get(CLIENT, ())
        if known.takes(
            entry.input_id,
            question=entry.question,
            text=entry.text,
            there=current.get(entry.input_id),
            new=entry.value,
            formers=[former.get(entry.input_id) for former in formers],
        )
    ]
    added: list[tuple[str, str]] = []
    for code, ours in (("PHONE", item.draft.person.phones), ("EMAIL", item.draft.person.emails)):
        there = [text for text in reach if text and ("@" in text) == (code == "EMAIL")]
        fresh = lacking(there, ours)
        if known.adds(code, there, fresh):
            added += [(code, one) for one in fresh]
    if item.only_compare:
        return True
    known.note()
    delivery.done()
    refused = delivery.write(CLIENT, entries)
    item.refuse(CLIENT, entries, refused)
    refused += [code for code, one in added if not delivery.add_contact(code.lower(), one)]
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
