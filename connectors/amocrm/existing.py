"""A contact that amoCRM had before is written as the rule says (reference 4.4).

PATCH replaces a field as a whole, phones too: what is there is read right before, of a batch in one request,
and sent along. Whoever changes the same field between the two requests loses that change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from connectors.amocrm.additions import Changes
from connectors.amocrm.client import CONTACT, BatchRequests, Found, Item, Row, fetch_records
from connectors.amocrm.records import Record, pack
from connectors.amocrm.update import CONTACTS as ENTITY
from connectors.amocrm.update import REACH, Update, day_fields, missing_reach, values_by_field, values_of
from connectors.draft import WriteMode
from connectors.errors import ConnectorError, Refused
from connectors.existing import KnownRecord, take_back, texts_of, unread
from connectors.messages import message

GONE = message("the contact is not in amoCRM any more")


def read_contacts(requests: BatchRequests, items: Sequence[Item]) -> Mapping[str, Found]:
    """The items' contacts as they are now. They may be several people's: the request is in no trace."""
    ids = list(dict.fromkeys(item.journal[CONTACT] for item in items))
    return fetch_records(requests.client_for(), ENTITY, ids) if ids else {}


@dataclass(eq=False)
class Existing:
    """A stage for items whose contact was there before and whose rule says what is written into it."""

    requests: BatchRequests
    update: Update

    def compare(self, items: Sequence[Item]) -> None:
        """What ``run`` would write is told; nothing is written."""
        self._laid_out(_concerned(items))

    def run(self, items: Sequence[Item]) -> None:
        """Items with one contact go one after another: each reads what the one before has written."""
        waiting = _concerned(items)
        while waiting:
            turn = {item.journal[CONTACT]: item for item in reversed(waiting)}
            waiting = [item for item in waiting if item is not turn[item.journal[CONTACT]]]
            self._write(list(turn.values()))

    def _write(self, items: Sequence[Item]) -> None:
        changes = self._laid_out(items)
        self.requests.record(changes)
        planned = {item: _parts(record) for item, record in changes.items()}
        Changes(self.requests, ENTITY, changes).run(list(changes))
        for item, record in changes.items():
            take_back(item.journal, CONTACT, planned[item] - _parts(record))
        self.requests.record(changes)

    def _laid_out(self, items: Sequence[Item]) -> dict[Item, Record]:
        """What of each contact is to be written."""
        rows = read_contacts(self.requests, items)
        changes: dict[Item, Record] = {}
        for item in items:
            match rows[item.journal[CONTACT]]:
                case Refused() as refusal:
                    item.lose_contact(unread(refusal))
                case ConnectorError() as error:
                    item.fail(error)
                case None:
                    item.lose_contact(GONE)
                case row:
                    changes[item] = self._changes(item, row)
        return changes

    def _changes(self, item: Item, row: Row) -> Record:
        """What is to be written, noted with what was there; the rest is told."""
        new, known, days = item.contact, KnownRecord(item, CONTACT, ENTITY), day_fields(item.draft)
        packed = (pack(former, self.update.facts).contact for former in item.draft.formers)
        formers = [one for one in packed if one]
        current, changed = values_by_field(row), Record(ENTITY)
        for entry in missing_reach(new, row):
            there = texts_of(current.get(entry.key))
            if known.adds(entry.key, there, [t for t in texts_of(entry.body["values"]) if t not in there]):
                changed.entries.append(entry)
        name, names = new.attributes.get("name"), [one.attributes.get("name") for one in formers]
        if name and known.renames(WriteMode.NAME, row.get("name"), name, names):
            changed.attributes["name"] = name
        for entry in (one for one in new.entries if one.question and one.key not in REACH):
            values, is_day = current.get(entry.key, []), entry.key in days
            if known.takes(
                entry.key,
                question=entry.question,
                text=entry.text,
                there=values,
                new=entry.body["values"],
                formers=[values_of(one, entry.key) for one in formers],
                same=partial(self.update.same_values, is_day),
                shown=self._days(values) if is_day else None,
            ):
                changed.entries.append(entry)
        known.note()
        return changed

    def _days(self, values: Any) -> tuple[str, ...]:
        zone, texts = self.update.facts.zone, texts_of(values)
        return tuple(f"{datetime.fromtimestamp(int(t), zone):%d.%m.%Y}" if t.isdigit() else t for t in texts)


def _concerned(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.lead and item.writes_existing]


def _parts(record: Record) -> set[str]:
    """Its fields and attributes, by the names under which they are noted."""
    return {*record.attributes, *(entry.key for entry in record.entries)}
