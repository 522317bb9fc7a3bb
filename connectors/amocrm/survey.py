"""A walk over the newest leads, page by page (reference 5.1): needs neither an index nor the paid filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.amocrm.lists import embedded
from connectors.amocrm.recovery import PAGE, SKEW, Row, created_at, external_id
from connectors.http import HttpClient
from connectors.survey import Surveyed, SurveyPage, marks_in
from connectors.text import text_of

MOST_PAGES = 400


def survey(http_client: HttpClient, mark_field: int, since: datetime, place: Mapping[str, Any]) -> SurveyPage:
    """A page of the leads made since then, the newest first. Leads that come in meanwhile push others to
    later pages, where they are met again. Raises like any call."""
    number = int(place.get("page", 1))
    params = {"order[created_at]": "desc", "limit": PAGE, "page": number}
    leads = embedded(http_client.call("GET", "/api/v4/leads", params=params), "leads")
    rows = tuple(_surveyed(lead, mark_field) for lead in leads)
    ages = [created_at(lead) for lead in leads]
    ordered = bool(place.get("ordered", True)) and ages == sorted(ages, reverse=True)
    if not leads:  # behind a full page it may only be too deep to be shown
        return SurveyPage(rows, complete=not place.get("full"))
    if ordered and ages[-1] < since.timestamp() - SKEW:
        return SurveyPage(rows, complete=True)
    if number >= MOST_PAGES:
        return SurveyPage(rows)
    return SurveyPage(rows, {"page": number + 1, "ordered": ordered, "full": len(leads) == PAGE})


def _surveyed(lead: Row, mark_field: int) -> Surveyed:
    """The external id stands in its own field, or in the name where there was no field."""
    own = external_id(lead, mark_field)
    uids = (own,) if own else marks_in(text_of(lead.get("name")))
    return Surveyed("lead", text_of(lead.get("id")), uids, text_of(lead.get("pipeline_id")))
