"""What became of a lead: the values that travel when a delivered lead is followed.

``rules`` asks with ``Followed``, a connector answers with ``LeadStatus``. A CRM's notice (``ChangeNotice``)
never says what is so: it only names what is worth another look. Remote ids are strings, moments are aware.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.errors import ConnectorError
from connectors.messages import message

log = logging.getLogger(__name__)
OPEN, WON, LOST = "open", "won", "lost"
DONE, GONE = "done", "gone"  # how a task ends; until then it is OPEN
BY_HAND = message("by hand")


@dataclass(frozen=True, slots=True)
class Followed:
    """A delivered lead to ask about.

    ``remote_id`` is what the receipt named (empty where the CRM told no id), ``journal`` all it made.
    ``record`` and ``record_id`` are what an earlier look found it to be by now (a deal, a project),
    ``matched`` how. ``people`` are the person's keys as in ``Person.keys``; ``performer`` and ``pipeline``
    what the rule had asked for. ``task`` is the task that came with the lead, empty where there is none, or
    none that is known to be open.
    """

    uid: str
    remote_id: str
    delivered_at: datetime
    journal: Mapping[str, str] = field(default_factory=dict)
    record: str = ""
    record_id: str = ""
    matched: str = ""
    people: tuple[str, ...] = ()
    performer: str = ""
    pipeline: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """How a lead's task stands: ``OPEN``, ``DONE``, or ``GONE`` where the CRM shows it no longer.

    ``ended_at`` is when it was done, where the CRM tells.
    """

    state: str
    due: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, or went out (``amount`` below zero)."""

    amount: Decimal
    remote_id: str = ""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeadStatus:
    """How a lead stands in its CRM.

    ``record`` is the CRM's kind of thing (lead, deal, project), ``record_id`` its id, ``matched`` how it was
    found where the id of the receipt did not lead there (``merged into 77``). ``status`` is ``open``, ``won``
    or ``lost``, empty where the CRM has no notion of it: then the kind of its step says so. ``gone`` says why
    it can't be seen any more (``deleted``): all else may be empty then, and what was seen last stays. Names
    may stay empty: the mirrored lists know them, too.
    ``task`` is the lead's own task, None where nothing is known of one.
    ``contact`` has ``id``, ``name``, ``phone``, ``email`` where the CRM told them. ``payments`` is None where
    the CRM says nothing of money received. ``details`` is whatever else a person may want to see.
    """

    record: str
    record_id: str
    status: str = ""
    gone: str = ""
    matched: str = ""
    pipeline: str = ""
    pipeline_name: str = ""
    step: str = ""
    step_name: str = ""
    performer: str = ""
    performer_name: str = ""
    amount: Decimal | None = None
    currency: str = ""
    payments: tuple[Payment, ...] | None = None
    contact: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    changed_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    task: TaskStatus | None = None


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """What a notice of a CRM is about; nothing of it is proven.

    ``remote_id`` is the CRM's account, ``secret`` the proof of its installation (``InstallKey``), each empty
    where the CRM sends none. ``records`` are ids worth a look, None means whatever is followed there.
    ``contacts`` are ids of contacts that a directory had better read anew, ``made`` those of them that have
    just come into being: of these a directory that has them needs no word.
    """

    remote_id: str = ""
    secret: str = field(default="", repr=False)
    records: frozenset[str] | None = None
    contacts: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()


Told = LeadStatus | ConnectorError | None


def tasks_or_none(ask: Callable[[], Mapping[str, TaskStatus]]) -> Mapping[str, TaskStatus]:
    """How tasks stand, by remote id; without an answer their leads are told all the same."""
    try:
        return ask()
    except ConnectorError as error:
        log.warning("tasks were not read (%s)", error.code)
        return {}


def with_tasks(
    leads: Sequence[Followed], found: Sequence[Told], tasks: Mapping[str, TaskStatus]
) -> list[Told]:
    """What was found of the leads, with what was found of their tasks, by remote id."""
    return [
        replace(one, task=tasks.get(lead.task)) if isinstance(one, LeadStatus) and lead.task else one
        for lead, one in zip(leads, found, strict=True)
    ]
