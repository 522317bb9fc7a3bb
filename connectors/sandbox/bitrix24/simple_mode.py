"""Simple CRM without leads: a lead with a name turns into a deal and a contact (reference 4.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24 import records
from connectors.sandbox.bitrix24.call import Auth, Call
from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.store import Record

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

ORIGIN = ("ORIGINATOR_ID", "ORIGIN_ID")
PASSED = ("TITLE", "ASSIGNED_BY_ID", "SOURCE_ID", "SOURCE_DESCRIPTION", "COMMENTS", "OPPORTUNITY",
          "CURRENCY_ID", "UTM_SOURCE", "UTM_MEDIUM", "UTM_CAMPAIGN", "UTM_CONTENT", "UTM_TERM")  # fmt: skip


def lead_added(box: BitrixSandbox, portal: Portal, lead: Record) -> None:
    if portal.mode == 2 and lead.props.get("NAME"):
        portal.to_convert.append((box.clock.now() + box.switches["conversion_delay"], lead.id))


def catch_up(box: BitrixSandbox, portal: Portal) -> None:
    """Conversions that are due by now."""
    now = box.clock.now()
    due = [number for at, number in portal.to_convert if at <= now]
    if due:
        portal.to_convert = [(at, number) for at, number in portal.to_convert if at > now]
        for number in due:
            lead = portal.leads.get(number)
            if lead is not None:
                convert(box, portal, lead)


def convert(box: BitrixSandbox, portal: Portal, lead: Record) -> Record:
    """The deal that goes on with the lead's person; the lead is done, and may be gone."""
    call = as_portal(box, portal)
    people = list(lead.people) or [_contact(call, lead).id]
    names = (*PASSED, *(ORIGIN if box.switches["conversion_keeps_origin"] else ()))
    props: dict[str, Any] = {name: lead.props[name] for name in names if lead.props.get(name)}
    props |= {"CONTACT_IDS": people, "LEAD_ID": lead.id, "COMPANY_ID": lead.props.get("COMPANY_ID")}
    deal = records.create(call, "deal", records.Draft(props))
    records.update(call, lead, records.Draft({"STATUS_ID": "CONVERTED"}))
    if box.switches["converted_lead"] == "gone":
        portal.leads.remove(lead.id)
        box.communications(portal).remove(lead)
    return deal


def _contact(call: Call, lead: Record) -> Record:
    names = ("NAME", "SECOND_NAME", "LAST_NAME", "ASSIGNED_BY_ID", "SOURCE_ID")
    props = {name: lead.props[name] for name in names if lead.props.get(name)} | {"LEAD_ID": lead.id}
    multi = [{**row, "ID": "", "DELETE": False} for row in lead.multi]
    return records.create(call, "contact", records.Draft(props, multi))


def as_portal(box: BitrixSandbox, portal: Portal) -> Call:
    """What the portal does by itself runs as its administrator."""

    def nothing(name: str, params: dict[str, Any]) -> Any:
        raise LookupError(name)

    auth = Auth(portal.admin, "", ("crm",), "portal")
    return Call(box, portal, auth, "", {}, nothing)
