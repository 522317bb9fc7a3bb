"""Reading a rule's body where the contract follows Bitrix24's pattern: plain keys, one map a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.serializers import Serializer


def changes_of(
    shape: Serializer[Any], columns: Mapping[str, str], entities: Iterable[str], choices: Mapping[str, str]
) -> dict[str, Any]:
    """What a body asks to change, by model field; what it lacks is left out. Raises ``ValidationError``.

    ``columns`` are body key -> column, ``choices`` body key -> key of ``Rule.choices``.
    """
    shape.is_valid(raise_exception=True)
    sent = shape.validated_data
    changes: dict[str, Any] = {column: sent[key] for key, column in columns.items() if key in sent}
    if "FieldsRule" in sent:
        changes["fields_rule"] = {entity: sent["FieldsRule"].get(entity, {}) for entity in entities}
    if picked := {key: sent[name] for name, key in choices.items() if name in sent}:
        changes["choices"] = picked
    return changes
