"""A record that is there is brought up to date with a later body of its answer (reference 4.3).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in a comment
of the timeline; phones and e-mails are added to the contact. All but the comment may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.bitrix24.asking import Story, outcomes_of, reply_to, rows
from connectors.bitrix24.batch import Command
from connectors.bitrix24.cards import Card
from connectors.bitrix24.creation import MOST_TRIES, UNMENDABLE, add_comments, make
from connectors.bitrix24.errors import NOT_FOUND
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.parcel import Parcel, pack
from connectors.bitrix24.people import FOUND, meet
from connectors.bitrix24.work import Work
from connectors.changes import EDITED, may_write, same_value
from connectors.contact import is_same_reach
from connectors.draft import UnplacedValue
from connectors.errors import ConnectorError, Refused

# Where a record stands and who looks after it is people's business by now.
FIXED = frozenset({"ORIGINATOR_ID", "ORIGIN_ID", "ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID", "STATUS_ID"})
REACH = ("PHONE", "EMAIL", "IM")
Row = Mapping[str, Any]


def update(work: Work, facts: Facts) -> Story[None]:
    """A later body's way from beginning to end."""
    record = yield from _read(work.kind, work.lead)
    if record is None:
        words = "The record was deleted in Bitrix24: it can't be brought up to date"
        raise Refused(words, code="lead_gone")
    formers = [pack(former, facts) for former in work.draft.formers]
    yield from meet(work)
    yield from make(work, "company", work.parcel.company)
    yield from make(work, "contact", work.parcel.contact, COMPANY_ID=work.journal.get("company"))
    yield from _link(work, record)
    changed = _changed(work, work.parcel.record, record, [one.record for one in formers])
    if (company := work.journal.get("company")) and same_value(record.get("COMPANY_ID") or 0, 0):
        changed.head["COMPANY_ID"] = company
    yield from _write(work, changed, work.lead)
    yield from _contact(work, formers)
    yield from add_comments(work, first=1)


def _read(word: str, remote_id: str) -> Story[Row | None]:
    (outcome,) = yield from outcomes_of([Command(f"crm.{word}.get", {"id": remote_id}, why="as it is now")])
    if isinstance(outcome, Refused) and outcome.code == NOT_FOUND:
        return None
    if isinstance(outcome, ConnectorError):
        raise outcome
    return outcome.value if isinstance(outcome.value, dict) else None


def _changed(work: Work, new: Card, standing: Row, olds: Sequence[Card]) -> Card:
    """What of a card is to be written; what people changed is told."""
    changed = Card(new.entity, {})
    for name, value in new.head.items():
        before = [old.head.get(name) for old in olds]
        if name in FIXED or name in REACH or same_value(value, before[-1] if before else None):
            continue
        current = _empty_sum(name, standing.get(name))
        if may_write(current, before):
            changed.head[name] = value
        elif not same_value(current, value):
            work.lose([UnplacedValue(name.lower(), str(value), EDITED, new.entity)])
    for piece in new.pieces:
        values = [{one.code: one.value for one in old.pieces}.get(piece.code) for old in olds]
        current = standing.get(piece.code)
        if same_value(current, piece.value):
            continue
        if may_write(_unset(current, piece.value), values):
            changed.pieces.append(piece)
        elif not same_value(piece.value, values[-1] if values else None):
            work.lose([piece.loss(new.entity, EDITED)])
    return changed


def _empty_sum(name: str, value: Any) -> Any:
    """A deal without a sum says ``0.00``."""
    return None if name == "OPPORTUNITY" and same_value(value, 0) else value


def _unset(value: Any, ours: Any) -> Any:
    """A portal answers with 0 for a yes or no that nobody gave, and with False for other empty fields."""
    return None if value is False or (type(ours) is int and same_value(value, 0)) else value


def _contact(work: Work, formers: Sequence[Parcel]) -> Story[None]:
    """Its own fields where we made it; what it can be reached by in any case."""
    new, contact = work.parcel.contact, work.journal.get("contact")
    if new is None or not contact:
        return
    standing = yield from _read("contact", contact)
    if standing is None:
        return
    olds = [one.contact for one in formers if one.contact]
    mine = work.journal.get(FOUND["contact"]) != contact
    changed = _changed(work, new, standing, olds) if mine else Card(new.entity, {})
    for name in REACH:
        known = [str(row.get("VALUE") or "") for row in _rows(standing.get(name))]
        fresh = [e for e in new.head.get(name, []) if not any(is_same_reach(k, e["VALUE"]) for k in known)]
        if fresh:  # what has no id is added, the others stay
            changed.head[name] = fresh
    yield from _write(work, changed, contact)


def _rows(value: Any) -> list[Row]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _link(work: Work, record: Row) -> Story[None]:
    """A contact that the record has not yet is added beside those that people put there."""
    contact = work.journal.get("contact")
    if not contact or same_value(record.get("CONTACT_ID"), contact):
        return
    items = yield from reply_to(Command(f"crm.{work.kind}.contact.items.get", {"id": work.lead}))
    if any(same_value(row.get("CONTACT_ID"), contact) for row in rows(items)):
        return
    fields = {"CONTACT_ID": contact}
    yield from reply_to(Command(f"crm.{work.kind}.contact.add", {"id": work.lead, "fields": fields}))


def _write(work: Work, card: Card, remote_id: str) -> Story[None]:
    """What the portal refuses is taken out and told."""
    for tries_left in reversed(range(MOST_TRIES)):
        values = {**card.head, **{piece.code: piece.value for piece in card.pieces}}
        if not values:
            return
        params = {"id": remote_id, "fields": values}
        try:
            yield from reply_to(Command(f"crm.{card.word}.update", params, why=f"the {card.word}"))
        except Refused as refusal:
            losses = [] if refusal.code in UNMENDABLE or not tries_left else card.strip(refusal.message)
            if not losses:
                raise
            work.lose(losses)
        else:
            return
