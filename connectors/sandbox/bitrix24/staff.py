"""What employees do with leads and deals in the interface (reference 4.7, 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24 import records
from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.simple_mode import ORIGIN, as_portal, convert
from connectors.sandbox.bitrix24.store import Record

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

Arguments = dict[str, Any]
NOT_COPIED = ("DATE_CREATE", "DATE_MODIFY", "CREATED_BY_ID", "MODIFY_BY_ID", "LEAD_ID")


def move(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    """Another step of its pipeline, and whatever else `fields` says, by classic names."""
    record = _record(portal, arguments)
    props = {records.stage_field(record.kind): arguments["step_id"], **arguments.get("fields", {})}
    records.update(as_portal(box, portal), record, records.Draft(props))


def delete(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> None:
    records.remove(as_portal(box, portal), _record(portal, arguments))


def copy(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    """Another record with the same fields; whether it keeps whose it is by origin is UNCONFIRMED."""
    record = _record(portal, arguments)
    passed = {name: value for name, value in record.props.items() if value and name not in NOT_COPIED}
    if not box.switches["copy_keeps_origin"]:
        passed = {name: value for name, value in passed.items() if name not in ORIGIN}
    made = records.Draft({**passed, "CONTACT_IDS": list(record.people)})
    return {"id": records.create(as_portal(box, portal), record.kind, made).id}


def convert_lead(box: BitrixSandbox, portal: Portal, arguments: Arguments) -> Any:
    """The lead is done, a deal goes on with its contact; answers the deal's id."""
    return {"deal_id": convert(box, portal, _record(portal, {**arguments, "kind": "lead"})).id}


def _record(portal: Portal, arguments: Arguments) -> Record:
    record = portal.tables[arguments["kind"]].get(int(arguments["id"]))
    if record is None:
        raise LookupError("no such record")
    return record
