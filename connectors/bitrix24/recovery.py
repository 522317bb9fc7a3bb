"""Was it made after all? Finding our external id after an answer was lost (reference 5.2).

Classic lists drop a filter they don't know and then return everything, so a row counts only when it carries
the external id to the letter; and a full page without it proves nothing.

apidocs.bitrix24.com: api-reference/crm/deals/crm-deal-list, settings/performance/limits
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.bitrix24.client import (
    LONGEST_REST,
    PAGE,
    Command,
    Portal,
    Reply,
    Row,
    Story,
    outcomes_of,
    reply_to,
    rows,
)
from connectors.bitrix24.records import ORIGINATOR
from connectors.bitrix24.requests import BitrixItem
from connectors.errors import NO_RIGHTS, ConnectorError, Refused, TryLater
from connectors.messages import message
from connectors.survey import SHARE, Surveyed, SurveyPage
from connectors.text import is_id, moment, text_of

log = logging.getLogger(__name__)
SELECT = {
    "deal": ("CONTACT_ID", "COMPANY_ID"),
    "lead": ("CONTACT_ID", "COMPANY_ID"),
    "contact": ("COMPANY_ID",),
    "company": (),
}
MOST_PAGES = 20  # of comments
CLOCKS_APART = timedelta(days=1)  # a portal's clock and the quiz's, zones that nobody told included


def recover(item: BitrixItem) -> Story[None]:
    """Adopt what carries the draft's external id. A rule may have changed between lead and deal meanwhile."""
    people = [record.word for record in item.payload.records[1:] if not item.journal.get(record.word)]
    words = ["deal", "lead", *people]
    found: dict[str, Row] = {}
    outcomes = yield from outcomes_of([search(word, item.uid) for word in words])
    for word, outcome in zip(words, outcomes, strict=True):
        if isinstance(outcome, Reply):
            found |= _carrier(item, word, outcome)
        elif not (isinstance(outcome, Refused) and word in ("deal", "lead") and word != item.kind):
            raise outcome  # leads may be closed to somebody who makes deals, and the other way round
    _adopt(item, found)


