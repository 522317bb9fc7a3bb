"""A contact or company that the portal had before is written as the rule says (reference 4.2).

It is read right before, of many drafts in one command. Phones, e-mails and messengers without an id are added
by the portal itself, whatever others write meanwhile; other fields are replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.bitrix24.client import Command, Row, Story, reply_to, rows
from connectors.bitrix24.records import Payload, Record
from connectors.bitrix24.requests import FOUND, BitrixItem
from connectors.bitrix24.writing import write
from connectors.changes import Change, same_value
from connectors.contact import is_same_reach
from connectors.draft import UnplacedValue, WriteMode
from connectors.errors import Refused
from connectors.existing import (
    OTHER_VALUE,
    UNREAD,
    Written,
    note_written,
    noted,
    take_back,
    texts_of,
    verdict,
)
from connectors.messages import message
from connectors.text import rows_in, text_of

REACH = ("PHONE", "EMAIL", "IM")
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
    """Read what is there, note it, write what the rule says; the rest is told. It costs no lead."""
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
        item.lose(*_losses(new, message(str(UNREAD), said=refusal.message)))
        return
    row = next(_own(rows(reply), remote_id), None)
    if row is None:
        item.lose(*_losses(new, GONE))
        return
    changed = _changes(item, word, new, row, [one for former in formers if (one := former.of(word))])
    planned = set(changed.values)
    try:
        yield from write(item, changed, remote_id)
    except Refused as refusal:
        item.lose(*_losses(changed, refusal.message))
        changed = Record(new.entity, {})
    take_back(item.journal, word, planned - set(changed.values))


def _changes(item: BitrixItem, word: str, new: Record, row: Row, olds: Sequence[Record]) -> Record:
    """What is to be written, noted with what was there; the rest is told."""
    mode, remote_id = item.draft.existing[word], item.journal[word]
    before, changed, fresh = noted(item.journal, word, remote_id), Record(new.entity, {}), list[Written]()

    def keep(field: str, name: str, former: Any, shown: Sequence[str], now: Sequence[str]) -> None:
        added = field in REACH
        fresh.append(Written(word, remote_id, field, name, former, tuple(shown), tuple(now), added))

    for code in REACH:
        known = texts_of(rows_in(row.get(code)))
        lacking = [e for e in new.head.get(code, ()) if not any(is_same_reach(k, e["VALUE"]) for k in known)]
        if lacking and mode.adds(code, not known):
            changed.head[code] = lacking
            keep(code, code, known, known, texts_of(lacking))
        elif code == "IM":
            item.lose(*(UnplacedValue("im", e["VALUE"], OTHER_VALUE, new.entity) for e in lacking))
    own = NAMES[word]
    if name := new.head.get(own):
        there, formers = row.get(own), [one.head.get(own) for one in olds]
        change, _ = verdict(mode.of(WriteMode.NAME), there, name, before.get(own), formers)
        if change is Change.WRITE:
            changed.head[own] = name
            keep(own, WriteMode.NAME, there, texts_of(there), [name])
    for entry in new.entries:
        there = present(row.get(entry.code), entry.value)
        formers = [{one.code: one.value for one in old.entries}.get(entry.code) for old in olds]
        how = mode.of(entry.field_id, entry.code)
        change, why = verdict(how, there, entry.value, before.get(entry.code), formers)
        if change is Change.WRITE:
            changed.entries.append(entry)
            label, shown = _told(item, new.entity, entry.field_id, there)
            keep(entry.code, label or entry.question, there, shown, [entry.text])
        elif change is not Change.SKIP:
            item.lose(UnplacedValue(entry.question, entry.text, why, new.entity))
    note_written(item.journal, fresh)
    return changed


def _told(item: BitrixItem, entity: str, field_id: str, there: Any) -> tuple[str, tuple[str, ...]]:
    """What the portal calls a field, and its value in words: choices are kept as ids."""
    named = (
        v.target for v in item.draft.values if (v.target.entity, v.target.remote_id) == (entity, field_id)
    )
    target = next(named, None)
    options = {option.remote_id: option.text for option in target.options} if target else {}
    return target.name if target else "", tuple(options.get(text, text) for text in texts_of(there))


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
