"""Tasks of deals (reference 4.3, 4.5), and the statistics table."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.envybox.call import Call, page
from connectors.sandbox.envybox.errors import Refused, missing
from connectors.sandbox.envybox.model import DEAL, Task
from connectors.sandbox.envybox.show import Writer, moment


def update(call: Call) -> dict[str, Any]:
    """deal/updatetask: made if there is none, else changed; needs a time or a comment."""
    deal = call.deal()
    if not (call.has("time") or call.has("comment")):
        raise missing("time")
    employee = call.number("employee_id")
    if employee and employee not in call.crm.employees:
        raise Refused("BAD_REQUEST")
    task = next(iter(_open(call, deal.id)), None)
    if task is None:
        task = Task(call.crm.new_id(), deal.id, 0, "", deal.employee_id, created_at=call.now)
        call.crm.tasks.append(task)
    task.time = call.number("time") or task.time
    task.comment = call.text("comment") or task.comment
    task.employee_id = employee if call.has("employee_id") else task.employee_id
    if call.number("department_id"):
        task.employee_id, task.department_id = 0, call.number("department_id")
    return {"result": {"task": _show(call, task)}}


def _open(call: Call, deal_id: int) -> list[Task]:
    return [task for task in call.crm.tasks if task.deal_id == deal_id and not task.success]


def _show(call: Call, task: Task) -> dict[str, Any]:
    return Writer(call.crm, call.switches).task(task, call.now)


def get(call: Call) -> dict[str, Any]:
    task = next(iter(_open(call, call.deal().id)), None)
    return {"result": {"task": _show(call, task) if task else None}}


def get_all(call: Call) -> dict[str, Any]:
    rows = [_show(call, task) for task in _open(call, call.deal().id)]
    where = call.switches["get_tasks"]
    return {"result": {"tasks": rows}} if where == "result.tasks" else {where: rows}


def list_tasks(call: Call) -> dict[str, Any]:
    """Employee 0 means the administrator's own tasks."""
    rows = list(call.crm.tasks)
    if call.has("success"):
        rows = [task for task in rows if task.success == bool(call.number("success"))]
    if call.has("employee_id"):
        rows = [task for task in rows if task.employee_id == call.number("employee_id")]
    first, last = call.text("datetime_start"), call.text("datetime_end")
    shown = [(moment(task.time, call.switches) or "", task) for task in rows]
    rows = [task for at, task in shown if (not first or at >= first) and (not last or at <= last)]
    answer = page(rows, call)
    return answer | {"result": [_show(call, task) for task in answer["result"]]}


def statistics(call: Call) -> dict[str, Any]:
    """stat/custom: a row a stage, and a total."""
    for name in ("stat_id", "pipeline_id", "start_date", "end_date", "show_type"):
        if not call.has(name):
            raise missing(name)
    line = call.crm.pipelines.get(call.number("pipeline_id")) or call.crm.primary(DEAL)
    deals = [deal for deal in call.crm.deals.values() if deal.pipeline_id == line.id]
    rows = [
        {"2_column": stage.name, "3_value": sum(deal.stage_id == stage.id for deal in deals)}
        for stage in line.stages.values()
    ]
    rows.append({"2_column": "total", "3_value": len(deals)})
    columns = [{"key": "2_column", "name": "Этап"}, {"key": "3_value", "name": "Сделок"}]
    settings = {"rowParams": [], "typeDateFilter": "created"}
    return {"result": {"data": rows, "tableColumns": columns, "settings": settings}}
