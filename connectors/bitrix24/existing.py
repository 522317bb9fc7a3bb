"""A contact or company that the portal had before is written as the rule says (reference 4.2).

It is read right before, of many drafts in one command. Phones, e-mails and messengers without an id are added
by the portal itself, whatever others write meanwhile; other fields are replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.bitrix24.client import Command, Row, Story, reply_to, rows
from connectors.bitrix24.records import REACH, Payload, Record
from connectors.bitrix24.requests import FOUND, BitrixItem
from connectors.bitrix24.writing import write
from connectors.changes import same_value
from connectors.contact import lacking
from connectors.draft import UnplacedValue
from connectors.errors import Refused
from connectors.existing import KnownRecord, take_back, texts_of, unread
from connectors.messages import message
from connectors.text import rows_in, text_of

NAMES = {"contact": "NAME", "company": "TITLE"}  # a record's own name
OWNER = "ASSIGNED_BY_ID"
GONE = message("the record is not in Bitrix24 any more")


def owner_of(item: BitrixItem) -> Story[str]:
    """Who looks after the item's contact; empty where it is new."""
    contact = item.journal.get("contact", "")
    if not contact or item.journal.get(FOUND["contact"]) != contact:
        return ""
    try:
        reply = yield from reply_to(_read("contact", contact, [OWNER], message("who looks after it?")))
    except Refused:
        return ""
    return next((text_of(row.get(OWNER)) for row in _own(rows(reply), contact)), "")


def write_existing(item: BitrixItem, formers: Sequence[Payload] = ()) -> Story[None]:
    """Read what is there, note it, write what the rule says (``only_compare``: nothing); the rest is told. It
    costs no lead."""
    for word in FOUND:
        record = item.payload.of(word)
        if record and item.writes_existing(word):
            yield from _write_one(item, word, record, formers)


def _write_one(item: BitrixItem, word: str, new: Record, formers: Sequence[Payload]) -> Story[None]:
    remote_id = item.journal[word]
    fields = [NAMES[word], *REACH, *(entry.code for entry in new.entries)]
    try:
        why = message("what does the {word} have by now?", word=word)
        reply = yield from reply_to(_read(word, remote_id, fields, why))
    except Refused as refusal:
        item.lose(*_losses(new, unread(refusal)))
        return
    row = next(_own(rows(reply), remote_id), None)
    if row is None:
        item.lose(*_losses(new, GONE))
        return
    changed = _changes(item, word, new, row, [one for former in formers if (one := former.of(word))])
    if item.only_compare:
        return
    planned = set(changed.values)
    try:
        yield from write(item, changed, remote_id)
    except Refused as refusal:
        item.lose(*_losses(changed, refusal.message))
        changed = Record(new.entity, {})
    take_back(item.journal, word, planned - set(changed.values))


def _changes(item: BitrixItem, word: str, new: Record, row: Row, olds: Sequence[Record]) -> Record:
    """What is to be written, noted with what was there; the rest is told."""
    known, changed = KnownRecord(item, word, new.entity), Record(new.entity, {})
    for code in REACH:
        there = texts_of(rows_in(row.get(code)))
        fresh = [one for one in new.head.get(code, ()) if lacking(there, [one["VALUE"]])]
        if known.adds(code, there, texts_of(fresh)):
            changed.head[code] = fresh
    own = NAMES[word]
    name, names = new.head.get(own), [one.head.get(own) for one in olds]
    if name and known.renames(own, row.get(own), name, names):
        changed.head[own] = name
    for entry in new.entries:
        if known.takes(
            entry.field_id,
            entry.code,
            question=entry.question,
            text=entry.text,
            there=present(row.get(entry.code), entry.value),
            new=entry.value,
            formers=[{one.code: one.value for one in old.entries}.get(entry.code) for old in olds],
        ):
            changed.entries.append(entry)
    known.note()
    return changed


def present(value: Any, ours: Any) -> Any:
    """A portal answers with 0 for a yes or no that nobody gave, and with False for other empty fields."""
    unset = value is False or (type(ours) is int and same_value(value, 0))
    return None if unset and not same_value(value, ours) else value


def _losses(record: Record, reason: str) -> Iterator[UnplacedValue]:
    """What is in the note alone where nothing can be written; so are phones and e-mails, without a word."""
    yield from (UnplacedValue(e.question, e.text, reason, record.entity) for e in record.entries)
    yield from (UnplacedValue("im", one["VALUE"], reason, record.entity) for one in record.head.get("IM", ()))


def _read(word: str, remote_id: str, fields: Sequence[str], why: str) -> Command:
    select = ["ID", *dict.fromkeys(fields)]
    params = {"filter": {"ID": [remote_id]}, "select": select, "start": -1}
    return Command(f"crm.{word}.list", params, why=why, joinable=True)


def _own(found: Sequence[Row], remote_id: str) -> Iterator[Row]:
    """A list that drops the filter returns others as well."""
    return (row for row in found if str(row.get("ID")) == remote_id)
