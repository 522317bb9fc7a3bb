"""Tasks on new leads: one request for a batch (reference 4.12).

amocrm.ru/developers/content/crm_platform/tasks-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connectors import tasks
from connectors.amocrm.client import BatchRequests, BatchWrite, Item
from connectors.amocrm.errors import ValidationIssue
from connectors.amocrm.lists import moment, page_of
from connectors.amocrm.recovery import SKEW, created_at
from connectors.draft import Task
from connectors.errors import NO_RIGHTS, Refused
from connectors.http import HttpClient
from connectors.lead_status import DONE, OPEN, TaskStatus
from connectors.messages import message
from connectors.text import is_id

TASKS = "/api/v4/tasks"
MOST_TASKS = 250  # written or read at a time
AT_ONCE = 50  # leads whose tasks are looked through together
CALL = 1  # the type that every account has
NEWEST = {"order[id]": "desc", "limit": MOST_TASKS}
PERFORMER = "responsible_user_id"
RIGHTS = message(
    "Give the user who connected amoCRM the right to make tasks, or connect as an administrator."
)
MEND = message("Choose another person or another type of task in the rule.")


def add_tasks(requests: BatchRequests, items: Sequence[Item]) -> None:
    """A stage: the tasks of all items whose rule asks for one, in one request."""
    for item in items:
        if item.has(tasks.GIVEN_UP):
            tasks.lose(item)
    wanting = [item for item in items if item.lead and tasks.wanted(item)]
    unsure = [item for item in wanting if item.must_look]
    if unsure:
        recognise_tasks(requests, unsure)
        requests.record(unsure)
    TaskWrite(requests).run([item for item in wanting if not item.error])
    requests.record(item for item in wanting if item.has(tasks.GIVEN_UP))


def recognise_tasks(requests: BatchRequests, items: Sequence[Item]) -> None:
    """Put the tasks that carry our marks into the journal. Raises like any call.

    Whom a list that was cut off can't tell is asked for alone, and given up where that is no better: a task
    too few is told, one too many is not noticed.
    """
    for start in range(0, len(items), AT_ONCE):
        portion = items[start : start + AT_ONCE]
        if not _look(requests.client_for(), portion):
            missing = [item for item in portion if not item.has(tasks.STEP)]
            requests.each(missing, partial(_look_alone, requests))


def _look_alone(requests: BatchRequests, item: Item) -> None:
    if not _look(requests.client_for(item), [item]) and not item.has(tasks.STEP):
        tasks.give_up(item, tasks.UNKNOWN)


def _look(http_client: HttpClient, items: Sequence[Item]) -> bool:
    """Find the items' tasks among the newest ones of their leads. Were all seen that may be ours?

    The filter is not believed: a row counts by its own lead, and strangers make the page only shorter. Where
    the look is refused the tasks are given up, so that nothing is left to be seen.
    """
    asked = {"filter[entity_type]": "leads", "filter[entity_id][]": [item.lead for item in items]}
    try:
        rows = page_of(http_client.call("GET", TASKS, params={**asked, **NEWEST}), "tasks")
    except Refused as refusal:
        if refusal.code == "http_404":  # the account has moved (1.8)
            raise
        for item in items:
            tasks.unseen(item, refusal)
        return True
    for item in items:
        own = (row for row in rows if str(row.get("entity_id")) == item.lead)
        marked = (row for row in own if tasks.mark(item.draft) in str(row.get("text") or ""))
        if found := next(marked, None):
            item.journal[tasks.STEP] = str(found["id"])
    since = min(item.draft.visit.answered_at.timestamp() for item in items) - SKEW
    return len(rows) < MOST_TASKS or min(map(created_at, rows)) < since


def task_body(item: Item, task: Task) -> dict[str, Any]:
    """The item of ``POST /tasks``; nobody named: whoever looks after the lead, as far as we know."""
    performer = task.performer or str(item.payload.lead.attributes.get(PERFORMER) or "")
    return {
        "text": tasks.text(item.draft),
        "complete_till": int(task.due.timestamp()),
        "entity_id": int(item.lead) if item.lead.isdigit() else item.lead,
        "entity_type": "leads",
        "task_type_id": int(task.type or CALL),
        **({PERFORMER: int(performer)} if performer else {}),
        "request_id": item.uid,
    }


class TaskWrite(BatchWrite):
    """The lead is there: a task that amoCRM won't have is told, and stands in the note."""

    path = TASKS
    most = MOST_TASKS

    def wants(self, item: Item) -> bool:
        return tasks.wanted(item) is not None

    def body(self, item: Item) -> dict[str, Any]:
        task = tasks.wanted(item)
        return task_body(item, task) if task else {}

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        self.requests.settle(items, reply, {tasks.STEP: "id"})

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        """Somebody whom the rule did not name for it may be gone: the account's default takes the task."""
        for item, issues in named.items():
            inherited = not (item.draft.task and item.draft.task.performer)
            about_it = all(issue.path.partition(".")[0] == PERFORMER for issue in issues)
            if inherited and PERFORMER in item.payload.lead.attributes and about_it:
                item.payload.without_performer()
            else:
                tasks.give_up(item, "; ".join(issue.words for issue in issues[:5]), MEND)

    def refuse(self, item: Item, refusal: Refused) -> None:
        tasks.give_up(item, refusal.message, RIGHTS if refusal.code == NO_RIGHTS else refusal.remedy)

    def look(self, items: Sequence[Item]) -> bool:
        """Leads list their tasks at once."""
        recognise_tasks(self.requests, items)
        self.requests.record(items)
        return not any(item.error for item in items)


# -- what became of them ----------------------------------------------------------------------------------


def task_states(http_client: HttpClient, ids: Sequence[str]) -> dict[str, TaskStatus]:
    """How these tasks stand, in one request. Raises like any call."""
    wanted = list(dict.fromkeys(filter(is_id, ids)))[:MOST_TASKS]
    if not wanted:
        return {}
    params = {"filter[id][]": wanted, "limit": len(wanted)}
    rows = page_of(http_client.call("GET", TASKS, params=params), "tasks")
    return tasks.states(wanted, {str(row.get("id")): _state(row) for row in rows})


def _state(row: Mapping[str, Any]) -> TaskStatus:
    due = moment(row.get("complete_till"))
    if not row.get("is_completed"):
        return TaskStatus(OPEN, due)
    return TaskStatus(DONE, due, moment(row.get("updated_at")))
