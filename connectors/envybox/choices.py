"""What a rule says beyond performer, pipeline and step: the keys of ``Placement.choices`` for Envybox.

``Placement.pipeline`` and ``.step`` are always the deal's (reference 7.3): a lead names the deal's pipeline
from the start and comes to its step once it was taken into work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEAD = "LeadFlag"  # bool: leave it a lead; false takes it into work, which makes the deal
SOURCE = "SourceID"  # inbox_type_id, an entry of the directory INBOXES
QUEUE = "QueueMode"  # bool: through the queue that makes no duplicates
INBOXES = "inbox_type"


def takes_into_work(choices: Mapping[str, Any]) -> bool:
    return choices.get(LEAD) is False


def queues(choices: Mapping[str, Any]) -> bool:
    return choices.get(QUEUE) is True
