"""Tasks: /api/v4/tasks (reference 4.12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.filters import texts_of
from connectors.sandbox.amocrm.hal import Call, hal, page, problem, refuse
from connectors.sandbox.amocrm.model import KINDS, Task
from connectors.sandbox.amocrm.writes import request_id
from connectors.sandbox.core import Reply
from connectors.sandbox.php import to_text

KEYS = {
    "responsible_user_id", "entity_id", "entity_type", "is_completed", "task_type_id", "text", "duration",
    "complete_till", "result", "created_by", "updated_by", "created_at", "updated_at", "request_id",
}  # fmt: skip
ORDERS = ("created_at", "complete_till", "id")


def listing(call: Call) -> Reply:
    found = list(_asked(call))
    for column, way in call.order.items():
        if column in ORDERS:
            found.sort(key=lambda task: getattr(task, column), reverse=way == "desc")
    return page(call, "tasks", found, lambda task: _task(call, task))


def _asked(call: Call) -> Iterator[Task]:
    """These filters are described with the method, not with the paid ones; a switch has them ignored."""
    asked = call.filter if call.box.switches["task_filters"] else {}
    done = texts_of(asked.get("is_completed"))
    wanted = {
        "id": texts_of(asked.get("id")),
        "entity_type": texts_of(asked.get("entity_type")),
        "entity_id": texts_of(asked.get("entity_id")) if asked.get("entity_type") else [],
        "responsible_user_id": texts_of(asked.get("responsible_user_id")),
        "task_type_id": texts_of(asked.get("task_type")),
    }
    for task in call.account.tasks.values():
        fits = all(to_text(getattr(task, name)) in values for name, values in wanted.items() if values)
        if fits and (not done or str(int(task.is_completed)) in done):
            yield task


def one(call: Call) -> Reply:
    task = call.account.tasks.get(call.id)
    return problem(404, "Not Found") if task is None else hal(_task(call, task))


def _task(call: Call, task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "created_by": task.created_by,
        "updated_by": task.created_by,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "responsible_user_id": task.responsible_user_id,
        "group_id": 0,
        "entity_id": task.entity_id,
        "entity_type": task.entity_type,
        "duration": 0,
        "is_completed": task.is_completed,
        "task_type_id": task.task_type_id,
        "text": task.text,
        "result": {"text": task.result} if task.result else [],
        "complete_till": task.complete_till,
        "account_id": call.account.id,
        "_links": call.href(f"/api/v4/tasks/{task.id}"),
    }


def add(call: Call) -> Reply:
    """Text and moment are needed; whom nobody names is the user of the token."""
    if not call.box.switches["tasks_allowed"]:
        raise refuse(403, "Forbidden")
    rows = call.rows()
    all_errors = [Errors(request_id(row, index)) for index, row in enumerate(rows)]
    for row, errors in zip(rows, all_errors, strict=True):
        _check(call, row, errors)
    if any(all_errors):
        return validation_failed(all_errors)
    made = []
    for row, errors in zip(rows, all_errors, strict=True):
        task = Task(
            id=call.box.ids.next("tasks"),
            text=row["text"],
            complete_till=row["complete_till"],
            responsible_user_id=row.get("responsible_user_id", call.user.id),
            entity_type=row.get("entity_type"),
            entity_id=row.get("entity_id"),
            task_type_id=row.get("task_type_id", 1),
            created_by=row.get("created_by", call.user.id),
            created_at=call.now,
            updated_at=call.now,
        )
        call.account.tasks[task.id] = task
        links = call.href(f"/api/v4/tasks/{task.id}")
        made.append({"id": task.id, "request_id": errors.request_id, "_links": links})
    return hal({"_links": call.href(call.request.path), "_embedded": {"tasks": made}})


def _check(call: Call, row: dict[str, Any], errors: Errors) -> None:
    for key in row.keys() - KEYS:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    for name, kind in (("text", str), ("complete_till", int)):
        if name not in row:
            errors.add("FieldMissing", "This field is missing.", name)
        elif not isinstance(row[name], kind) or not row[name]:
            errors.add("InvalidType", f"This value should be of type {kind.__name__}.", name)
    performer = call.account.users.get(row.get("responsible_user_id", call.user.id))
    if performer is None or not performer.is_active:
        errors.no_choice("responsible_user_id")
    if row.get("task_type_id", 1) not in call.account.task_types:
        errors.no_choice("task_type_id")
    if row.get("entity_type") not in (None, *KINDS):
        errors.no_choice("entity_type")
    elif row.get("entity_type") and call.account.card(row["entity_type"], row.get("entity_id")) is None:
        errors.no_choice("entity_id")
