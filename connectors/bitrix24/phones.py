"""How a portal compares phones in ``crm.duplicate.findbycomm`` (reference 5.1, 11): nobody documents it.

A portal may compare them as typed, by their digits, or take Russia's 8 for 7 as well. Until it has shown it,
each phone is asked for in all its usual spellings, of which 20 fit in a command. It shows it with a contact
that it finds by another spelling than the only one it has: one that was there when it was connected or its
lists were read (``PORTAL`` of the account's facts), or one that a delivery has just made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from connectors.bitrix24.client import Command, Outcome, Portal, Reply, rows
from connectors.contact import phones_in, spellings
from connectors.draft import Person
from connectors.messages import message

FIND = "crm.duplicate.findbycomm"
FACT = "phones"  # of ``Remote.facts``: a list of these
DIGITS, EIGHT = "digits", "eight"
CONTACTS = 3  # whom a portal is asked for; the duplicates of one may hide it


class PhoneMatching:
    """What is known of one portal. ``tries_left``: how many more contacts it may be asked for."""

    def __init__(self, known: Iterable[str] = (), tries: int = CONTACTS) -> None:
        self.known = frozenset(known)
        self.tries_left = tries

    def values(self, person: Person) -> list[str]:
        """The person's phones as the portal may have them, the E.164 of each first."""
        by_phone = zip_longest(*map(spellings, person.phones))
        texts = [text for row in by_phone for text in row if text]
        unlike: dict[str, str] = {}
        for text in texts:
            unlike.setdefault(self._key(text), text)
        return list(unlike.values())

    def _key(self, text: str) -> str:
        if DIGITS not in self.known:
            return text
        digits = digits_of(text)
        return _seven(digits) if EIGHT in self.known else digits

    def proofs(self, stored: str) -> dict[str, Command]:
        """Ask for the contact whose only phone is this text by other spellings, by what each would prove."""
        if not self.tries_left or self.known >= {DIGITS, EIGHT}:
            return {}
        self.tries_left -= 1
        return {what: command for what, command in proofs(stored).items() if what not in self.known}

    def learn(self, contact: str, replies: Mapping[str, Outcome]) -> None:
        """What the answers to ``proofs`` show."""
        self.known |= {what for what, reply in replies.items() if _names(reply, contact)}


def proofs(stored: str) -> dict[str, Command]:
    """Look-ups by spellings of the phone in ``stored`` that only a portal finds that compares in this way."""
    digits = digits_of(stored)
    found: dict[str, Command] = {}
    for phone in phones_in(stored, "RU"):
        for text in spellings(phone):
            other = digits_of(text)
            if text != stored and other == digits:
                found[DIGITS] = _look_up(text)
            elif other != digits and _seven(other) == _seven(digits):
                found.setdefault(EIGHT, _look_up(text))
    return found


def ask_how(portal: Portal) -> dict[str, list[str]]:
    """The fact to keep of a portal, by contacts that are there; empty where none of them can tell."""
    params = {"filter": {"HAS_PHONE": "Y"}, "order": {"ID": "DESC"}, "select": ["ID", "PHONE"], "start": -1}
    (reply,) = portal.send([Command("crm.contact.list", params)])
    if not isinstance(reply, Reply):
        return {}
    asked = [(contact, proofs(text)) for contact, text in _with_one_phone(rows(reply))]
    told = [(contact, found) for contact, found in asked if EIGHT in found][:CONTACTS]
    told = told or [(contact, found) for contact, found in asked if found][:CONTACTS]
    commands = [command for _, found in told for command in found.values()]
    outcomes = iter(portal.send(commands) if commands else [])
    matching = PhoneMatching()
    for contact, found in told:
        matching.learn(contact, {what: next(outcomes) for what in found})
    return {FACT: sorted(matching.known)} if told else {}


def _with_one_phone(contacts: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for row in contacts:
        entries = row.get("PHONE")
        if isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], Mapping):
            yield str(row.get("ID")), str(entries[0].get("VALUE") or "")


def _look_up(text: str) -> Command:
    params = {"type": "PHONE", "values": [text], "entity_type": "CONTACT"}
    return Command(FIND, params, why=message("are phones compared by their digits?"))


def _names(reply: Outcome, contact: str) -> bool:
    value = reply.value if isinstance(reply, Reply) else None
    ids = value.get("CONTACT") if isinstance(value, dict) else None
    return contact in map(str, ids if isinstance(ids, list) else ())


def _seven(digits: str) -> str:
    return f"7{digits[1:]}" if len(digits) == 11 and digits.startswith("8") else digits


def digits_of(text: str) -> str:
    return "".join(filter(str.isdigit, text))


_SEEN: dict[str, PhoneMatching] = {}


def matching_at(portal: str, facts: Mapping[str, Any]) -> PhoneMatching:
    """By the account's facts, else by what this process has seen of the portal."""
    known = facts.get(FACT)
    if isinstance(known, list):
        return PhoneMatching(known, tries=0)
    return _SEEN.setdefault(portal, PhoneMatching())
