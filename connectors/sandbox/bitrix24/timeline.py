"""Comments in the timeline of a record."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome, paged
from connectors.sandbox.bitrix24.errors import access_denied, not_found, plain
from connectors.sandbox.bitrix24.moments import iso
from connectors.sandbox.bitrix24.php import to_int
from connectors.sandbox.bitrix24.specs import TYPES


def add(call: Call) -> int:
    fields = {str(name).upper(): value for name, value in call.required_array("fields").items()}
    kind, number = str(fields.get("ENTITY_TYPE") or "").lower(), to_int(fields.get("ENTITY_ID"))
    if call.user.crm != "all":
        raise access_denied()
    if kind not in TYPES or not fields.get("COMMENT"):
        raise plain("Empty comment message" if kind in TYPES else "ENTITY_TYPE is not defined or invalid.")
    if number not in call.portal.tables[kind]:
        raise not_found()
    made = {"ID": str(call.portal.next("comment")), "ENTITY_ID": str(number), "ENTITY_TYPE": kind}
    made |= {"CREATED": iso(call.portal, call.now), "AUTHOR_ID": str(call.user.id)}
    call.portal.timeline[kind, number].append(made | {"COMMENT": str(fields["COMMENT"])})
    return int(made["ID"])


def listing(call: Call) -> Outcome:
    asked: dict[str, Any] = {
        str(name).upper().lstrip("="): value for name, value in call.array("filter").items()
    }
    kind, number = str(asked.get("ENTITY_TYPE") or "").lower(), to_int(asked.get("ENTITY_ID"))
    return paged(list(call.portal.timeline.get((kind, number), ())), call.number("start"))
