"""Cards by their ids: many in one request where the account filters, else one by one (reference 5.2).

amocrm.ru/developers/content/crm_platform/filters-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.amocrm.errors import NO_RIGHTS, NO_SCOPE, address_gone
from connectors.amocrm.people import embedded
from connectors.draft import Placement
from connectors.errors import ConnectorError
from connectors.http import HttpClient

Card = Mapping[str, Any]
Found = Card | ConnectorError | None


def cards(http_client: HttpClient, kind: str, ids: Sequence[str], parts: str = "") -> dict[str, Found]:
    """The ``kind`` (leads, contacts) of each id with its ``parts``; None for one that is not there.

    An error stands where its card would, and an account-wide one spares the rest the asking. A filter that
    an account has not paid for is ignored without a word, so a list proves only what it shows: what it lacks
    is asked for alone before it counts as missing.
    """
    params = {"with": parts} if parts else {}
    try:
        found: dict[str, Found] = {**listed(http_client, kind, ids, params)} if len(ids) > 1 else {}
    except ConnectorError as error:
        if (refusal := _of_all(error)) is not None:
            return dict.fromkeys(ids, refusal)
        found = {}
    for remote_id in ids:
        if remote_id not in found:
            found[remote_id] = _stopped(found) or _one(http_client, kind, remote_id, params)
    return found


def listed(
    http_client: HttpClient, kind: str, ids: Sequence[str], params: Mapping[str, Any]
) -> dict[str, Card]:
    """Those of one request's page. No longer than what was asked for: it may be a page of strangers."""
    asked = {**params, "filter[id][]": list(ids), "limit": len(ids)}
    rows = embedded(http_client.call("GET", f"/api/v4/{kind}", params=asked), kind)
    return {str(row.get("id")): row for row in rows if str(row.get("id")) in ids}


def place_of(card: Card) -> Placement:
    """Where a lead is, and who looks after it."""
    performer, pipeline, step = (
        str(card.get(key) or "") for key in ("responsible_user_id", "pipeline_id", "status_id")
    )
    return Placement(performer, pipeline, step)


def _of_all(error: ConnectorError) -> ConnectorError | None:
    """What a refused list means for each of its cards; None where it may only have been too clever."""
    if error.code == "http_404":
        return address_gone(error)
    return error if error.account_wide or error.code in (NO_RIGHTS, NO_SCOPE) else None


def _one(http_client: HttpClient, kind: str, remote_id: str, params: Mapping[str, Any]) -> Found:
    """An id that is not there gives an empty answer or 404 (reference 3.1)."""
    try:
        card = http_client.call("GET", f"/api/v4/{kind}/{remote_id}", params=params)
    except ConnectorError as error:
        return None if error.code == "http_404" else error
    return card if isinstance(card, dict) and str(card.get("id")) == remote_id else None


def _stopped(found: Mapping[str, Found]) -> ConnectorError | None:
    wide = (one for one in found.values() if isinstance(one, ConnectorError) and one.account_wide)
    return next(wide, None)
