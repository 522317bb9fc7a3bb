"""The local CRMs' own books: which leads carry which of our external ids, and what else bears them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from config.demo.environment import Environment
from config.demo.http import look_into

Lead = Mapping[str, Any]
UID = r"\bqz[a-z2-7]{16}"
MARK = re.compile(rf"{UID}\b")
# The last line of a note or task: an external id, and what tells this text from the others of its answer.
ENDING = re.compile(rf"({UID})([\w/-]*)\]?\s*$")
WHERE = ("name", "origin", "fields")
# What the first note on a lead that was joined has behind its external id. Envybox's lead has its own text
# among its notes, with the bare id.
JOINING: Mapping[str, str] = {"amocrm": "", "bitrix24": "", "envybox": "j1c1"}


@dataclass(frozen=True)
class Ledger:
    """One local CRM's. By external id: the ``leads`` that carry it, those that were ``joined`` (one of their
    notes has it, and they carry another), and how many ``tasks`` have it. ``notes``: by the ends of their
    last lines."""

    leads: Mapping[str, list[Lead]] = field(default_factory=dict)
    joined: Mapping[str, list[Lead]] = field(default_factory=dict)
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)

    def found(self, uid: str) -> list[Lead]:
        """Wherever the answer is."""
        return [*self.leads.get(uid, ()), *self.joined.get(uid, ())]


def read_ledger(environment: Environment, crm: str) -> Ledger:
    return ledger_of(crm, look_into(environment.control_url, crm, "ledger"))


def ledger_of(crm: str, rows: Iterable[Lead]) -> Ledger:
    """``rows`` as the local CRM tells them."""
    leads: dict[str, list[Lead]] = defaultdict(list)
    joined: dict[str, list[Lead]] = defaultdict(list)
    places: dict[object, list[Lead]] = defaultdict(list)
    for row in rows:
        places[_place(row)].append(row)
        for mark in marks_of(row):
            leads[mark].append(row)
    ledger = Ledger(leads, joined)
    for there in places.values() if crm in JOINING else ():
        own = {mark for row in there for mark in marks_of(row)}
        notes = _said(there, "notes")
        for uid, rest in notes:
            if rest == JOINING[crm] and uid not in own:
                joined[uid].append(there[0])
        ledger.notes.update({end: many for end, many in notes.items() if end[1] or not JOINING[crm]})
        ledger.tasks.update(uid for uid, _ in _said(there, "tasks").elements())
    return ledger


def marks_of(lead: Lead) -> set[str]:
    """Of the lead itself, which may stand in its own text alone: its first note, as later ones may be of
    others."""
    if own := set(MARK.findall("\n".join(str(lead.get(key)) for key in WHERE))):
        return own
    return set(MARK.findall("\n".join(list(lead.get("notes") or ())[:1])))


def _place(lead: Lead) -> object:
    """Leads that were united share a deal: what is said there is in the rows of each."""
    kind, number = ("deal", lead["deal_id"]) if lead.get("deal_id") else (lead.get("kind"), lead["id"])
    return lead.get("account_id"), kind, number


def _said(rows: Iterable[Lead], what: str) -> Counter[tuple[str, str]]:
    """How often each text of ours is in one place, by its ending."""
    return reduce(or_, (Counter(_endings(row.get(what) or ())) for row in rows), Counter())


def _endings(texts: Iterable[Any]) -> Iterable[tuple[str, str]]:
    said = (str(text["text"] if isinstance(text, Mapping) else text) for text in texts)
    return [(found[1], found[2]) for text in said if (found := ENDING.search(text))]
