"""Is this person in the portal already? (reference 5.1)

A look-up names ids, also of records that were deleted or that we may not open: an id counts only once the
record was read. Look-ups of several drafts are joined (``requests.py``): an answer without hits clears all of
them, and a hit is told apart by the phones and e-mails of the records that are read. Who can't be told apart
is asked for alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.bitrix24.client import Command, Reply, Row, Story, replies_to, rows
from connectors.bitrix24.phones import FIND, digits_of
from connectors.bitrix24.requests import FOUND, MOST_VALUES, BitrixItem
from connectors.contact import email_key, is_phone
from connectors.delivery import FOUND_BY
from connectors.draft import Person, UnplacedValue
from connectors.messages import message

TELLING = 7  # last digits that two spellings of one number have in common
REACH = ("PHONE", "EMAIL")  # what somebody is known by
KEPT = {
    "contact": message("the contact was in Bitrix24 already and is left as it is"),
    "company": message("the company was in Bitrix24 already and is left as it is"),
}


def find_people(item: BitrixItem) -> Story[None]:
    """Find the draft's contact and company; who isn't found is made later."""
    wanted = [word for word in FOUND if item.payload.of(word)]
    remembered = {"contact": item.draft.known_contact}
    known = {word: item.journal.get(word) or remembered.get(word, "") for word in wanted}
    known = {word: remote_id for word, remote_id in known.items() if remote_id.isdigit()}
    replies = yield from replies_to([read(word, [remote_id]) for word, remote_id in known.items()])
    for (word, remote_id), reply in zip(known.items(), replies, strict=True):
        if _readable(reply, [remote_id]):
            if word == "contact" and not item.journal.get(word):
                item.journal[FOUND_BY] = "memory"
            _attach(item, word, remote_id)
        else:  # deleted, or merged into another since
            for step in (word, FOUND[word]):
                item.journal.pop(step, None)
            known[word] = ""
    found = yield from find(item, [word for word in wanted if not known.get(word)])
    for word, remote_id in found.items():
        _attach(item, word, remote_id)


def find(item: BitrixItem, words: Sequence[str], alone: bool = False) -> Story[dict[str, str]]:
    """``{word: id}`` of those that are there: by phone, else by e-mail; the lowest id of several.

    Several hits must lead to the same record each time. With ``alone`` no look-up is joined.
    """
    person = item.draft.person
    searches = {
        (word, kind): Command(
            FIND,
            {"type": kind, "values": list(values)[:MOST_VALUES], "entity_type": word.upper()},
            why=message("is there a {word} with this {kind} already?", word=word, kind=kind.lower()),
            joinable=not alone,
        )
        for word in words
        for kind, values in (("PHONE", item.phones.values(person)), ("EMAIL", person.emails))
        if values
    }
    replies = dict(zip(searches, (yield from replies_to(list(searches.values()))), strict=True))
    unclear = {word for (word, _), reply in replies.items() if reply.cut}
    hits = {key: ids for key, reply in replies.items() if (ids := _ids(reply, key[0])) and not reply.cut}
    asked = {word: [id_ for key, ids in hits.items() if key[0] == word for id_ in ids] for word, _ in hits}
    joined = {word for (word, _), reply in replies.items() if reply.joined}
    reads = [read(word, list(dict.fromkeys(ids)), reach=word in joined) for word, ids in asked.items()]
    there = dict(zip(asked, (yield from replies_to(reads)), strict=True))
    found: dict[str, str] = {}
    for (word, kind), ids in hits.items():
        records = _readable(there[word], ids)
        verdicts = {
            number: belongs(row, kind, person) if replies[word, kind].joined else True
            for number, row in records.items()
        }
        if None in verdicts.values():
            unclear.add(word)
        if own := [number for number, verdict in verdicts.items() if verdict]:
            if word == "contact" and word not in found:
                item.journal[FOUND_BY] = kind.lower()
            found.setdefault(word, str(min(own)))
    if unclear:
        found |= yield from find(item, [word for word in words if word in unclear], alone=True)
    return found


def read(word: str, ids: Sequence[str], reach: bool = False) -> Command:
    """The records that are still there, at most 50; with their phones and e-mails where ``reach``."""
    params = {"filter": {"ID": list(ids)}, "select": ["ID", *(REACH if reach else ())], "start": -1}
    return Command(
        f"crm.{word}.list", params, why=message("is the {word} still there?", word=word), joinable=True
    )


def belongs(row: Row, kind: str, person: Person) -> bool | None:
    """Is a record that was found for somebody of several this person's? None where that can't be told.

    A portal compares digits without an extension, and addresses in lower case; both are parts of the text.
    """
    entries = row.get(kind)
    texts = [str(one.get("VALUE") or "") for one in entries or () if isinstance(one, Mapping)]
    if not texts:
        return None
    if kind == "EMAIL":
        keys, parts = {email_key(email) for email in person.emails}, map(str.casefold, person.emails)
        sure = any(email_key(text) in keys - {""} for text in texts)
        maybe = any(part in text.casefold() for part in parts for text in texts)
    else:
        sure = any(is_phone(text, phone) for text in texts for phone in person.phones)
        tails = [digits_of(phone)[-TELLING:] for phone in person.phones]
        maybe = any(tail in digits_of(text) for tail in tails for text in texts)
    return True if sure else None if maybe else False


def _ids(reply: Reply, word: str) -> list[str]:
    found = reply.value.get(word.upper()) if isinstance(reply.value, dict) else None
    return [str(one) for one in found or ()]


def _readable(reply: Reply, ids: Sequence[str]) -> dict[int, Row]:
    """The rows by number, of these ids alone: a list that drops the filter returns others as well."""
    return {int(str(row["ID"])): row for row in rows(reply) if str(row.get("ID")) in ids}


def _attach(item: BitrixItem, word: str, remote_id: str) -> None:
    """Use a record that is there; one that an earlier try of ours made keeps what we gave it."""
    if item.journal.get(word) != remote_id:
        item.journal |= {word: remote_id, FOUND[word]: remote_id}
    record = item.payload.of(word)
    if record and item.journal.get(FOUND[word]) == remote_id and not item.writes_existing(word):
        reason, entity = KEPT[word], record.entity
        item.lose(*(entry.loss(entity, reason) for entry in record.entries))
        item.lose(*(UnplacedValue("im", one["VALUE"], reason, entity) for one in record.head.get("IM", ())))
