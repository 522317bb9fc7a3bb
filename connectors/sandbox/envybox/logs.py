"""Histories of leads and deals: read by page, calls and comments added (reference 4.2, 4.3)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, page
from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.model import DEAL, LEAD, Log
from connectors.sandbox.envybox.show import Writer

WRITABLE = {LEAD: (9, 10), DEAL: (2009, 2010)}
COMMENT = {LEAD: 10, DEAL: 2010}


def write_log(call: Call, element: int, element_id: int, type_id: int, data: dict[str, Any]) -> Log:
    log = Log(call.crm.new_id(), element, element_id, type_id, data, call.now)
    call.crm.logs_of[element, element_id].append(log)
    return log


def lead_logs(call: Call) -> dict[str, Any]:
    if not call.has("lead_id"):
        raise Refused("NO_LEAD_ID")
    return _logs(call, LEAD, call.lead().id)


def deal_logs(call: Call) -> dict[str, Any]:
    if not call.has("deal_id"):
        raise Refused("NO_DEAL_ID")
    return _logs(call, DEAL, call.deal("NO_DEAL_LOG").id)


def _logs(call: Call, element: int, number: int) -> dict[str, Any]:
    found = call.crm.logs_of.get((element, number), [])
    writer = Writer(call.crm, call.switches)
    answer = page(found, call)
    return answer | {"result": [writer.log(log) for log in answer["result"]]}


def add_lead_log(call: Call) -> dict[str, Any]:
    return {"result": {"log": _add(call, LEAD, call.lead().id)}}


def add_deal_log(call: Call) -> dict[str, Any]:
    log = _add(call, DEAL, call.deal("NO_DEAL_LOG").id)
    return {"log": log} if call.switches["deal_log"] == "root" else {"result": {"log": log}}


def _add(call: Call, element: int, number: int) -> dict[str, Any]:
    kind, data = call.number("type_id"), call.object("data")
    if kind not in WRITABLE[element] or (kind == COMMENT[element] and not data.get("comment")):
        raise Refused("BAD_REQUEST")
    person = call.crm.employees.get(call.number("employee_id"))
    user = {"img": "", "name": person.name if person else "Администратор", "profession": ""}
    log = write_log(call, element, number, kind, {**data, "user": user})
    log.employee_id, log.user_id = call.number("employee_id"), call.number("user_id")
    return Writer(call.crm, call.switches).log(log)


def comment_deal(call: Call) -> dict[str, Any]:
    """deal/createComment."""
    deal = call.deal()
    if not call.text("comment"):
        raise Refused("BAD_REQUEST")
    write_log(call, DEAL, deal.id, COMMENT[DEAL], {"comment": call.text("comment")})
    return {}
