"""A contact that amoCRM had before is written as the rule says (reference 4.4).

PATCH replaces a field as a whole, phones too: what is there is read right before, of a batch in one request,
and sent along. Whoever changes the same field between the two requests loses that change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from connectors.amocrm.additions import Changes
from connectors.amocrm.client import CONTACT, BatchRequests, Found, Item, Row, fetch_records
from connectors.amocrm.records import FieldEntry, Record, pack
from connectors.amocrm.update import CONTACTS as ENTITY
from connectors.amocrm.update import REACH, Update, day_fields, missing_reach, values_by_field
from connectors.changes import Change
from connectors.draft import UnplacedValue, WriteMode
from connectors.errors import ConnectorError, Refused
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

GONE = message("the contact is not in amoCRM any more")


def read_contacts(requests: BatchRequests, items: Sequence[Item]) -> Mapping[str, Found]:
    """The items' contacts as they are now. They may be several people's: the request is in no trace."""
    ids = list(dict.fromkeys(item.journal[CONTACT] for item in items))
    return fetch_records(requests.client_for(), ENTITY, ids) if ids else {}


class Existing:
    """A stage for items whose contact was there before and whose rule says what is written into it."""

    def __init__(self, requests: BatchRequests, update: Update) -> None:
        self.requests = requests
        self.update = update

    def run(self, items: Sequence[Item]) -> None:
        """Items with one contact go one after another: each reads what the one before has written."""
        waiting = [item for item in items if item.lead and item.writes_existing]
        while waiting:
            turn = {item.journal[CONTACT]: item for item in reversed(waiting)}
            waiting = [item for item in waiting if item is not turn[item.journal[CONTACT]]]
            self._write(list(turn.values()))

    def _write(self, items: Sequence[Item]) -> None:
        rows = read_contacts(self.requests, items)
        changes: dict[Item, Record] = {}
        for item in items:
            match rows[item.journal[CONTACT]]:
                case Refused() as refusal:
                    _lose_all(item, message(str(UNREAD), said=refusal.message))
                case ConnectorError() as error:
                    item.fail(error)
                case None:
                    _lose_all(item, GONE)
                case row:
                    changes[item] = self._changes(item, row)
        self.requests.record(changes)
        planned = {item: {entry.key for entry in record.entries} for item, record in changes.items()}
        Changes(self.requests, ENTITY, changes).run(list(changes))
        for item, record in changes.items():
            take_back(item.journal, CONTACT, planned[item] - {entry.key for entry in record.entries})
        self.requests.record(changes)

    def _changes(self, item: Item, row: Row) -> Record:
        """What is to be written, noted with what was there; the rest is told."""
        new, mode, contact = item.contact, item.draft.existing[CONTACT], item.journal[CONTACT]
        packed = (pack(former, self.update.facts).contact for former in item.draft.formers)
        formers = [one for one in packed if one]
        before, days = noted(item.journal, CONTACT, contact), day_fields(item.draft)
        current, changed, fresh = values_by_field(row), Record(ENTITY), list[Written]()

        def keep(field: str, name: str, former: Any, shown: Sequence[str], now: Sequence[str]) -> None:
            added = field in REACH
            fresh.append(Written(CONTACT, contact, field, name, former, tuple(shown), tuple(now), added))

        for entry in missing_reach(new, row):
            known = texts_of(current.get(entry.key))
            if mode.adds(entry.key, not known):
                changed.entries.append(entry)
                now = [text for text in texts_of(entry.body["values"]) if text not in known]
                keep(entry.key, entry.key, known, known, now)
            elif entry.key == "IM":
                item.lose(UnplacedValue(entry.question, entry.text, OTHER_VALUE, ENTITY))
        if name := new.attributes.get("name"):
            old, olds = row.get("name"), [one.attributes.get("name") for one in formers]
            change, _ = verdict(mode.of(WriteMode.NAME), old, name, before.get(WriteMode.NAME), olds)
            if change is Change.WRITE:
                changed.attributes["name"] = name
                keep(WriteMode.NAME, WriteMode.NAME, old, texts_of(old), [name])
        for entry in (one for one in new.entries if one.question and one.key not in REACH):
            there, olds = current.get(entry.key, []), [_values_of(one, entry.key) for one in formers]
            same = partial(self.update.same_values, entry.key in days)
            how, values = mode.of(entry.key), entry.body["values"]
            change, why = verdict(how, there, values, before.get(entry.key), olds, same)
            if change is Change.WRITE:
                changed.entries.append(entry)
                keep(
                    entry.key, _name(item, entry), there, self._shown(there, entry.key in days), [entry.text]
                )
            elif change is not Change.SKIP:
                item.lose(UnplacedValue(entry.question, entry.text, why, ENTITY))
        note_written(item.journal, fresh)
        return changed

    def _shown(self, there: Any, is_day: bool) -> tuple[str, ...]:
        texts = texts_of(there)
        if not is_day:
            return texts
        zone = self.update.facts.zone
        return tuple(f"{datetime.fromtimestamp(int(t), zone):%d.%m.%Y}" if t.isdigit() else t for t in texts)


def _values_of(record: Record, key: str) -> Any:
    return next((entry.body["values"] for entry in record.entries if entry.key == key), [])


def _name(item: Item, entry: FieldEntry) -> str:
    """What amoCRM calls the field."""
    named = (v.target for v in item.draft.values if v.target.entity == ENTITY)
    return next((one.name for one in named if entry.key in (one.remote_id, one.code)), entry.question)


def _lose_all(item: Item, reason: str) -> None:
    for entry in item.contact.entries:
        if entry.question and entry.key not in ("PHONE", "EMAIL"):
            item.lose(UnplacedValue(entry.question, entry.text, reason, ENTITY))
