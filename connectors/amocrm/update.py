"""A lead that is there is brought up to date with a later body of its answer (reference 4.3).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in the second
note; phones and e-mails are added to the contact. All of it may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.amocrm.additions import INCOMING, Changes
from connectors.amocrm.client import BatchRequests, Item, Row, fetch_records, remote_id
from connectors.amocrm.facts import Facts
from connectors.amocrm.lists import embedded
from connectors.amocrm.records import FieldEntry, Payload, Record, address, pack
from connectors.amocrm.recovery import find_contact
from connectors.changes import EDITED, decide, same_value, shown
from connectors.contact import lacking
from connectors.delivery import LEAD_GONE
from connectors.draft import CONTACT, PERFORMER, STEP, TAGS, TITLE, LeadDraft, UnplacedValue
from connectors.errors import ConnectorError, Refused, Unclear
from connectors.messages import message

Values = Mapping[str, Any]
LEADS, CONTACTS = "leads", "contacts"
ATTRIBUTES = ("name", "price")  # where a lead stands and who looks after it is people's business by now
REACH = ("PHONE", "EMAIL", "IM")
KEPT = message("the contact was in amoCRM already and is left as it is")
LATE_COMPANY = message("the company came after the lead was made")


@dataclass(eq=False)
class Update:
    """A stage of ``Delivery`` for drafts with ``formers``."""

    requests: BatchRequests
    facts: Facts

    def compare(self, items: Sequence[Item]) -> None:
        """What ``run`` would change is told; nothing is written."""
        self.requests.each(items, self._read)

    def run(self, items: Sequence[Item]) -> None:
        self.requests.each(items, self._read)
        for entity in (LEADS, CONTACTS):
            changed = {item: one for item in items if not item.error and (one := item.changes.get(entity))}
            Changes(self.requests, entity, changed).run(list(changed))

    def _read(self, item: Item) -> None:
        """See what stands in the CRM, and lay out what changes."""
        client = self.requests.client_for(item)
        lead = _existing(fetch_records(client, LEADS, [item.lead], "contacts")[item.lead])
        if lead is None or lead.get("is_deleted"):
            words = message("The lead was deleted in amoCRM: it can't be brought up to date")
            raise Refused(words, code=LEAD_GONE)
        formers = [pack(former, self.facts) for former in item.draft.formers]
        changed = self._changed(item, item.payload.lead, lead, [one.lead for one in formers])
        if item.draft.replay:
            _follow_place(item, changed, lead, [one.lead for one in formers])
        waits = item.payload.metadata and str(lead.get("status_id")) == item.draft.placement.step
        item.changes[LEADS] = _spared(item, changed) if waits else changed
        self._contact(item, lead, formers)
        if item.payload.company and not any(one.company for one in formers):
            attributes = item.payload.company.attributes
            item.lose(UnplacedValue("company", str(attributes.get("name") or ""), LATE_COMPANY, "companies"))

    def _changed(self, item: Item, new: Record, row: Row, olds: Sequence[Record]) -> Record:
        """What of a record is to be written; what people changed is told."""
        changed = Record(new.entity)
        for name in (name for name in ATTRIBUTES if name in new.attributes):
            there, ours = row.get(name) or None, new.attributes[name]
            change = decide(there, ours, [old.attributes.get(name) for old in olds])
            what = TITLE if name == "name" and new.entity == LEADS else name
            if item.overwrites(change, there, UnplacedValue(name, str(ours), EDITED, new.entity), what):
                changed.attributes[name] = ours
        current_values, days = values_by_field(row), day_fields(item.draft)
        for entry in new.entries:
            if entry.key in REACH or entry.kind == "external_id":
                continue
            before = [values_of(one, entry.key) for one in olds]
            same = partial(self.same_values, entry.key in days)
            there = current_values.get(entry.key, [])
            change = decide(there, entry.body["values"], before, same)
            now = _dated(there) if entry.key in days else there
            if item.overwrites(change, now, entry.loss(new.entity, EDITED)):
                changed.entries.append(entry)
        if tags := _new_tags(new, row):
            changed.attributes["tags_to_add"] = tags
            own = ", ".join(str(tag.get("name") or "") for tag in embedded(row, "tags"))
            item.tell(TAGS, own, ", ".join(tag["name"] for tag in tags), new.entity)
        return changed

    def same_values(self, days: bool, current: Sequence[Values], sent: Sequence[Values]) -> bool:
        """Are these the values that were sent? amoCRM answers with more keys than it was given, and moves
        a date's moment within its day."""

        def alike(there: Any, ours: Any) -> bool:
            if days and str(there).isdigit() and str(ours).isdigit():
                there, ours = (datetime.fromtimestamp(int(m), self.facts.zone).date() for m in (there, ours))
            return same_value(there, ours)

        return len(current) == len(sent) and all(
            any(all(alike(one.get(key), value) for key, value in item.items()) for one in current)
            for item in sent
        )

    # -- the contact ----------------------------------------------------------------------------------------

    def _contact(self, item: Item, lead: Row, formers: Sequence[Payload]) -> None:
        new = item.payload.contact
        if new is None:
            return
        client = self.requests.client_for(item)
        linked = [str(row["id"]) for row in embedded(lead, CONTACTS)]
        mine = item.journal.get("contact", "")
        contact = mine if mine in linked or not linked else linked[0]
        row = _existing(fetch_records(client, CONTACTS, [contact])[contact]) if contact else None
        if row is None:
            contact, _by = find_contact(client, item.draft.person)
            row = _existing(fetch_records(client, CONTACTS, [contact])[contact]) if contact else None
            if row is None:
                item.tell(CONTACT, "", _words(new), CONTACTS)
                if not item.only_compare:
                    self._make_contact(item, new)
                return
        if contact not in linked:
            item.tell(CONTACT, "", shown(row), CONTACTS)
            if not item.only_compare:
                self._link(item, contact)
        if contact != mine:
            item.journal |= {"contact": contact, "found": contact}
            self.requests.record([item])
        olds = [one.contact for one in formers if one.contact]
        if item.own_contact:
            changed = self._changed(item, new, row, olds)
        else:
            changed = Record(CONTACTS)
            if not item.writes_existing:
                item.lose_contact(KEPT, but=REACH)
        for entry in () if item.writes_existing else missing_reach(new, row):
            there = values_by_field(row).get(entry.key, [])
            item.tell(entry.question or entry.key, there, entry.text, CONTACTS)
            changed.entries.append(entry)
        item.changes[CONTACTS] = changed

    def _make_contact(self, item: Item, record: Record) -> None:
        """A lost answer is unclear; the next try finds the contact by its phone or e-mail."""
        client = self.requests.client_for(item)
        reply = client.call("POST", "/api/v4/contacts", json=[{**record.body(), "request_id": item.uid}])
        made = next((remote_id(row.get("id")) for row in embedded(reply, CONTACTS)), "")
        if not made:
            raise Unclear(message("amoCRM's answer doesn't name the contact"), code="no_reply")
        item.journal["contact"] = made
        item.journal.pop("found", None)
        self.requests.record([item])
        self._link(item, made)

    def _link(self, item: Item, contact: str) -> None:
        link = [{"to_entity_id": int(contact), "to_entity_type": CONTACTS}]
        self.requests.client_for(item).call("POST", f"/api/v4/leads/{item.lead}/link", safe=True, json=link)


