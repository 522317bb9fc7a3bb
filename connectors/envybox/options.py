"""What the operator sets for Envybox, and what its rules say beyond performer, pipeline and step.

Each field of ``EnvyOptions`` is an environment variable ``ENVYBOX_<FIELD>``. ``LEAD``, ``SOURCE`` and
``QUEUE`` are keys of ``Placement.choices``; ``Placement.pipeline`` and ``.step`` are always the deal's
(reference 7.3): a lead names the deal's pipeline from the start and comes to its step once it was taken into
work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEAD = "LeadFlag"  # bool: leave it a lead; false takes it into work, which makes the deal
SOURCE = "SourceID"  # inbox_type_id, an entry of the directory INBOXES
QUEUE = "QueueMode"  # bool: through the queue that makes no duplicates
INBOXES = "inbox_type"


def takes_into_work(choices: Mapping[str, Any]) -> bool:
    return choices.get(LEAD) is False


def queues(choices: Mapping[str, Any]) -> bool:
    return choices.get(QUEUE) is True


@dataclass(frozen=True, slots=True)
class EnvyOptions:
    """Where customers' accounts live, our request rate there (reference 7.7), and what no document settles.

    ``self_hosted`` are white-label addresses, each allowed by name. ``keyword_covers_comment``: the keyword
    search of leads looks into the note, too (reference 9); without it more of them are read.
    ``utc_offset_hours``: how far Envybox's moments, which have no zone, are ahead of UTC (reference 1.6).
    """

    host_suffixes: tuple[str, ...] = ("envycrm.com",)
    exact_hosts: tuple[str, ...] = ()
    self_hosted: tuple[str, ...] = ()
    requests_per_second: float = 2.0
    burst: int = 2
    keyword_covers_comment: bool = True
    utc_offset_hours: float = 0.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
