"""A record that is there is brought up to date with a later body of its answer (reference 4.3).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in a comment
of the timeline; phones and e-mails are added to the contact. All but the comment may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.bitrix24.client import Command, Row, Story, outcomes_of, reply_to, rows
from connectors.bitrix24.contacts import find_people
from connectors.bitrix24.delivery import add_comments, make
from connectors.bitrix24.errors import NOT_FOUND
from connectors.bitrix24.existing import present, write_existing
from connectors.bitrix24.options import LEAD as LEAD_FLAG
from connectors.bitrix24.portal import Facts
from connectors.bitrix24.records import REACH, Payload, Record, payload_of, pipeline_of
from connectors.bitrix24.requests import FOUND, BitrixItem
from connectors.bitrix24.writing import write
from connectors.changes import EDITED, decide, same_value, shown
from connectors.contact import lacking
from connectors.delivery import LEAD_GONE
from connectors.draft import PERFORMER, STEP, LeadDraft, UnplacedValue
from connectors.errors import ConnectorError, Refused
from connectors.messages import message
from connectors.repeated import JOINED, tell_mention
from connectors.text import rows_in

# Where a record stands and who looks after it is people's business by now.
FIXED = frozenset({"ORIGINATOR_ID", "ORIGIN_ID", "ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID", "STATUS_ID"})
WITHIN = message("a deal is moved within its pipeline only")


def update(item: BitrixItem, facts: Facts) -> Story[None]:
    """A later body's way from beginning to end. Raises ``Refused`` where the record is gone."""
    formers = [payload_of(former, facts) for former in item.draft.formers]
    if item.has(JOINED):  # the record is somebody else's work: the later body stands in a comment alone
        yield from write_existing(item, formers)
        tell_mention(item)
        yield from add_comments(item, first=1)
        return
    standing = yield from _living(item)
    yield from find_people(item)
    yield from make(item, "company", item.payload.company)
    yield from make(item, "contact", item.payload.contact, COMPANY_ID=item.journal.get("company"))
    yield from _link(item, standing)
    changed = _record_changed(item, standing, formers)
    if (company := item.journal.get("company")) and same_value(standing.get("COMPANY_ID") or 0, 0):
        changed.head["COMPANY_ID"] = company
    yield from write(item, changed, item.lead)
    if contact := (yield from _contact_changed(item, formers)):
        yield from write(item, contact, item.journal["contact"])
    yield from write_existing(item, formers)
    yield from add_comments(item, first=1)


def compare(item: BitrixItem, facts: Facts) -> Story[None]:
    """What ``update`` would change is told; nothing is written."""
    standing = yield from _living(item)
    formers = [payload_of(former, facts) for former in item.draft.formers]
    yield from find_people(item)
    for word in ("company", "contact"):
        if (record := item.payload.of(word)) and not item.journal.get(word):
            item.tell(word, "", ", ".join(shown(value) for value in record.head.values()), record.entity)
    _record_changed(item, standing, formers)
    yield from _contact_changed(item, formers)
    yield from write_existing(item, formers)


def of_its_kind(draft: LeadDraft) -> LeadDraft:
    """An update's draft for the kind of record that is there, whatever the rule makes by now: a lead's number
    is not a deal's."""
    kind = draft.journal.get("kind")
    if not (draft.formers and kind):
        return draft
    own = {LEAD_FLAG: kind == "lead"}

    def alike(one: LeadDraft) -> LeadDraft:
        return replace(one, placement=replace(one.placement, choices={**one.placement.choices, **own}))

    return replace(alike(draft), formers=tuple(map(alike, draft.formers)))


def _living(item: BitrixItem) -> Story[Row]:
    standing = yield from _read(item.kind, item.lead)
    if standing is None:
        words = message("The record was deleted in Bitrix24: it can't be brought up to date")
        raise Refused(words, code=LEAD_GONE)
    return standing


def _record_changed(item: BitrixItem, standing: Row, formers: Sequence[Payload]) -> Record:
    """What of the deal or lead is to be written."""
    olds = [one.record for one in formers]
    changed = _changed(item, item.payload.record, standing, olds)
    if item.draft.replay:
        _follow_place(item, changed, standing, olds)
    return changed


