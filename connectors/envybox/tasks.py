"""What became of tasks of deals: a batch's, by the list of tasks (reference 4.5). Reads only.

The list knows days, no ids: tasks are asked for by the moments for which they were made, the closed ones and
the open ones. One that somebody put off is asked for by its deal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from connectors.envybox.client import Client, carries, searchable
from connectors.envybox.errors import NO_DEAL
from connectors.envybox.recovery import walk
from connectors.errors import Refused
from connectors.lead_status import DONE, GONE, OPEN, Followed, TaskStatus
from connectors.text import clock, moment, text_of, whole_number

TASK_DUE = "task_due"  # step of the journal: Unix seconds of the task that is about to be made
MOST_ROWS = 200  # of each list
MOST_ALONE = 5  # deals that are asked about their tasks, in one look
MINUTE = timedelta(minutes=1)


def mark_of(uid: str) -> str:
    """What tells our task from a deal's others."""
    return f"{searchable(uid)}t"


@dataclass(slots=True)
class TaskReader:
    """``utc_offset_hours``: how far the account's clock is ahead of UTC."""

    client: Client
    utc_offset_hours: float = 0.0

    def states(self, leads: Sequence[Followed]) -> dict[str, TaskStatus]:
        """By ``Followed.task``. Raises like any call. What can't be told is missing."""
        asked = [lead for lead in leads if lead.task and lead.journal.get("deal")]
        if not asked:
            return {}
        found: dict[str, TaskStatus] = {}
        for done in (True, False):
            missing = [lead for lead in asked if lead.task not in found]
            rows = list(self._listed(missing, done)) if missing else []
            for lead in missing:
                row = next((row for row in rows if carries(row.get("comment"), mark_of(lead.uid))), None)
                if row is not None:
                    found[lead.task] = self._state(row, done)
        for lead in [lead for lead in asked if lead.task not in found][:MOST_ALONE]:
            found[lead.task] = self._alone(lead)
        return found

    def _listed(self, leads: Sequence[Followed], done: bool) -> Iterator[dict[str, Any]]:
        dues = [whole_number(lead.journal.get(TASK_DUE)) for lead in leads]
        zone = clock(self.utc_offset_hours)
        first, last = (datetime.fromtimestamp(edge(dues), zone) for edge in (min, max))
        start, end = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (first - MINUTE, last + MINUTE))
        pages = walk(lambda at: self.client.account.tasks(offset=at, start=start, end=end, success=done))
        yield from islice(pages, MOST_ROWS)

    def _alone(self, lead: Followed) -> TaskStatus:
        """Put off, it is among its deal's open ones; else it was done at another time, or deleted."""
        try:
            rows = self.client.deals.tasks(lead.journal["deal"])
        except Refused as error:
            if error.code != NO_DEAL:
                raise
            rows = []
        row = next((row for row in rows if carries(row.get("comment"), mark_of(lead.uid))), None)
        return TaskStatus(GONE) if row is None else self._state(row, False)

    def _state(self, row: dict[str, Any], done: bool) -> TaskStatus:
        hours = self.utc_offset_hours
        due = moment(text_of(row.get("time")), hours)
        ended = moment(text_of(row.get("updated_at")), hours)
        return TaskStatus(DONE, due, ended) if done else TaskStatus(OPEN, due)
