"""A walk over the leads of some days, whether they were taken into work or not (reference 5.4, rule 5).

The external id stands in the note. Where it was merged into another lead, that one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.envybox.client import Client, id_of
from connectors.envybox.recovery import Found, page_of_leads
from connectors.survey import Surveyed, SurveyPage, marks_in
from connectors.text import rows_in, texts_in


def survey(client: Client, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
    """Raises like any call."""
    answer = page_of_leads(client, int(place.get("offset", 0)), since=since)
    found = tuple(_surveyed(row) for row in rows_in(answer.get("result")))
    offset = int(id_of(answer.get("offset")) or 0)
    return SurveyPage(found, {"offset": offset} if offset else None, complete=not offset)


def _surveyed(row: Mapping[str, Any]) -> Surveyed:
    words = "\n".join(texts_in(row.get("values"))).lower()
    return Surveyed("lead", Found.of(dict(row)).lead, marks_in(words))