def _follow_place(item: BitrixItem, changed: Record, standing: Row, olds: Sequence[Record]) -> None:
    """A replay moves the record to its draft's step and person, as far as it stands as we put it. A deal
    stays in its pipeline: the portal moves none to another (reference 4.1)."""
    new = item.payload.record
    for name, what in (("STAGE_ID", STEP), ("STATUS_ID", STEP), ("ASSIGNED_BY_ID", PERFORMER)):
        if not (wanted := new.head.get(name)):
            continue
        there = standing.get(name)
        if name == "STAGE_ID" and pipeline_of(str(wanted)) != pipeline_of(str(there or "")):
            item.tell(what, there, str(wanted), new.entity, kept=WITHIN)
            item.lose(UnplacedValue(what, str(wanted), WITHIN, new.entity))
        elif item.moves_to(what, there, str(wanted), [old.head.get(name) for old in olds], new.entity):
            changed.head[name] = wanted


def _read(word: str, remote_id: str) -> Story[Row | None]:
    (outcome,) = yield from outcomes_of(
        [Command(f"crm.{word}.get", {"id": remote_id}, why=message("as it is now"))]
    )
    if isinstance(outcome, Refused) and outcome.code == NOT_FOUND:
        return None
    if isinstance(outcome, ConnectorError):
        raise outcome
    return outcome.value if isinstance(outcome.value, dict) else None


def _changed(item: BitrixItem, new: Record, standing: Row, olds: Sequence[Record]) -> Record:
    """What of a record is to be written; what people changed is told."""
    changed = Record(new.entity, {})
    for name, value in new.head.items():
        if name in FIXED or name in REACH:
            continue
        there = _sum(name, standing.get(name))
        change = decide(there, value, [old.head.get(name) for old in olds])
        if item.overwrites(change, there, UnplacedValue(name.lower(), str(value), EDITED, new.entity)):
            changed.head[name] = value
    for entry in new.entries:
        before = [{one.code: one.value for one in old.entries}.get(entry.code) for old in olds]
        there = present(standing.get(entry.code), entry.value)
        if item.overwrites(decide(there, entry.value, before), there, entry.loss(new.entity, EDITED)):
            changed.entries.append(entry)
    return changed


def _sum(name: str, value: Any) -> Any:
    """A deal without a sum says ``0.00``."""
    return None if name == "OPPORTUNITY" and same_value(value, 0) else value


def _contact_changed(item: BitrixItem, formers: Sequence[Payload]) -> Story[Record | None]:
    """Its own fields where we made it; what it can be reached by in any case."""
    new, contact = item.payload.contact, item.journal.get("contact")
    if new is None or not contact or item.writes_existing("contact"):
        return None
    standing = yield from _read("contact", contact)
    if standing is None:
        return None
    olds = [one.contact for one in formers if one.contact]
    is_ours = item.journal.get(FOUND["contact"]) != contact
    changed = _changed(item, new, standing, olds) if is_ours else Record(new.entity, {})
    for name in REACH:
        known = [str(row.get("VALUE") or "") for row in rows_in(standing.get(name))]
        fresh = [one for one in new.head.get(name, ()) if lacking(known, [one["VALUE"]])]
        if fresh:  # what has no id is added, the others stay
            item.tell(name.lower(), ", ".join(known), shown(fresh), new.entity)
            changed.head[name] = fresh
    return changed


def _link(item: BitrixItem, standing: Row) -> Story[None]:
    """A contact that the record has not yet is added beside those that people put there."""
    contact = item.journal.get("contact")
    if not contact or same_value(standing.get("CONTACT_ID"), contact):
        return
    linked = yield from reply_to(Command(f"crm.{item.kind}.contact.items.get", {"id": item.lead}))
    if any(same_value(row.get("CONTACT_ID"), contact) for row in rows(linked)):
        return
    params = {"id": item.lead, "fields": {"CONTACT_ID": contact}}
    yield from reply_to(Command(f"crm.{item.kind}.contact.add", params))
