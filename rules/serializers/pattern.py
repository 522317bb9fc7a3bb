"""What rules share on the wire where they follow Bitrix24's pattern: plain keys, one map a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.schema import Component
from rules.models import Rule
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra import extra_changes
from rules.serializers.keys import documented

LONGEST_ID, MOST_TAGS = 100, 1000
QUIZ = (
    "The quiz's configuration, if known: title, questions [{id, title, type, options}], "
    "contact [{key, title}]."
)


def not_negative(value: str) -> None:
    """No CRM has negative ids. Raises ``ValidationError``."""
    if re.match(r"\s*-\s*\d", value):
        raise serializers.ValidationError("An id is never negative.")


class Code(serializers.CharField):
    """A text or a whole number, never one with a point."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, float):
            self.fail("invalid")
        return super().to_internal_value(data)


def code(help_text: str, **more: Any) -> serializers.CharField:
    """An id or a code word of the CRM's, as a text."""
    return Code(
        max_length=LONGEST_ID, allow_blank=True, help_text=help_text, validators=[not_negative], **more
    )


def fields_by_key(help_text: str = "question id to custom field") -> Any:
    return serializers.DictField(child=code(""), required=False, help_text=help_text)


def contact_fields() -> Any:
    return fields_by_key("contact field name (phone, email, ...) to custom field; derived where it is empty")


def problems() -> serializers.ListField:
    return serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="what is wrong with it today, each with code, message and field; empty where all is well",
    )


class TagTexts(Component, serializers.DictField):
    """Texts by kind of record; a CRM says its own name for it."""

    schema = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    child = serializers.ListField(child=serializers.CharField(max_length=250), max_length=MOST_TAGS)


def changes_of(
    body: Mapping[str, Any], partial: bool, dialect: RuleDialect, columns: Mapping[str, str]
) -> dict[str, Any]:
    """What a body asks to change, by model field; what a ``partial`` one lacks is left out. Raises
    ``ValidationError``.

    ``columns`` are body key -> column.
    """
    shape = dialect.request(data=documented(body, dialect.request()), partial=partial)
    shape.is_valid(raise_exception=True)
    sent = shape.validated_data
    changes: dict[str, Any] = {column: sent[key] for key, column in columns.items() if key in sent}
    if "FieldsRule" in sent:
        changes["fields_rule"] = {entity: sent["FieldsRule"].get(entity, {}) for entity in dialect.mapped}
    if picked := {key: sent[name] for name, key in dialect.choices.items() if name in sent}:
        changes["choices"] = picked
    return changes | extra_changes(sent, dialect)


def fields_rule(rule: Rule, entities: Iterable[str]) -> dict[str, Any]:
    """``{entity: {"QuestionID": {question: field}}}``; a contact's has its ``ContactRuleMap``, too."""
    stored = {entity: (rule.fields_rule.get(entity) or {}).get("QuestionID") or {} for entity in entities}
    shown: dict[str, Any] = {entity: {"QuestionID": questions} for entity, questions in stored.items()}
    if "contact" in shown:
        shown["contact"]["ContactRuleMap"] = rule.contact_map
    return shown