def _existing(found: Row | ConnectorError | None) -> Row | None:
    if isinstance(found, ConnectorError):
        raise found
    return found


def _follow_place(item: Item, changed: Record, lead: Row, olds: Sequence[Record]) -> None:
    """A replay moves the lead to its draft's step and person, as far as it stands as we put it."""
    new = item.payload.lead.attributes
    for name, what in (("status_id", STEP), ("responsible_user_id", PERFORMER)):
        if name not in new:
            continue
        before = [old.attributes.get(name) for old in olds]
        if item.moves_to(what, lead.get(name), str(new[name]), before, LEADS):
            changed.attributes[name] = new[name]
            if name == "status_id" and "pipeline_id" in new:
                changed.attributes["pipeline_id"] = new["pipeline_id"]


def _spared(item: Item, changed: Record) -> Record:
    """The lead still waits among the incoming ones, out of which a change would take it: what is new goes
    into the note alone."""
    item.told[:] = [replace(one, kept=True, why=one.why or INCOMING) for one in item.told]
    for name in (name for name in ATTRIBUTES if name in changed.attributes):
        item.lose(UnplacedValue(name, str(changed.attributes[name]), INCOMING, LEADS))
    for entry in changed.entries:
        item.lose(entry.loss(LEADS, INCOMING))
    return Record(LEADS)


def values_by_field(row: Row) -> dict[str, list[dict[str, Any]]]:
    """A record's values by field id and by field code."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in row.get("custom_fields_values") or []:
        for key in (one.get("field_id"), one.get("field_code")):
            if key:
                found[str(key)] = [value for value in one.get("values") or [] if isinstance(value, dict)]
    return found


def _words(record: Record) -> str:
    """A new contact in a line."""
    reach = (entry.text for entry in record.entries if entry.key in REACH)
    return ", ".join(filter(None, (str(record.attributes.get("name") or ""), *reach)))


def _dated(values: Sequence[Values]) -> list[str]:
    """Moments of day fields as days."""
    texts = (str(value.get("value") or "") for value in values)
    return [datetime.fromtimestamp(int(t), UTC).date().isoformat() if t.isdigit() else t for t in texts]


def day_fields(draft: LeadDraft) -> set[str]:
    """The fields that hold a day."""
    values = (value for one in (draft, *draft.formers) for value in one.values)
    return {address(value.target) for value in values if value.target.type in ("date", "birthday")}


def values_of(record: Record, key: str) -> list[dict[str, Any]]:
    """What a record has for a field; empty for nothing."""
    return next((entry.body["values"] for entry in record.entries if entry.key == key), [])


def missing_reach(new: Record, row: Row) -> list[FieldEntry]:
    """Phones and e-mails that the contact lacks, added to those it has: a change replaces the whole field."""
    entries = []
    for code in REACH:
        entry = next((one for one in new.entries if one.key == code), None)
        current = values_by_field(row).get(code, [])
        known = [str(value.get("value") or "") for value in current]
        fresh = [v for v in entry.body["values"] if lacking(known, [str(v["value"])])] if entry else []
        if entry and fresh:
            kept = [{k: value[k] for k in ("value", "enum_code") if value.get(k)} for value in current]
            entries.append(FieldEntry({**entry.body, "values": [*kept, *fresh]}, entry.question, entry.text))
    return entries


def _new_tags(new: Record, row: Row) -> list[dict[str, Any]]:
    """The rule's tags that the record lacks."""
    names = {str(tag.get("name") or "").casefold() for tag in embedded(row, "tags")}
    return [{"name": tag.name} for tag in new.tags if tag.name.casefold() not in names]
