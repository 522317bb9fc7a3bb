"""A lead that is there is brought up to date with a later body of its answer (reference 4.3).

Fields that stand as we wrote them are overwritten, what people changed is left alone and told in the second
note; phones and e-mails are added to the contact. All of it may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from connectors.amocrm.cards import Card, cards
from connectors.amocrm.facts import Facts
from connectors.amocrm.overflow import INCOMING, Overflow
from connectors.amocrm.parcel import Parcel, pack
from connectors.amocrm.people import embedded, find_contact
from connectors.amocrm.sheets import FieldEntry, Sheet, address
from connectors.amocrm.talk import Talk
from connectors.amocrm.work import Work
from connectors.changes import EDITED, Change, decide, same_value
from connectors.contact import is_same_reach
from connectors.draft import LeadDraft, UnplacedValue
from connectors.errors import ConnectorError, Refused, Unclear

Values = Mapping[str, Any]
LEADS, CONTACTS = "leads", "contacts"
HEADS = ("name", "price")  # where a lead stands and who looks after it is people's business by now
REACH = ("PHONE", "EMAIL", "IM")
KEPT = "the contact was in amoCRM already and is left as it is"
LATE_COMPANY = "the company came after the lead was made"


class Update:
    """A stage of ``Delivery`` for drafts with ``formers``."""

    def __init__(self, talk: Talk, facts: Facts) -> None:
        self.talk = talk
        self.facts = facts
        self.changes = Overflow(talk)

    def run(self, works: Sequence[Work]) -> None:
        self.talk.each(works, self._read)
        alive = [work for work in works if not work.error]
        for entity in (LEADS, CONTACTS):
            self.changes.send(
                entity, [(work, sheet) for work in alive if (sheet := work.changes.get(entity))]
            )

    def _read(self, work: Work) -> None:
        """See what stands in the CRM, and lay out what changes."""
        http_client = self.talk.door_for([work])
        lead = _there(cards(http_client, LEADS, [work.lead], "contacts")[work.lead])
        if lead is None or lead.get("is_deleted"):
            raise Refused("The lead was deleted in amoCRM: it can't be brought up to date", code="lead_gone")
        formers = [pack(former, self.facts) for former in work.draft.formers]
        changed = self._changed(work, work.parcel.lead, lead, [one.lead for one in formers])
        work.changes[LEADS] = _spared(work, changed) if _is_incoming(work, lead) else changed
        self._contact(work, lead, formers)
        if work.parcel.company and not any(one.company for one in formers):
            head = work.parcel.company.head
            work.lose(UnplacedValue("company", str(head.get("name") or ""), LATE_COMPANY, "companies"))

    def _changed(self, work: Work, new: Sheet, card: Card, olds: Sequence[Sheet]) -> Sheet:
        """What of a sheet is to be written; what people changed is told."""
        changed = Sheet(new.entity)
        for name in (name for name in HEADS if name in new.head):
            match decide(card.get(name) or None, new.head[name], [old.head.get(name) for old in olds]):
                case Change.WRITE:
                    changed.head[name] = new.head[name]
                case Change.KEPT:
                    work.lose(UnplacedValue(name, str(new.head[name]), EDITED, new.entity))
        standing = _values(card)
        for piece in new.pieces:
            if piece.key in REACH or piece.kind == "mark":
                continue
            before = [old.entry["values"] if (old := _piece(one, piece.key)) else [] for one in olds]
            same = partial(self._same_values, piece.key in _dates(work.draft))
            match decide(standing.get(piece.key, []), piece.entry["values"], before, same):
                case Change.WRITE:
                    changed.pieces.append(piece)
                case Change.KEPT:
                    work.lose(piece.loss(new.entity, EDITED))
        if tags := _new_tags(new, card):
            changed.head["tags_to_add"] = tags
        return changed

    def _same_values(self, days: bool, current: Sequence[Values], sent: Sequence[Values]) -> bool:
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

    def _contact(self, work: Work, lead: Card, formers: Sequence[Parcel]) -> None:
        new = work.parcel.contact
        if new is None:
            return
        http_client = self.talk.door_for([work])
        linked = [str(row["id"]) for row in embedded(lead, CONTACTS)]
        mine = work.journal.get("contact", "")
        contact = mine if mine in linked or not linked else linked[0]
        card = _there(cards(http_client, CONTACTS, [contact])[contact]) if contact else None
        if card is None:
            contact = find_contact(http_client, work.draft.person)
            card = _there(cards(http_client, CONTACTS, [contact])[contact]) if contact else None
            if card is None:
                self._make_contact(work, new)
                return
        if contact not in linked:
            self._link(work, contact)
        if contact != mine:
            work.journal |= {"contact": contact, "found": contact}
            self.talk.record([work])
        olds = [one.contact for one in formers if one.contact]
        if work.own_contact:
            changed = self._changed(work, new, card, olds)
        else:
            changed = Sheet(CONTACTS)
            for piece in new.pieces:
                if piece.question and piece.key not in REACH:
                    work.lose(UnplacedValue(piece.question, piece.text, KEPT, CONTACTS))
        changed.pieces += _reach(new, card)
        work.changes[CONTACTS] = changed

    def _make_contact(self, work: Work, sheet: Sheet) -> None:
        """A lost answer is unclear; the next try finds the contact by its phone or e-mail."""
        http_client = self.talk.door_for([work])
        reply = http_client.call("POST", "/api/v4/contacts", json=[{**sheet.body(), "request_id": work.uid}])
        made = next((str(row["id"]) for row in embedded(reply, CONTACTS) if row.get("id")), "")
        if not made:
            raise Unclear("amoCRM's answer doesn't name the contact", code="no_reply")
        work.journal["contact"] = made
        work.journal.pop("found", None)
        self.talk.record([work])
        self._link(work, made)

    def _link(self, work: Work, contact: str) -> None:
        link = [{"to_entity_id": int(contact), "to_entity_type": CONTACTS}]
        self.talk.door_for([work]).call("POST", f"/api/v4/leads/{work.lead}/link", safe=True, json=link)


def _there(found: Card | ConnectorError | None) -> Card | None:
    if isinstance(found, ConnectorError):
        raise found
    return found


def _is_incoming(work: Work, lead: Card) -> bool:
    """Does it still wait among the incoming leads, where the rule put it?"""
    return bool(work.parcel.metadata) and str(lead.get("status_id")) == work.draft.placement.step


def _spared(work: Work, changed: Sheet) -> Sheet:
    """A change would take the lead out of incoming: what is new goes into the note alone."""
    for name in (name for name in HEADS if name in changed.head):
        work.lose(UnplacedValue(name, str(changed.head[name]), INCOMING, LEADS))
    for piece in changed.pieces:
        work.lose(piece.loss(LEADS, INCOMING))
    return Sheet(LEADS)


def _values(card: Card) -> dict[str, list[dict[str, Any]]]:
    """A card's values by field id and by field code."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in card.get("custom_fields_values") or []:
        for key in (row.get("field_id"), row.get("field_code")):
            if key:
                found[str(key)] = [value for value in row.get("values") or [] if isinstance(value, dict)]
    return found


