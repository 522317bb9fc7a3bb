"""crm.activity.todo.add, crm.activity.list, get and delete of universal activities (b24restdocs,
api-reference/crm/timeline/activities)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome, paged
from connectors.sandbox.bitrix24.errors import Refused, not_found
from connectors.sandbox.bitrix24.listing import PLAIN_SIGNS, split_key
from connectors.sandbox.bitrix24.moments import iso, read_moment
from connectors.sandbox.php import to_int, to_text, values_of

OWNERS = {1: "lead", 2: "deal", 3: "contact", 4: "company"}
NEEDED = ("ownerTypeId", "ownerId", "deadline")


def add_todo(call: Call) -> dict[str, int]:
    if any(call.param(name) in (None, "") for name in NEEDED):
        raise Refused(400, "100", "Required fields are missing")
    kind, number = OWNERS.get(call.number("ownerTypeId"), ""), call.number("ownerId")
    if not kind or number not in call.portal.tables[kind]:
        raise Refused(400, "OWNER_NOT_FOUND", "Owner of the entity not found")
    if call.user.crm != "all":
        raise Refused(400, "ACCESS_DENIED", "Access denied.")
    deadline = read_moment(call.portal, call.param("deadline"))
    if deadline is None:
        raise Refused(400, "WRONG_DATETIME_FORMAT", "Incorrect date format")
    performer = call.number("responsibleId") or call.user.id
    user = call.portal.users.get(performer)
    if (user is None or not user.active) and call.switches["todo_performer"] == "refused":
        raise Refused(400, "0", "Responsible user not found")
    made, now = call.portal.next("activity"), iso(call.portal, call.now)
    call.portal.activities[made] = {
        "ID": str(made),
        "OWNER_ID": str(number),
        "OWNER_TYPE_ID": str(call.number("ownerTypeId")),
        "TYPE_ID": "6",
        "PROVIDER_ID": "CRM_TODO",
        "PROVIDER_TYPE_ID": "TODO",
        "SUBJECT": to_text(call.param("title") or "") if call.switches["todo_titles"] else "",
        "DESCRIPTION": to_text(call.param("description") or ""),
        "CREATED": now,
        "LAST_UPDATED": now,
        "DEADLINE": deadline.isoformat(),
        "COMPLETED": "N",
        "STATUS": "1",
        "RESPONSIBLE_ID": str(performer),
        "AUTHOR_ID": str(call.user.id),
    }
    return {"id": made}


def listing(call: Call) -> Outcome:
    """Equalities, lists of values and comparisons of numbers; a field that is not known is no filter (7)."""
    rows = [row for row in call.portal.activities.values() if _fits(call, row)]
    way = next(iter(call.array("order").items()), ("ID", "ASC"))
    rows.sort(key=lambda row: to_int(row["ID"]), reverse=str(way[1]).upper() == "DESC")
    page, wanted = paged(rows, call.number("start")), call.names("select")
    page.result = [{key: row[key] for key in wanted if key in row} or row for row in page.result]
    return page


def _fits(call: Call, row: dict[str, Any]) -> bool:
    for key, asked in call.array("filter").items():
        sign, name = split_key(str(key))
        if name not in row:
            continue
        negated, compare = PLAIN_SIGNS.get(sign, (False, sign))
        if compare == ">":
            held = to_int(row[name]) > to_int(asked)
        else:
            held = row[name] in [to_text(value) for value in values_of(asked)]
        if held == negated:
            return False
    return True


def one(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = call.portal.activities.get(call.number("id"))
    if found is None:
        raise not_found()
    return found
