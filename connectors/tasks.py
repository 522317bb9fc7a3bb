"""A task for people on a lead that is there: what the deliveries of all CRMs share about it.

It is made after the lead and before the notes, once: the journal names it (``STEP``), and after an unclear
try it is looked for by the mark in its text. What a CRM won't have costs the task, never the lead: it is
told, and its text stands in the note. ``GIVEN_UP`` in the journal keeps a later try from asking again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.delivery import WorkItem
from connectors.draft import LeadDraft, Task, UnplacedValue
from connectors.errors import Refused
from connectors.lead_status import GONE, TaskStatus
from connectors.messages import joined, message

STEP, GIVEN_UP = "task", "task_given_up"
WHERE = "Extra.Task"
QUESTION = "task"
REFUSED_BEFORE = message("the CRM refused the task")
UNKNOWN = message(
    "it is not known whether the task was made: look at the lead's tasks and make it by hand if it is missing"
)


def mark(draft: LeadDraft) -> str:
    """What tells this task from the lead's others."""
    return f"[{draft.uid}/task]"


def text(draft: LeadDraft) -> str:
    """The task's text with its mark in the last line; empty without a task."""
    return f"{draft.task.text}\n\n{mark(draft)}" if draft.task else ""


def wanted(item: WorkItem) -> Task | None:
    """The task that is still to be made. The lead may not be there yet."""
    return None if item.has(STEP) or item.has(GIVEN_UP) else item.draft.task


def give_up(item: WorkItem, reason: str, remedy: str = "") -> None:
    """The lead goes without its task, now and on every later try."""
    item.journal[GIVEN_UP] = "1"
    lose(item, reason)
    words = message("The task was not made: {reason}.", reason=reason)
    item.warn("task_refused", joined(" ", words, remedy), WHERE)


def unseen(item: WorkItem, refusal: Refused) -> None:
    """The CRM refuses the look for a task that may be there already: none is made beside it."""
    words = message(
        "the CRM does not show whether it is there already ({said}): look at the lead's tasks and make it by "
        "hand if it is missing",
        said=refusal.message,
    )
    give_up(item, words, refusal.remedy)


def lose(item: WorkItem, reason: str = REFUSED_BEFORE) -> None:
    """The task's text is in the note alone."""
    if item.draft.task:
        item.lose(UnplacedValue(QUESTION, item.draft.task.text, reason, QUESTION))


def states(asked: Sequence[str], found: Mapping[str, TaskStatus]) -> dict[str, TaskStatus]:
    """How the tasks with these ids stand, of which a list has ``found``. What it lacks is gone only where it
    shows nobody else's: then the filter was heard."""
    heard = found.keys() <= set(asked)
    return {number: found.get(number, TaskStatus(GONE)) for number in asked if number in found or heard}
