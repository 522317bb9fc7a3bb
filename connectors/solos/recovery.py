"""Was the lead made after all? Reading leads back is UNCONFIRMED and done only where it is allowed (5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from connectors.errors import LOOK_INCOMPLETE, Refused, TryLater, Unclear
from connectors.messages import message
from connectors.solos.client import Client
from connectors.solos.records import Row, all_text, number, pattern_of, text_of
from connectors.survey import Surveyed, SurveyPage, marks_in
from connectors.text import moment

PAGE, PAGES = 50, 5
CLOCKS = timedelta(days=1)  # how far solOS's clock, of an unknown zone, may be from ours


def find(client: Client, uids: Iterable[str], since: datetime | None = None) -> dict[str, str]:
    """``{uid: lead id}`` of the external ids that the newest leads carry, "" for a lead without an id.

    ``since``: none of them was sent before. Raises like any call, and ``Unclear`` where one was not found
    and the look ended before that time: then it says nothing of what it did not see.
    """
    wanted = set(uids)
    found, complete = look(client, wanted, since)
    if not complete and wanted - found.keys():
        words = message("solOS shows its newest {what} leads, and the answer may be older", what=PAGE * PAGES)
        raise Unclear(words, code=LOOK_INCOMPLETE, look_again=False)
    return {uid: str(number(row.get("id")) or "") for uid, row in found.items()}


def find_all(client: Client, uids: Iterable[str]) -> dict[str, list[str]]:
    """``{uid: lead ids}`` among the newest leads. Raises like any call."""
    patterns = {uid: pattern_of(uid) for uid in uids}
    found: dict[str, list[str]] = {}
    for page in _newest(client):
        for row in page:
            lead = str(number(row.get("id")) or "")
            for uid in _carried(row, patterns):
                if lead not in found.setdefault(uid, []):
                    found[uid].append(lead)
    return found


def look(client: Client, uids: Iterable[str], since: datetime | None = None) -> tuple[dict[str, Row], bool]:
    """The leads' rows by external id, and whether all leads since then were seen. Raises like any call."""
    patterns = {uid: pattern_of(uid) for uid in uids}
    found: dict[str, Row] = {}
    for page in _newest(client):
        for row in page:
            found = dict.fromkeys(_carried(row, patterns), row) | found
        if not page or len(found) == len(patterns) or _reaches(client, page, since):
            return found, True
    return found, False


def survey(client: Client, since: datetime) -> SurveyPage:
    """The newest leads, complete where all since then were among them. Raises like any call."""
    found: list[Surveyed] = []
    for page in _newest(client):
        found += [Surveyed("lead", str(number(row.get("id")) or ""), marks_in(all_text(row))) for row in page]
        if not page or _reaches(client, page, since):
            return SurveyPage(tuple(found), complete=True)
    return SurveyPage(tuple(found))


def _newest(client: Client) -> Iterator[list[Row]]:
    """Pages of leads, the newest first, at most ``PAGES``; an empty one is the end.

    A short page is none: it may be as long as solOS makes them.
    """
    offset = 0
    for _ in range(PAGES):
        page = client.leads(PAGE, offset, "desc")
        yield page
        if not page:
            return
        offset += len(page)


def _carried(row: Row, patterns: Mapping[str, re.Pattern[str]]) -> list[str]:
    text = all_text(row)
    return [uid for uid, pattern in patterns.items() if pattern.search(text)]


def _reaches(client: Client, page: list[Row], since: datetime | None) -> bool:
    """Do the leads from here on stem from before that time? Only an order by age that is obeyed tells it."""
    hours = client.options.utc_offset_hours
    ages = [moment(text_of(row.get("created")), hours) for row in page]
    known = [at for at in ages if at]
    ordered = len(known) == len(page) and known == sorted(known, reverse=True)
    return since is not None and ordered and known[0] > known[-1] and known[-1] < since - CLOCKS


def readable(client: Client) -> bool:
    """Does this account let us read leads? A refusal is an answer."""
    try:
        client.leads(1)
    except Refused:
        return False
    except TryLater as error:
        if error.repeatable:
            raise
        return False
    return True
