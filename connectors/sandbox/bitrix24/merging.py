"""crm.entity.mergeBatch (b24restdocs, api-reference/crm/duplicates/crm-entity-merge-batch.md)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24 import records
from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.errors import Refused
from connectors.sandbox.bitrix24.specs import KINDS
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.php import to_int, values_of

OWN = ("DATE_CREATE", "DATE_MODIFY", "CREATED_BY_ID", "MODIFY_BY_ID", "BEGINDATE", "CLOSEDATE", "TITLE")


def merge(call: Call) -> dict[str, Any]:
    """The first record stays and takes what it lacks; the others are deleted. Two opinions are a conflict."""
    params = call.required_array("params")
    kind = KINDS.get(to_int(params.get("entityTypeId")))
    if kind is None:
        raise Refused(400, "0", "The parameter entityTypeId is required.")
    if not call.user.admin:
        raise Refused(403, "403", "Access denied")
    numbers = [to_int(value) for value in values_of(params.get("entityIds"))]
    rows = [call.portal.tables[kind].get(number) for number in dict.fromkeys(numbers)]
    found = [row for row in rows if row is not None]
    if len(found) < 2:
        raise Refused(400, "0", "The parameter entityIds must contains at least two elements.")
    main, *others = found
    if any(_differ(main, other) for other in others):
        return {"STATUS": "CONFLICT", "ENTITY_IDS": []}
    return {"STATUS": "SUCCESS", "ENTITY_IDS": [_swallow(call, main, other) for other in others]}


def _differ(main: Record, other: Record) -> bool:
    """Same field, both filled, not the same."""
    shared = (main.props.keys() & other.props.keys()) - set(OWN)
    return any(
        main.props[name] != other.props[name] for name in shared if main.props[name] and other.props[name]
    )


def _swallow(call: Call, main: Record, other: Record) -> int:
    communications, known = call.box.communications(call.portal), {row["VALUE"] for row in main.multi}
    communications.remove(main)
    main.props |= {name: value for name, value in other.props.items() if value and not main.props.get(name)}
    main.multi += [row for row in other.multi if row["VALUE"] not in known]
    main.people += [number for number in other.people if number not in main.people]
    communications.add(main)
    call.portal.tables[main.kind].touched(main)
    _relink(call, other, main)
    records.remove(call, other)
    return other.id


def _relink(call: Call, gone: Record, main: Record) -> None:
    """Deals and leads of a merged contact follow it."""
    if gone.kind != "contact":
        return
    for kind in ("deal", "lead"):
        table = call.portal.tables[kind]
        for number in table.having("CONTACT_ID", [gone.id]):
            people = [main.id if one == gone.id else one for one in table[number].people]
            table[number].people = list(dict.fromkeys(people))
            table.touched(table[number])
