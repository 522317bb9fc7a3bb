"""Deals: read, made, found, moved, tagged (reference 4.3)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, page, to_int
from connectors.sandbox.envybox.contacts import keys_of
from connectors.sandbox.envybox.errors import Refused, missing
from connectors.sandbox.envybox.filters import fits
from connectors.sandbox.envybox.logs import write_log
from connectors.sandbox.envybox.model import CUSTOM, DEAL, LOST, SERVICE, WON, Deal, Pipeline, Task
from connectors.sandbox.envybox.show import Writer
from connectors.sandbox.envybox.windows import within

STAGE_LOG = 2003
DATES = {"created": "created_at", "updated": "updated_at", "closed": "closed_at"}
DATES |= {"stage_changed": "stage_updated_at", "stage_transition": "stage_updated_at"}


def get(call: Call) -> dict[str, Any]:
    deal = call.deal()
    writer = Writer(call.crm, call.switches)
    row, wanted = writer.deal(deal), call.params.get("with") or []
    if "parent_deal" in wanted:
        parent = call.crm.deals.get(deal.parent_id)
        row["parent_deal"] = writer.deal(parent, full=False) if parent else None
    if "child_deals" in wanted:
        children = [one for one in call.crm.deals.values() if one.parent_id == deal.id]
        row["child_deals"] = [writer.deal(one, full=False) for one in children]
    return {"result": row}


def create(call: Call) -> dict[str, Any]:
    crm, client = call.crm, call.client()
    if not (call.has("employee_id") or call.has("department_id")):
        raise missing("employee_id")
    line = crm.pipelines.get(call.number("pipeline_id")) or crm.primary(DEAL)
    stage = call.number("stage_id")
    deal = Deal(
        id=crm.new_id(),
        created_at=call.now,
        stage_updated_at=call.now,
        service={"name": call.text("name")},
        client_id=client.id,
        pipeline_id=line.id,
        stage_id=stage if stage in line.stages else line.first.id,
        employee_id=call.number("employee_id"),
        user_id=crm.user_id,
        department_id=call.number("department_id"),
        inbox_type_id=call.number("inbox_type_id"),
    )
    _fill(call, deal)
    crm.deals[deal.id] = deal
    client.deals.append(deal.id)
    if "task" in call.params:
        wish = call.object("task")
        task = Task(crm.new_id(), deal.id, to_int(wish.get("time")), str(wish.get("text") or "Связаться"))
        crm.tasks.append(task)
    call.box.happened(crm, "create_deal", deal.id)
    return {"result": {"deal": Writer(crm, call.switches).deal(deal)}}


def _fill(call: Call, deal: Deal) -> None:
    for row in call.rows("values"):
        number, kind = to_int(row.get("input_id")), to_int(row.get("type_id")) or CUSTOM
        one = call.crm.inputs[DEAL, kind if kind in (SERVICE, CUSTOM) else CUSTOM].get(number)
        if one and kind == SERVICE:
            deal.service[one.name_id] = row.get("value")
        elif one:
            deal.custom[number] = row.get("value")


def search(call: Call) -> dict[str, Any]:
    """Clients with their deals; leads that nobody took are not seen here."""
    keys = keys_of([call.params.get("phone")], [call.params.get("email")])
    found = sorted({call.crm.clients_of[key] for key in keys if key in call.crm.clients_of})
    writer, rows = Writer(call.crm, call.switches), []
    for client in (call.crm.clients[number] for number in found):
        deals = [writer.deal(one, full=False) for one in writer.deals_of(client)]
        if client.deleted_at is None and deals:
            row = {"id": client.id, "crm_id": call.crm.id, "name": client.service["name"]}
            rows.append(row | writer.dates(client) | {"deals_for_event": deals})
    return {"clients": rows}


def update_stage(call: Call) -> dict[str, Any]:
    """To another stage, where the funnel lets people change it. The same one again is an error (OBS)."""
    deal, wanted = call.deal(), call.number("stage_id")
    if call.has("client_id") and call.number("client_id") != deal.client_id:
        raise Refused("NO_DEAL")
    if not wanted:
        raise missing("stage_id")
    line = next((one for one in call.crm.lines(DEAL) if wanted in one.stages), None)
    if line is None or line.stages[wanted].deleted_at is not None:
        raise Refused("BAD_REQUEST")
    if deal.stage_id == wanted:
        raise Refused("SAME_STAGE")
    if not (line.manual and call.crm.pipelines[deal.pipeline_id].manual):
        raise Refused("NO_MANUAL")
    put(call, deal, line, wanted)
    return {"result": {"stage_id": wanted}}


def put(call: Call, deal: Deal, line: Pipeline, stage: int) -> None:
    """The deal is at this stage from now on."""
    write_log(call, DEAL, deal.id, STAGE_LOG, {"from": deal.stage_id, "to": stage})
    deal.stage_id, deal.pipeline_id, deal.stage_updated_at = stage, line.id, call.now
    deal.updated_at = call.now
    deal.closed_at = call.now if line.stages[stage].status_id in (WON, LOST) else None


def update_employee(call: Call) -> dict[str, Any]:
    deal = call.deal()
    if not (call.has("employee_id") or call.has("department_id")):
        raise missing("employee_id")
    if call.has("employee_id"):
        if call.number("employee_id") and call.number("employee_id") not in call.crm.employees:
            raise Refused("BAD_REQUEST")
        deal.employee_id = call.number("employee_id")
    deal.department_id = call.number("department_id")
    deal.updated_at = call.now
    return {"result": {"deal": Writer(call.crm, call.switches).deal(deal)}}


def to_inbox(call: Call) -> dict[str, Any]:
    call.deal().in_inbox = True
    return {}


def list_deals(call: Call) -> dict[str, Any]:
    """The list; with `filter` the wider answer, whose envelope nobody has seen (4.3, method 15)."""
    wider, kind = "filter" in call.params, call.text("date_type") or "created"
    stages, lines = call.ids("stage_id"), call.ids("pipeline_id")
    rows = [
        deal
        for deal in call.crm.deals.values()
        if deal.deleted_at is None
        and (not stages or deal.stage_id in stages)
        and (not lines or deal.pipeline_id in lines)
        and within(call, getattr(deal, DATES.get(kind, "created_at")) or None)
        and call.text("keyword").lower() in _searched(call, deal)
        and (not wider or fits(call, deal))
    ]
    writer = Writer(call.crm, call.switches)
    answer = page(rows, call)
    answer["result"] = [writer.deal(deal) for deal in answer["result"]]
    answer |= {"all_ids": [deal.id for deal in rows], "max_colls_contacts": 1}
    if wider:
        return answer | {"keyword": call.text("keyword")}
    return answer | {"dateType": "period", "dateSelectType": kind, "inputs_sum": []}


def _searched(call: Call, deal: Deal) -> str:
    client = call.crm.clients.get(deal.client_id)
    texts = [*deal.service.values(), *deal.custom.values()]
    if client:
        texts += [*client.service.values(), *client.custom.values(), *client.keys]
    return " ".join(map(str, texts)).lower()


def add_tags(call: Call) -> dict[str, Any]:
    """Names; one that is there already is no second one."""
    deal, names = call.deal(), call.params.get("tags")
    if not isinstance(names, list) or not names:
        raise missing("tags")
    for name in map(str, names):
        call.crm.tag_id(name)
        if name not in deal.tags:
            deal.tags.append(name)
    return {}
