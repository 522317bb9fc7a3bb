"""What a CRM's lists consist of, whatever the CRM calls it: rows for the cache.

``details`` is the vendor's row as it came (secrets stripped), kept for people and for later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.draft import Target


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody who can be responsible for a lead. ``active`` is false for those who left."""

    remote_id: str
    name: str
    email: str = ""
    role: str = ""
    group_id: str = ""
    active: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """``entity`` tells pipelines of different record types apart (empty where there is one type)."""

    remote_id: str
    name: str
    entity: str = ""
    is_main: bool = False
    archived: bool = False
    sort: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A pipeline's stage, or an entry of another directory named by ``entity``.

    ``kind`` is one of ``open``, ``incoming``, ``won``, ``lost``.
    """

    pipeline_id: str
    remote_id: str
    name: str
    entity: str = ""
    color: str = ""
    kind: str = "open"
    sort: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldRow(Target):
    """A custom field. ``entity`` is the CRM's name of the record type."""

    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        """The same as drafts and rules have it."""
        own = (self.entity, self.remote_id, self.name, self.type, self.code, self.options, self.multiple)
        return Target(*own)


@dataclass(frozen=True, slots=True)
class TagRow:
    entity: str
    remote_id: str
    name: str
    color: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


Row = UserRow | PipelineRow | StepRow | FieldRow | TagRow
