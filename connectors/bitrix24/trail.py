"""From a delivered record to what it is by now: which lists are asked, and what their rows say (pure).

A deal is a deal. A lead that was converted is followed into its deal, which names it in ``LEAD_ID``; a portal
in simple mode may even take the lead away (reference 4.7). Classic lists drop a filter that they don't know
and return everything, so a row counts only by its own ids (5.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Command, Outcome
from connectors.bitrix24.recovery import carriers
from connectors.bitrix24.standings import DEAL, LEAD, SELECT, Row, is_converted
from connectors.errors import ConnectorError, Refused
from connectors.lead_status import Followed
from connectors.text import text_of

CHILDREN = "LEAD_ID"
Lists = Mapping[tuple[str, str], Sequence[Row] | ConnectorError]


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a lead is looked for: ``words`` are the kinds of record that its id may name."""

    lead: Followed
    words: tuple[str, ...]
    remote_id: str

    @classmethod
    def of(cls, lead: Followed) -> Trail:
        """What an earlier look found, else what the delivery made. An id named by hand has no kind."""
        if lead.record in SELECT and lead.record_id:
            return cls(lead, (lead.record,), lead.record_id)
        kind = lead.journal.get("kind", "")
        return cls(lead, (kind,) if kind in SELECT else (DEAL, LEAD), lead.remote_id)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A row that a trail led to, and how, where it wasn't straight."""

    word: str
    row: Row
    matched: str = ""


def lists_for(trails: Sequence[Trail]) -> dict[tuple[str, str], list[str]]:
    """Which ids are asked for, by (kind of record, field)."""
    deals, leads = (
        list(dict.fromkeys(trail.remote_id for trail in trails if word in trail.words))
        for word in (DEAL, LEAD)
    )
    asked = {(DEAL, "ID"): deals, (LEAD, "ID"): leads, (DEAL, CHILDREN): leads}
    return {key: ids for key, ids in asked.items() if ids}


def listing(word: str, field: str, ids: Sequence[str], above: str = "") -> Command:
    """At most a page of 50, the oldest first; ``above`` is the last id of the page before."""
    more = {">ID": above} if above else {}
    params = {
        "filter": {f"@{field}": list(ids), **more},
        "select": list(SELECT[word]),
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Command(f"crm.{word}.list", params, why=f"what became of the {word}s?")


def sighting(trail: Trail, lists: Lists) -> Sighting | ConnectorError | None:
    """What the trail leads to; None where the lists that were answered don't have it.

    Where its id may name a deal or a lead, our mark tells which; without one, no list may be unread.
    """
    found = [_look(trail, word, lists) for word in trail.words]
    seen = [one for one in found if isinstance(one, Sighting)]
    marked = [one for one in seen if carriers([one.row], trail.lead.uid)]
    errors = [one for one in found if isinstance(one, ConnectorError)]
    pressing = [error for error in errors if not isinstance(error, Refused)]
    ranked: list[Sighting | ConnectorError] = [*marked, *pressing, *seen, *errors]
    return ranked[0] if ranked else None


def _look(trail: Trail, word: str, lists: Lists) -> Sighting | ConnectorError | None:
    own = _having(lists[word, "ID"], "ID", trail.remote_id)
    if isinstance(own, ConnectorError):
        return own
    if word == LEAD and (own is None or is_converted(own)):
        deal = _having(lists[DEAL, CHILDREN], CHILDREN, trail.remote_id)
        if isinstance(deal, ConnectorError):
            return deal
        if deal is not None:
            return Sighting(DEAL, deal, f"the deal made of lead {trail.remote_id}")
    return None if own is None else Sighting(word, own)


def _having(found: Sequence[Row] | ConnectorError, field: str, remote_id: str) -> Row | ConnectorError | None:
    """The oldest such row: a lead may have been converted more than once."""
    if isinstance(found, ConnectorError):
        return found
    for row in found:
        if text_of(row.get(field)) == remote_id:
            return row
    return None


def rows_of(outcome: Outcome) -> Sequence[Row] | ConnectorError:
    return outcome if isinstance(outcome, ConnectorError) else rows(outcome)
