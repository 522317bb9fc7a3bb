"""Is this person in the portal already? (reference 5.1)

A look-up names ids, also of records that were deleted or that we may not open: an id counts only once the
record was read. Twenty hits of one type would hide the others, so types are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import zip_longest

from connectors.bitrix24.asking import Story, replies_to, rows
from connectors.bitrix24.batch import Command, Reply
from connectors.bitrix24.work import Work
from connectors.contact import spellings
from connectors.draft import Person, UnplacedValue

MOST_VALUES = 20
KEPT = "the {} was in Bitrix24 already and is left as it is"
FOUND = {"contact": "found", "company": "found_company"}


def meet(work: Work) -> Story[None]:
    """Find the draft's contact and company; who isn't found is made later."""
    wanted = [word for word in FOUND if _card(work, word)]
    known = {word: [work.journal.get(word) or _remembered(work, word)] for word in wanted}
    known = {word: ids for word, ids in known.items() if ids[0].isdigit()}
    missing = [word for word in wanted if word not in known]
    asked = [search for word in missing for search in searches(work.draft.person, word)]
    replies = yield from replies_to([*(read(word, ids) for word, ids in known.items()), *asked])
    alive = _alive(list(known), known, replies)
    hits = hits_of(asked, replies[len(known) :])
    lost = [word for word in known if word not in alive]
    for word in lost:
        _forget(work, word)
    asked = [search for word in lost for search in searches(work.draft.person, word)]
    if asked:
        hits |= hits_of(asked, (yield from replies_to(asked)))
    if hits:
        alive |= _alive(list(hits), hits, (yield from replies_to([read(w, ids) for w, ids in hits.items()])))
    for word, remote_id in alive.items():
        _attach(work, word, remote_id)


def searches(person: Person, word: str) -> list[Command]:
    """Phones first, then e-mails. Some portals compare as typed, so each phone goes in all its spellings."""
    by_phone = zip_longest(*map(spellings, person.phones))  # the E.164 of each comes before the rest is cut
    phones = [text for row in by_phone for text in row if text]
    return [
        Command(
            "crm.duplicate.findbycomm",
            {"type": kind, "values": list(values[:MOST_VALUES]), "entity_type": word.upper()},
            why=f"is there a {word} with this {kind.lower()} already?",
        )
        for kind, values in (("PHONE", phones), ("EMAIL", person.emails))
        if values
    ]


def read(word: str, ids: Sequence[str]) -> Command:
    params = {"filter": {"ID": list(ids)}, "select": ["ID"], "start": -1}
    return Command(f"crm.{word}.list", params, why=f"is the {word} still there?")


def hits_of(asked: Sequence[Command], replies: Sequence[Reply]) -> dict[str, list[str]]:
    """``{word: ids}``; e-mails count only where phones found nobody."""
    hits: dict[str, list[str]] = {}
    for command, reply in zip(asked, replies, strict=True):
        kind = str(command.params["entity_type"])
        ids = reply.value.get(kind) if isinstance(reply.value, dict) else None
        if ids and kind.lower() not in hits:
            hits[kind.lower()] = [str(one) for one in ids]
    return hits


def _alive(words: Sequence[str], ids: dict[str, list[str]], replies: Sequence[Reply]) -> dict[str, str]:
    """The lowest id of each type that could be read: several hits must lead to the same record each time."""
    found = {}
    for word, reply in zip(words, replies, strict=False):
        readable = _readable(reply, ids[word])
        if readable:
            found[word] = str(min(readable))
    return found


def _readable(reply: Reply, ids: Collection[str]) -> list[int]:
    return [int(str(row["ID"])) for row in rows(reply) if str(row.get("ID")) in ids]


def _card(work: Work, word: str) -> bool:
    return bool(work.parcel.contact if word == "contact" else work.parcel.company)


def _remembered(work: Work, word: str) -> str:
    return work.draft.known_contact if word == "contact" else ""


def _forget(work: Work, word: str) -> None:
    """Deleted, or merged into another since."""
    for step in (word, FOUND[word]):
        work.journal.pop(step, None)


def _attach(work: Work, word: str, remote_id: str) -> None:
    """Use a record that is there; one that an earlier try of ours made keeps what we gave it."""
    if work.journal.get(word) != remote_id:
        work.journal |= {word: remote_id, FOUND[word]: remote_id}
    card = work.parcel.contact if word == "contact" else work.parcel.company
    if card and work.journal.get(FOUND[word]) == remote_id:
        reason = KEPT.format(word)
        work.lose(UnplacedValue(p.question, p.text, reason, card.entity, p.field_id) for p in card.pieces)
        work.lose(UnplacedValue("im", one["VALUE"], reason, card.entity) for one in card.head.get("IM", ()))
