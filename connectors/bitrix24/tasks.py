"""A task on a deal or lead: a universal activity of its timeline (reference 4.8). No further scope is needed.

apidocs.bitrix24.com: api-reference/crm/timeline/activities/todo/crm-activity-todo-add,
api-reference/crm/timeline/activities/activity-base/crm-activity-list
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from connectors import dates, tasks
from connectors.bitrix24.client import PAGE, Command, Outcome, Reply, Row, Story, made_id, reply_to, rows
from connectors.bitrix24.requests import BitrixItem
from connectors.draft import Task
from connectors.errors import NO_RIGHTS, Refused
from connectors.lead_status import DONE, OPEN, TaskStatus
from connectors.messages import message
from connectors.text import shorten, text_of

OWNER_TYPES = {"lead": 1, "deal": 2}
PROVIDER = "CRM_TODO"
LONGEST_TITLE = 200
MOST_PAGES = 5
RIGHTS = message("Give the user who connected Bitrix24 the right to change this record.")
OLD = message("This Bitrix24 is too old to make tasks on a record: CRM 22.1350 is needed.")


def add_task(item: BitrixItem) -> Story[None]:
    """Make the task that the rule asks for. What the portal won't have costs the task, not the record."""
    if item.has(tasks.GIVEN_UP):
        tasks.lose(item)
    if tasks.wanted(item) and item.must_look:
        yield from _recognise(item)
    if not (task := tasks.wanted(item)):
        return
    command = Command("crm.activity.todo.add", _params(item, task), safe=False, why=message("the task"))
    try:
        reply = yield from reply_to(command)
    except Refused as refusal:
        remedies = {NO_RIGHTS: RIGHTS, "error_method_not_found": OLD}
        tasks.give_up(item, refusal.message, remedies.get(refusal.code, refusal.remedy))
        return
    item.journal[tasks.STEP] = made_id(reply.value)


def _params(item: BitrixItem, task: Task) -> dict[str, Any]:
    """The text is in the description, whole: older portals have no titles. Nobody named: the record's own."""
    performer = task.performer or text_of(item.payload.record.head.get("ASSIGNED_BY_ID"))
    return {
        "ownerTypeId": OWNER_TYPES[item.kind],
        "ownerId": item.lead,
        "deadline": task.due.isoformat(timespec="seconds"),
        "title": shorten(task.text.partition("\n")[0], LONGEST_TITLE),
        "description": tasks.text(item.draft),
        **({"responsibleId": performer} if performer else {}),
    }


def _recognise(item: BitrixItem) -> Story[None]:
    """Note the record's task that ends with our mark. Where there are too many, or none is shown, none is
    made: a task too few is told, one too many is not noticed."""
    asked = {"OWNER_TYPE_ID": OWNER_TYPES[item.kind], "OWNER_ID": item.lead, "PROVIDER_ID": PROVIDER}
    for page in range(MOST_PAGES):
        params = {
            "filter": asked,
            "select": ["ID", "OWNER_ID", "SUBJECT", "DESCRIPTION"],
            "order": {"ID": "DESC"},
            "start": page * PAGE,
        }
        command = Command("crm.activity.list", params, why=message("was the task made already?"))
        try:
            found = rows((yield from reply_to(command)))
        except Refused as refusal:
            tasks.unseen(item, refusal)
            return
        for row in found:
            if text_of(row.get("OWNER_ID")) == item.lead and tasks.mark(item.draft) in text_of(
                row.get("DESCRIPTION")
            ):
                item.journal[tasks.STEP] = text_of(row.get("ID"))
                return
        if len(found) < PAGE:
            return
    tasks.give_up(item, tasks.UNKNOWN)


# -- what became of them ----------------------------------------------------------------------------------


def tasks_listing(ids: Sequence[str]) -> Command:
    """At most a page of 50."""
    params = {
        "filter": {"@ID": list(ids)},
        "select": ["ID", "COMPLETED", "DEADLINE", "LAST_UPDATED"],
        "order": {"ID": "ASC"},
        "start": -1,
    }
    return Command("crm.activity.list", params, why=message("are their tasks done?"))


def task_states(ids: Sequence[str], outcome: Outcome, zone: tzinfo) -> dict[str, TaskStatus]:
    """By id; nothing where the list was not answered."""
    if not isinstance(outcome, Reply):
        return {}
    return tasks.states(ids, {text_of(row.get("ID")): _state(row, zone) for row in rows(outcome)})


def _state(row: Row, zone: tzinfo) -> TaskStatus:
    due, ended = (dates.moment([text_of(row.get(key))], zone).value for key in ("DEADLINE", "LAST_UPDATED"))
    done = text_of(row.get("COMPLETED")) == "Y"
    return TaskStatus(DONE, due, ended) if done else TaskStatus(OPEN, due)