def search(word: str, uid: str, select: Sequence[str] = ()) -> Command:
    """The records of a type with this external id, the oldest first."""
    params = {
        "filter": {"=ORIGINATOR_ID": ORIGINATOR, "=ORIGIN_ID": uid},
        "select": list(select) or ["ID", "ORIGINATOR_ID", "ORIGIN_ID", *SELECT[word]],
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Command(f"crm.{word}.list", params, why=message("was the {word} made already?", word=word))


def carriers(reply: Reply, uid: str) -> list[Row]:
    """The rows that carry the external id, the oldest first. Raises ``TryLater`` where the list was cut off
    before it could prove that there are none."""
    found = rows(reply)
    ours = carrying(found, uid)
    if not ours and len(found) >= PAGE:
        raise incomplete()
    return ours


def carrying(found: Iterable[Row], uid: str) -> list[Row]:
    ours = [row for row in found if row.get("ORIGIN_ID") == uid and row.get("ORIGINATOR_ID") == ORIGINATOR]
    return sorted(ours, key=lambda row: int(str(row.get("ID"))))


def incomplete() -> TryLater:
    """A look that saw only a part of what there is."""
    return TryLater(message("Bitrix24 showed only a part of what was asked for"), code="look_incomplete")


def _carrier(item: BitrixItem, word: str, reply: Reply) -> dict[str, Row]:
    ours = carriers(reply, item.uid)
    if len(ours) > 1:
        log.warning("bitrix24: delivery=%s has %d %s records", item.uid, len(ours), word)
        item.warn(
            "doubled",
            message("Several records of type {word} carry this answer's mark; the oldest counts.", word=word),
        )
    return {word: ours[0]} if ours else {}


def _adopt(item: BitrixItem, found: Mapping[str, Row]) -> None:
    item.journal |= {word: text_of(found[word].get("ID")) for word in ("contact", "company") if word in found}
    kind = next((word for word in (item.kind, "deal", "lead") if word in found), "")
    if not kind:
        return
    row = found[kind]
    item.journal |= {"lead": text_of(row.get("ID")), "kind": kind}
    for word in ("contact", "company"):
        linked = text_of(row.get(f"{word.upper()}_ID"))
        if is_id(linked):  # nobody is 0 (reference 2.2)
            item.journal.setdefault(word, linked)
    item.adopted = True


def recognise(item: BitrixItem, marks: Mapping[str, str]) -> Story[None]:
    """Note which comments the timeline has: ours end with one of the ``marks``, each with its step.

    Comments are read from the newest back to the time of the answer. Raises ``TryLater`` where that takes too
    many pages.
    """
    asked = {"filter": {"ENTITY_ID": item.lead, "ENTITY_TYPE": item.kind}, "order": {"ID": "DESC"}}
    for page in range(MOST_PAGES):
        params = {**asked, "start": page * PAGE}
        command = Command(
            "crm.timeline.comment.list", params, why=message("which of the comments are there?")
        )
        try:
            found = rows((yield from reply_to(command)))
        except Refused:  # the record is gone since; adding says so
            return
        for row in found:
            for mark, step in marks.items():
                if text_of(row.get("COMMENT")).rstrip().endswith(mark):
                    item.journal[step] = text_of(row.get("ID"))
        oldest = moment(found[-1].get("CREATED")) if found else None
        if len(found) < PAGE or (oldest and oldest < item.draft.visit.answered_at - CLOCKS_APART):
            return
    raise incomplete()


# -- all of them: a walk by their ids, many pages in a request ----------------------------------------------
# The pages of one request are by offset behind an id, so none goes deep; what is deleted meanwhile moves the
# later ones, and a record that is missed so is asked for by itself.

WIDTH = 20  # pages of each kind in a request, once one page was not enough
PLACED = {"deal": ("CATEGORY_ID", "LEAD_ID"), "lead": ()}


def survey(portal: Portal, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
    """``place`` is ``{"above": {kind of record: the last id that was seen}, "whole": bool}``; a kind that is
    done with is not in it. Raises like any call; leads may be closed to somebody who makes deals."""
    above: dict[str, str] = dict(place.get("above", {"deal": "0", "lead": "0"}))
    width, whole = (WIDTH, bool(place["whole"])) if place else (1, True)
    asked = [(word, n * PAGE) for word in above for n in range(width)]
    commands = [_page(word, since, above[word], start) for word, start in asked]
    outcomes = portal.send(commands)
    found: list[Surveyed] = []
    for (word, _), outcome in zip(asked, outcomes, strict=True):
        if word not in above:
            continue  # an earlier page was the last one
        if isinstance(outcome, ConnectorError):
            if outcome.code != NO_RIGHTS:
                raise outcome
            whole = False
            del above[word]
            continue
        page = rows(outcome)
        found += [_surveyed(word, row) for row in page]
        if len(page) < PAGE:
            del above[word]
        else:
            above[word] = max(above[word], text_of(page[-1].get("ID")), key=_number)
    seconds = sum(portal.budget.takes(command.method) for command in commands)
    limit = portal.budget.limit
    pause = seconds * LONGEST_REST / (limit * SHARE) if limit else 0.0
    go_on = {"above": above, "whole": whole} if above else None
    return SurveyPage(tuple(found), go_on, complete=whole and not above, pause=pause)


def _page(word: str, since: datetime, above: str, start: int) -> Command:
    params = {
        "filter": {
            "=ORIGINATOR_ID": ORIGINATOR,
            ">=DATE_CREATE": (since - CLOCKS_APART).isoformat(timespec="seconds"),
            ">ID": above,
        },
        "select": ["ID", "ORIGINATOR_ID", "ORIGIN_ID", *PLACED[word]],
        "order": {"ID": "ASC"},
        "start": start,
    }
    return Command(f"crm.{word}.list", params, why=message("which {word}s are there?", word=word))


def _surveyed(word: str, row: Row) -> Surveyed:
    uid = text_of(row.get("ORIGIN_ID")) if row.get("ORIGINATOR_ID") == ORIGINATOR else ""
    lead = text_of(row.get("LEAD_ID"))
    return Surveyed(
        word,
        text_of(row.get("ID")),
        (uid,) if uid else (),
        pipeline=text_of(row.get("CATEGORY_ID")),
        made_of=lead if is_id(lead) else "",
    )


def _number(remote_id: str) -> int:
    return int(remote_id) if is_id(remote_id) else 0
