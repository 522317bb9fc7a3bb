"""How one CRM's rule is spelled over REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rest_framework.serializers import Serializer

from accounts.rest.values import BIGGEST
from connectors.base import Capabilities
from rules.models import Rule


class ReadsRule(Protocol):
    def __call__(self, body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
        """The changes that a request asks for, by model field. Raises DRF's ``ValidationError``."""


@dataclass(frozen=True, slots=True)
class RuleDialect:
    """``operations`` are operation ids by action (retrieve, create, partial_update); ``write`` is a rule as
    ``response`` describes it. ``mapped`` are the kinds of records whose fields a rule may fill with
    questions, the lead's first; ``lists_of_maps``: a record has a list of maps (D25), in which a question may
    come again, not a single one; ``tags_by_key``: rules name tags by our keys, not by their names.
    ``biggest_quiz_id`` is what its ``QuizID`` can say. ``places`` are body key -> column of where leads go
    and who looks after them, ``can`` what the CRM is able to, ``choices`` body key -> key of
    ``Rule.choices``."""

    request: type[Serializer[Any]]
    response: type[Serializer[Any]]
    operations: Mapping[str, str]
    read: ReadsRule
    write: Callable[[Rule], dict[str, Any]]
    mapped: tuple[str, ...]
    places: Mapping[str, str]
    can: Capabilities
    choices: Mapping[str, str] = field(default_factory=dict)
    lists_of_maps: bool = False
    tags_by_key: bool = False
    tag: str = "Rules"
    biggest_quiz_id: int = BIGGEST
