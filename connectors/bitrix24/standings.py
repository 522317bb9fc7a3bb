"""A deal's or a lead's row read as how it stands (pure; reference 2.2, 3.3).

apidocs.bitrix24.com: api-reference/crm/deals/crm-deal-list, api-reference/crm/leads/crm-lead-list
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors import dates
from connectors.lead_status import LOST, OPEN, WON, LeadStatus
from connectors.text import text_of

DEAL, LEAD = "deal", "lead"
STAGE = {DEAL: "STAGE_ID", LEAD: "STATUS_ID"}
SEMANTICS = {DEAL: "STAGE_SEMANTIC_ID", LEAD: "STATUS_SEMANTIC_ID"}
CLOSED_AT = {DEAL: "CLOSEDATE", LEAD: "DATE_CLOSED"}
CONVERTED = "S"  # how a lead ends that became something else
MEANING = {
    DEAL: {"P": OPEN, "S": WON, "F": LOST},
    LEAD: {"P": OPEN, CONVERTED: OPEN, "F": LOST},  # whether it is won, its deal says
}
COMMON = (
    *("ID", "TITLE", "ASSIGNED_BY_ID", "OPPORTUNITY", "CURRENCY_ID", "CONTACT_ID", "DATE_MODIFY"),
    *("ORIGINATOR_ID", "ORIGIN_ID"),
)
PERSON = ("NAME", "LAST_NAME", "PHONE", "EMAIL")
SELECT = {
    DEAL: (*COMMON, "STAGE_ID", "STAGE_SEMANTIC_ID", "CATEGORY_ID", "CLOSEDATE", "LEAD_ID"),
    LEAD: (*COMMON, *PERSON, "STATUS_ID", "STATUS_SEMANTIC_ID", "DATE_CLOSED"),
}
Row = Mapping[str, Any]


def standing(
    word: str, row: Row, people: Mapping[str, Row], zone: tzinfo, base_url: str, matched: str = ""
) -> LeadStatus:
    """``people`` are contacts by id. Names of pipelines, steps and users are left to the mirrored lists."""
    remote_id = text_of(row.get("ID"))
    return LeadStatus(
        record=word,
        record_id=remote_id,
        status=MEANING[word].get(text_of(row.get(SEMANTICS[word])), ""),
        matched=matched,
        pipeline=text_of(row.get("CATEGORY_ID")) if word == DEAL else "",
        step=text_of(row.get(STAGE[word])),
        performer=text_of(row.get("ASSIGNED_BY_ID")),
        amount=amount(row.get("OPPORTUNITY")),
        currency=text_of(row.get("CURRENCY_ID")),
        contact=contact(word, row, people),
        link=link(base_url, word, remote_id),
        changed_at=moment(row, "DATE_MODIFY", zone),
        details=details(word, row, zone),
    )


def gone(word: str, remote_id: str, base_url: str) -> LeadStatus:
    """A record that is not there any more, nor another one that carries its mark."""
    return LeadStatus(record=word, record_id=remote_id, gone="deleted", link=link(base_url, word, remote_id))


def is_converted(lead: Row) -> bool:
    return text_of(lead.get(SEMANTICS[LEAD])) == CONVERTED


def link(base_url: str, word: str, remote_id: str) -> str:
    return f"{base_url}/crm/{word}/details/{remote_id}/"


def contact(word: str, row: Row, people: Mapping[str, Row]) -> dict[str, str]:
    """The primary contact; a lead can say itself who it is about."""
    remote_id = contact_id(row)
    if remote_id:
        return {"id": remote_id, **person(people.get(remote_id, {}))}
    return person(row) if word == LEAD else {}


def contact_id(row: Row) -> str:
    """Nobody is ``0`` (reference 2.2)."""
    remote_id = text_of(row.get("CONTACT_ID"))
    return remote_id if remote_id.isdigit() and int(remote_id) else ""


def person(row: Row) -> dict[str, str]:
    name = " ".join(filter(None, (text_of(row.get("NAME")), text_of(row.get("LAST_NAME")))))
    told = {"name": name, "phone": first(row, "PHONE"), "email": first(row, "EMAIL")}
    return {key: value for key, value in told.items() if value}


def first(row: Row, name: str) -> str:
    """The first of several; a list that is empty may have any shape (reference 4.2)."""
    entries = row.get(name)
    found = entries if isinstance(entries, list) else []
    values = (text_of(entry.get("VALUE")) for entry in found if isinstance(entry, dict))
    return next((value for value in values if value), "")


def details(word: str, row: Row, zone: tzinfo) -> dict[str, str]:
    """A deal that is open has a ``CLOSEDATE`` as well: the day by which it should be done."""
    closed = MEANING[word].get(text_of(row.get(SEMANTICS[word]))) in (WON, LOST)
    moment_closed = moment(row, CLOSED_AT[word], zone) if closed else None
    told = {
        "name": text_of(row.get("TITLE")),
        "closed_at": moment_closed.isoformat() if moment_closed else "",
        "lead": text_of(row.get("LEAD_ID")) if text_of(row.get("LEAD_ID")) != "0" else "",
        "converted": "no deal is known" if word == LEAD and is_converted(row) else "",
    }
    return {name: value for name, value in told.items() if value}


def amount(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None


def moment(row: Row, name: str, zone: tzinfo) -> datetime | None:
    value = text_of(row.get(name))
    return dates.moment([value], zone).value if value else None
