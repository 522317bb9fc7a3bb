"""event.bind and its family, the offline queue (reference 6)."""

from __future__ import annotations

import secrets
from typing import Any

from connectors.sandbox.bitrix24.call import PAGE, Call
from connectors.sandbox.bitrix24.errors import Refused, plain
from connectors.sandbox.bitrix24.model import Binding
from connectors.sandbox.bitrix24.moments import iso
from connectors.sandbox.php import to_int, to_text, values_of

VERBS = ("ADD", "UPDATE", "DELETE")
ENTITIES = ("LEAD", "DEAL", "CONTACT", "COMPANY")
EVENTS = (
    {f"ONCRM{entity}{verb}" for entity in ENTITIES for verb in VERBS}
    | {f"ONCRM{entity}USERFIELD{verb}" for entity in ENTITIES for verb in VERBS}
    | {"ONCRMDEALMOVETOCATEGORY", "ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE", "ONOFFLINEEVENT"}
)
Row = dict[str, Any]


def events(call: Call) -> list[str]:
    return sorted(EVENTS)


def _asked(call: Call) -> tuple[str, str, bool]:
    event, handler = str(call.param("event") or "").upper(), str(call.param("handler") or "")
    return event, handler, str(call.param("event_type") or "online").lower() == "offline"


def bind(call: Call) -> bool:
    call.need_app()
    event, handler, offline = _asked(call)
    if event not in EVENTS:
        raise Refused(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
    if offline and not call.user.admin:
        raise Refused(403, "ACCESS_DENIED", "Administrator authorization required")
    if not offline and not handler.startswith(("http://", "https://")):
        raise Refused(400, "ERROR_ARGUMENT", "Handler URL is not valid", argument="handler")
    ours = (event, "" if offline else handler, call.auth.client_id)
    if any((row.event, row.handler, row.client_id) == ours for row in call.portal.bindings):
        raise Refused(
            400, "ERROR_EVENT_BINDING_EXISTS", "Unable to set event handler: Handler already binded"
        )
    auth_type = call.number("auth_type")
    made = Binding(call.portal.next("binding"), *ours, call.user.id, auth_type, offline)
    call.portal.bindings.append(made)
    return True


def listing(call: Call) -> list[Row]:
    call.need_app()
    ours = (row for row in call.portal.bindings if row.client_id == call.auth.client_id)
    return [
        {
            "event": row.event,
            "handler": row.handler,
            "auth_type": str(row.auth_type),
            "offline": int(row.offline),
        }
        for row in ours
    ]


def unbind(call: Call) -> Row:
    call.need_app()
    event, handler, offline = _asked(call)
    gone = [
        row
        for row in call.portal.bindings
        if (row.event, row.client_id, row.offline) == (event, call.auth.client_id, offline)
        and handler in ("", row.handler)
    ]
    call.portal.bindings = [row for row in call.portal.bindings if row not in gone]
    return {"count": len(gone)}


# -- the offline queue --------------------------------------------------------------------------------


def _queue(call: Call) -> list[Row]:
    call.need_app()
    if not call.user.admin:
        raise Refused(403, "ACCESS_DENIED", "Administrator authorization required")
    return [row for row in call.portal.offline if row["client_id"] == call.auth.client_id]


def _view(call: Call, row: Row) -> Row:
    return {
        "ID": str(row["ID"]),
        "TIMESTAMP_X": iso(call.portal, row["at"]),
        "EVENT_NAME": row["EVENT_NAME"],
        "EVENT_DATA": {"FIELDS": {"ID": row["number"]}},
        "EVENT_ADDITIONAL": [],
        "MESSAGE_ID": str(row["ID"]),
        "PROCESS_ID": row["process"],
        "ERROR": str(row["error"]),
    }


def offline_get(call: Call) -> Row:
    """clear=0 keeps the rows under a process_id until they are cleared; otherwise they leave at once."""
    waiting = [row for row in _queue(call) if not row["process"] and not row["error"]]
    taken = waiting[: min(PAGE, to_int(call.param("limit")) or PAGE)]
    keep = to_text(call.param("clear", 1)) in ("0", "")
    if not keep:
        call.portal.offline = [row for row in call.portal.offline if row not in taken]
        return {"process_id": None, "events": [_view(call, row) for row in taken]}
    process = str(call.param("process_id") or secrets.token_hex(16)) if taken else ""
    for row in taken:
        row["process"] = process
    return {"process_id": process, "events": [_view(call, row) for row in taken]}


def offline_list(call: Call) -> list[Row]:
    return [_view(call, row) for row in _queue(call)]


def _chosen(call: Call) -> list[Row]:
    process = str(call.param("process_id") or "")
    if not process:
        raise plain("process_id is required")
    wanted = {to_int(one) for one in (*values_of(call.param("id")), *values_of(call.param("message_id")))}
    return [row for row in _queue(call) if row["process"] == process and (not wanted or row["ID"] in wanted)]


def offline_clear(call: Call) -> bool:
    gone = _chosen(call)
    call.portal.offline = [row for row in call.portal.offline if row not in gone]
    return True


def offline_error(call: Call) -> bool:
    for row in _chosen(call):
        row["error"] = 1
    return True
