"""Was it made after all? Finding our mark after an answer was lost (reference 5.2).

Classic lists drop a filter they don't know and then return everything, so a row counts only when it
carries the mark to the letter.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.bitrix24.asking import Story, outcomes_of, rows
from connectors.bitrix24.batch import Command, Outcome, Reply
from connectors.bitrix24.parcel import ORIGINATOR
from connectors.bitrix24.work import Work
from connectors.errors import ConnectorError, Refused

log = logging.getLogger(__name__)
SELECT = {
    "deal": ("CONTACT_ID", "COMPANY_ID"),
    "lead": ("CONTACT_ID", "COMPANY_ID"),
    "contact": ("COMPANY_ID",),
    "company": (),
}
Row = Mapping[str, Any]


def recover(work: Work) -> Story[None]:
    """Adopt what carries the draft's mark. A rule may have changed between lead and deal meanwhile."""
    people = [card.word for card in work.parcel.cards[1:] if not work.journal.get(card.word)]
    words = ["deal", "lead", *people]
    found: dict[str, Row] = {}
    outcomes = yield from outcomes_of([search(word, work.uid) for word in words])
    for word, outcome in zip(words, outcomes, strict=True):
        if isinstance(outcome, ConnectorError) and not _may_be_closed(word, outcome, work):
            raise outcome
        found |= _carriers(work, word, outcome)
    _adopt(work, found)


def search(word: str, uid: str) -> Command:
    params = {
        "filter": {"=ORIGINATOR_ID": ORIGINATOR, "=ORIGIN_ID": uid},
        "select": ["ID", "ORIGINATOR_ID", "ORIGIN_ID", *SELECT[word]],
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Command(f"crm.{word}.list", params, why=f"was the {word} made already?")


def carriers(found: Iterable[Row], uid: str) -> list[Row]:
    """The rows that carry the mark, the oldest first."""
    ours = [row for row in found if row.get("ORIGIN_ID") == uid and row.get("ORIGINATOR_ID") == ORIGINATOR]
    return sorted(ours, key=lambda row: int(str(row.get("ID"))))


def _may_be_closed(word: str, error: ConnectorError, work: Work) -> bool:
    """Leads may be closed to somebody who makes deals, and deals to somebody who makes leads."""
    return isinstance(error, Refused) and word in ("deal", "lead") and word != work.parcel.record.word


def _carriers(work: Work, word: str, outcome: Outcome) -> dict[str, Row]:
    ours = carriers(rows(outcome), work.uid) if isinstance(outcome, Reply) else []
    if len(ours) > 1:
        log.warning("bitrix24: delivery=%s has %d %s records", work.uid, len(ours), word)
        work.warn("doubled", f"Several records of type {word} carry this answer's mark; the oldest counts.")
    return {word: ours[0]} if ours else {}


def _adopt(work: Work, found: Mapping[str, Row]) -> None:
    for word in ("contact", "company"):
        if word in found:
            work.journal[word] = str(found[word]["ID"])
    kind = next((word for word in (work.kind, "deal", "lead") if word in found), "")
    if not kind:
        return
    row = found[kind]
    work.journal |= {"lead": str(row["ID"]), "kind": kind}
    for word, name in (("contact", "CONTACT_ID"), ("company", "COMPANY_ID")):
        if _is_id(row.get(name)):
            work.journal.setdefault(word, str(row[name]))
    work.adopted = True


def _is_id(value: Any) -> bool:
    return str(value or "").isdigit() and int(str(value)) > 0