def _dates(draft: LeadDraft) -> set[str]:
    """The fields that hold a day."""
    values = (value for one in (draft, *draft.formers) for value in one.values)
    return {address(value.target) for value in values if value.target.type in ("date", "birthday")}


def _piece(sheet: Sheet, key: str) -> FieldEntry | None:
    return next((piece for piece in sheet.pieces if piece.key == key), None)


def _reach(new: Sheet, card: Card) -> list[FieldEntry]:
    """Phones and e-mails that the contact lacks, added to those it has: a change replaces the whole field."""
    pieces = []
    for code in REACH:
        piece, current = _piece(new, code), _values(card).get(code, [])
        known = [str(value.get("value") or "") for value in current]
        fresh = [v for v in piece.entry["values"] if not _is_among(known, str(v["value"]))] if piece else []
        if piece and fresh:
            kept = [{k: value[k] for k in ("value", "enum_code") if value.get(k)} for value in current]
            pieces.append(FieldEntry({**piece.entry, "values": [*kept, *fresh]}, piece.question, piece.text))
    return pieces


def _is_among(known: Sequence[str], ours: str) -> bool:
    return any(is_same_reach(one, ours) for one in known)


def _new_tags(new: Sheet, card: Card) -> list[dict[str, Any]]:
    """The rule's tags that the card lacks."""
    names = {str(tag.get("name") or "").casefold() for tag in embedded(card, "tags")}
    return [{"name": tag.name} for tag in new.tags if tag.name.casefold() not in names]
