"""A walk over the deals and leads that carry our external ids, by their ids, many pages in a request.

The pages of one request are by offset behind an id, so none goes deep; what is deleted meanwhile moves the
later ones, and a record that is missed so is asked for by itself. Classic lists drop a filter that they don't
know (reference 5.2): a row counts only by what it says itself.

apidocs.bitrix24.com: api-reference/crm/deals/crm-deal-list, settings/performance/limits
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.bitrix24.client import LONGEST_REST, PAGE, Command, OperatingBudget, Row, rows, send
from connectors.bitrix24.following import DEAL, LEAD
from connectors.bitrix24.records import ORIGINATOR
from connectors.bitrix24.recovery import CLOCKS_APART
from connectors.errors import NO_RIGHTS, ConnectorError
from connectors.http import HttpClient
from connectors.messages import message
from connectors.survey import SHARE, Surveyed, SurveyPage
from connectors.text import is_id, text_of

WIDTH = 20  # pages of each kind in a request, once one page was not enough
SELECT = {DEAL: ("CATEGORY_ID", "LEAD_ID"), LEAD: ()}


def survey(
    http_client: HttpClient, budget: OperatingBudget, since: datetime, place: Mapping[str, Any]
) -> SurveyPage:
    """``place`` is ``{"above": {kind of record: the last id that was seen}, "whole": bool}``; a kind that is
    done with is not in it. Raises like any call; leads may be closed to somebody who makes deals."""
    above: dict[str, str] = dict(place.get("above", {DEAL: "0", LEAD: "0"}))
    width, whole = (WIDTH, bool(place["whole"])) if place else (1, True)
    asked = [(word, n * PAGE) for word in above for n in range(width)]
    commands = [_page(word, since, above[word], start) for word, start in asked]
    outcomes = send(http_client, commands, budget)
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
    seconds = sum(budget.takes(command.method) for command in commands)
    pause = seconds * LONGEST_REST / (budget.limit * SHARE) if budget.limit else 0.0
    go_on = {"above": above, "whole": whole} if above else None
    return SurveyPage(tuple(found), go_on, complete=whole and not above, pause=pause)


def _page(word: str, since: datetime, above: str, start: int) -> Command:
    params = {
        "filter": {
            "=ORIGINATOR_ID": ORIGINATOR,
            ">=DATE_CREATE": (since - CLOCKS_APART).isoformat(timespec="seconds"),
            ">ID": above,
        },
        "select": ["ID", "ORIGINATOR_ID", "ORIGIN_ID", *SELECT[word]],
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
