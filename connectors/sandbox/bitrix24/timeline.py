"""crm.timeline.comment.add and list (b24restdocs, api-reference/crm/timeline/comments)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome, paged
from connectors.sandbox.bitrix24.errors import Refused
from connectors.sandbox.bitrix24.moments import iso
from connectors.sandbox.bitrix24.specs import TYPES
from connectors.sandbox.php import to_int

NEEDED = ("ENTITY_ID", "ENTITY_TYPE", "COMMENT")


def add(call: Call) -> int:
    """Only `fields` in lower case is understood."""
    fields = call.params.get("fields")
    if not isinstance(fields, dict) or any(name not in fields for name in NEEDED):
        raise Refused(400, "100", "Required fields not provided")
    if call.user.crm != "all":
        raise Refused(400, "ACCESS_DENIED", "Access denied.")
    kind, number = str(fields["ENTITY_TYPE"]).lower(), to_int(fields["ENTITY_ID"])
    if kind not in TYPES or number not in call.portal.tables[kind]:
        raise Refused(400, "OWNER_NOT_FOUND", "Owner was not found")
    if not str(fields["COMMENT"]).strip():
        raise Refused(400, "INVALID_ARG_VALUE", "Empty comment message.")
    return _stored(call, kind, number, fields)


def _stored(call: Call, kind: str, number: int, fields: dict[str, Any]) -> int:
    made = call.portal.next("comment")
    row: dict[str, Any] = {"ID": str(made), "ENTITY_ID": str(number), "ENTITY_TYPE": kind}
    row |= {"CREATED": iso(call.portal, call.now), "COMMENT": str(fields["COMMENT"]), "FILES": []}
    row["AUTHOR_ID"] = str(to_int(fields.get("AUTHOR_ID")) or call.user.id)
    call.portal.timeline[kind, number].append(row)
    return made


def listing(call: Call) -> Outcome:
    given = call.array("filter").items()
    asked = {str(name).upper().lstrip("="): value for name, value in given}
    kind, number = str(asked.get("ENTITY_TYPE") or "").lower(), to_int(asked.get("ENTITY_ID"))
    rows = list(call.portal.timeline.get((kind, number), ()))
    if str(call.array("order").get("ID", "ASC")).upper() == "DESC":
        rows.reverse()
    page, wanted = paged(rows, call.number("start")), call.names("select")
    page.result = [{key: row[key] for key in wanted if key in row} or row for row in page.result]
    return page
