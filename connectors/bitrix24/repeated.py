"""An open deal or lead of the person is joined: one of ours, or one of the contact's (reference 5.2, 7).

Deals or leads, as the rule makes them. Lists drop a filter that they don't know, so a row counts by what it
says itself. A deal that has the contact as its second one is not seen: classic lists know the first alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors import repeated
from connectors.bitrix24.client import Command, Reply, Row, Story, made_id, outcomes_of, reply_to, rows
from connectors.bitrix24.contacts import REACH, belongs
from connectors.bitrix24.existing import OWNER
from connectors.bitrix24.following import SEMANTICS
from connectors.bitrix24.phones import FIND
from connectors.bitrix24.records import LEAD, ORIGINATOR
from connectors.bitrix24.recovery import recognise
from connectors.bitrix24.requests import BitrixItem
from connectors.errors import ConnectorError, Refused
from connectors.messages import message
from connectors.repeated import JOINED_OWNER, NO_NOTE, OpenLead
from connectors.text import is_id, moment, text_of

IN_WORK = "P"  # what the steps that don't end a record mean
MOST_LEADS = 50  # of one person, by phone or e-mail
WHY = message("has the person an open lead already?")


def confirm_joined(item: BitrixItem) -> Story[None]:
    """What an earlier try has joined may be closed by now. Where its comment is there, it stays so."""
    if repeated.noted(item):
        return
    found = yield from _open(item, [_by_ids(item, [item.lead])], lambda row: True)
    if item.must_look and not found:
        yield from recognise(item, _first(item))
    if found:
        item.journal[JOINED_OWNER] = text_of(found[0].get(OWNER))
    elif not repeated.noted(item):
        repeated.leave(item, "kind")


def join_open_record(item: BitrixItem) -> Story[None]:
    """Join an open record of the person, if there is one."""
    wish = item.draft.repeated
    if wish is None or not repeated.wanted(item):
        return
    contact, ours = item.journal.get("contact", ""), wish.ours
    commands = [_by_ids(item, ids)] if (ids := list(filter(is_id, ours))) else []
    if is_id(contact):
        commands.append(_listing(item, {"CONTACT_ID": contact}))

    def is_meant(row: Row) -> bool:
        """A deal and a lead may have the same id, but not the same external id."""
        uid = ours.get(text_of(row.get("ID")))
        mine = bool(uid) and (row.get("ORIGINATOR_ID"), row.get("ORIGIN_ID")) == (ORIGINATOR, uid)
        return mine or (is_id(contact) and text_of(row.get("CONTACT_ID")) == contact)

    found = yield from _open(item, commands, is_meant)
    if not found and item.payload.record.entity == LEAD:
        found = yield from _without_contact(item)
    for row in found:
        if row.get("ORIGINATOR_ID") == ORIGINATOR and row.get("ORIGIN_ID") == item.uid:  # a lost try's own
            item.journal |= {"lead": text_of(row.get("ID")), "kind": item.payload.record.word}
            item.adopted = True
            return
    there = [
        OpenLead(text_of(row.get("ID")), _made(row), owner=text_of(row.get(OWNER)))
        for row in found
        if _is_there(item, row) and repeated.in_time(item.draft, _made(row))
    ]
    if lead := repeated.best(item.draft, there):
        repeated.join(item, lead, kind=item.payload.record.word)


def write_joined(item: BitrixItem) -> Story[None]:
    """The first comment on what was joined; one that is refused sends the answer to a record of its own."""
    item.untagged = () if repeated.only_mentioned(item.draft) else tuple(tag.name for tag in item.draft.tags)
    if item.must_look and not repeated.noted(item):
        yield from recognise(item, _first(item))
    if not repeated.noted(item):
        try:
            reply = yield from reply_to(item.comment(item.comments()[0], next(iter(_first(item)))))
            item.journal[item.draft.note_step()] = made_id(reply.value)
        except Refused:
            repeated.leave(item, "kind")
            repeated.tell_left(item, NO_NOTE)
            return
    repeated.tell_mention(item)
    repeated.task_on_joined(item)


def _first(item: BitrixItem) -> dict[str, str]:
    """Mark and step of the first comment."""
    return {f"[{item.draft.note_mark()}]": item.draft.note_step()}


def _without_contact(item: BitrixItem) -> Story[list[Row]]:
    """Leads may have phones and e-mails of their own, and no contact."""
    person = item.draft.person
    searches = [
        Command(FIND, {"type": kind, "values": list(values), "entity_type": "LEAD"}, why=WHY)
        for kind, values in (("PHONE", item.phones.values(person)), ("EMAIL", person.emails))
        if values
    ]
    hits: dict[str, None] = {}
    for outcome in (yield from outcomes_of(searches)):
        if isinstance(outcome, ConnectorError):
            _tell(item, outcome)
        elif isinstance(outcome.value, dict):
            hits |= dict.fromkeys(map(str, outcome.value.get("LEAD") or ()))
    if not (ids := sorted(filter(is_id, hits), key=int)[-MOST_LEADS:]):
        return []
    by_ids = [_by_ids(item, ids)]
    return (yield from _open(item, by_ids, lambda row: any(belongs(row, kind, person) for kind in REACH)))


def _open(item: BitrixItem, commands: Sequence[Command], is_meant: Callable[[Row], bool]) -> Story[list[Row]]:
    """The rows of these lists that are meant and not closed."""
    found: dict[str, Row] = {}
    for outcome in (yield from outcomes_of(commands)):
        if isinstance(outcome, ConnectorError):
            _tell(item, outcome)
        else:
            found |= {text_of(row.get("ID")): row for row in _in_work(item, outcome) if is_meant(row)}
    return [row for remote_id, row in found.items() if is_id(remote_id)]


def _in_work(item: BitrixItem, reply: Reply) -> Iterator[Row]:
    semantics = SEMANTICS[item.kind]
    for row in rows(reply):
        if text_of(row.get(semantics)) in (IN_WORK, "") and row.get("CLOSED") != "Y":
            yield row


def _by_ids(item: BitrixItem, ids: Sequence[str]) -> Command:
    return _listing(item, {"@ID": list(ids)})


def _listing(item: BitrixItem, asked: Mapping[str, Any]) -> Command:
    """The newest page; whatever is closed need not come."""
    word = item.kind
    select = ["ID", "CONTACT_ID", "DATE_CREATE", OWNER, "ORIGINATOR_ID", "ORIGIN_ID", SEMANTICS[word]]
    select += ["CATEGORY_ID", "CLOSED"] if word == "deal" else [*REACH]
    params = {
        "filter": {**asked, SEMANTICS[word]: IN_WORK},
        "select": select,
        "order": {"ID": "DESC"},
        "start": -1,
    }
    return Command(f"crm.{word}.list", params, why=WHY)


def _is_there(item: BitrixItem, row: Row) -> bool:
    """Is it in the pipeline? Leads have none, deals are in the first where nothing else is said."""
    asked = item.draft.repeated.pipeline if item.draft.repeated else ""
    return item.payload.record.entity == LEAD or text_of(row.get("CATEGORY_ID")) in (asked or "0", asked)


def _made(row: Row) -> datetime | None:
    return moment(row.get("DATE_CREATE"))


def _tell(item: BitrixItem, error: ConnectorError) -> None:
    """What may not be seen is not joined; a look that failed is taken again."""
    if not isinstance(error, Refused):
        raise error
    repeated.warn_unseen(item, error.message)
