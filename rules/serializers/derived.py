"""Rules of CRMs without a contract on the wire: after Bitrix24's pattern, out of choices and entities.

PerformerID, PipelineID and StepID are columns of the rule, what only this CRM's rules say is its ``choices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.derived import Described, described
from accounts.rest.schema import Int64
from accounts.rest.values import unix
from connectors.base import Choice
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra import RuleExtra, write_extra
from rules.serializers.pattern import (
    QUIZ,
    TagTexts,
    changes_of,
    code,
    fields_by_key,
    fields_rule,
    problems,
)

PLACES = {"PerformerID": "performer", "PipelineID": "pipeline", "StepID": "step"}
COLUMNS = {**PLACES, "TagsToAdd": "tags_to_add", "Quiz": "quiz"}
REQUEST = "What is missing has its default when a rule is made, and stays when it is changed."


def dialect_for(kind: str) -> RuleDialect:
    """How a rule of this CRM is spelled."""
    crm = described(kind)
    fields, tags = _fields(crm), _tags(crm)
    request = _request(crm, fields, tags)
    choices = {name_of(choice): choice.key for choice in crm.can.choices}

    def read(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
        return changes_of(body, partial, dialect, COLUMNS)

    dialect = RuleDialect(
        request=request,
        response=_response(crm, fields, tags),
        operations={
            "retrieve": f"Get{crm.word}Rules",
            "create": f"Create{crm.word}Rules",
            "partial_update": f"Change{crm.word}Rules",
        },
        read=read,
        write=lambda rule: {**_write(crm, rule), **write_extra(rule, dialect)},
        mapped=mapped(crm),
        places=PLACES,
        choices=choices,
    )
    return dialect


def name_of(choice: Choice) -> str:
    """What a choice is called over REST."""
    return choice.name or choice.key


def mapped(crm: Described) -> tuple[str, ...]:
    """The kinds of record whose fields a rule names."""
    return crm.rest.mapped or tuple(crm.can.entities)


def _flags(crm: Described) -> list[Choice]:
    return [choice for choice in crm.can.choices if choice.is_flag]


def _entries(crm: Described) -> list[Choice]:
    return [choice for choice in crm.can.choices if not choice.is_flag]


def _fields(crm: Described) -> type[serializers.Serializer[Any]]:
    """``FieldsRule``: a map from questions to fields for each kind of record."""
    text = crm.text(
        f"Keys are question ids, values are custom fields: ``{crm.id_name}`` or ``code``.", "FieldRule"
    )
    rule = crm.component(f"{crm.word}FieldRule", {"QuestionID": fields_by_key()}, text)
    text = crm.text(
        "``ContactRuleMap``: contact field name to custom field; derived where it is empty.", "ContactRule"
    )
    contact = crm.component(f"{crm.word}ContactRule", {"ContactRuleMap": fields_by_key()}, text, rule)
    parts = {entity: (contact if entity == "contact" else rule)(required=False) for entity in mapped(crm)}
    return crm.component(f"{crm.word}FieldRules", parts)


def _tags(crm: Described) -> type[TagTexts]:
    return type(f"{crm.word}TagsToAdd", (TagTexts,), {"component": f"{crm.word}TagsToAdd"})


def _request(
    crm: Described, fields: type[serializers.Serializer[Any]], tags: type[TagTexts]
) -> type[serializers.Serializer[Any]]:
    def place(name: str, default: str) -> serializers.CharField:
        return code(crm.text(default, f"Rule.{name}"), default="")

    properties: dict[str, Any] = {
        "PerformerID": place("PerformerID", f"{crm.id_name} of the person responsible"),
        "PipelineID": place("PipelineID", f"{crm.id_name} of the pipeline"),
        "StepID": place("StepID", f"{crm.id_name} of the step; needs its pipeline"),
    }
    for choice in _entries(crm):
        properties[name_of(choice)] = _entry(crm, choice)
    properties["FieldsRule"] = fields(default=dict)
    properties["TagsToAdd"] = tags(default=dict)
    for choice in _flags(crm):
        text = crm.text(choice.word, f"Rule.{name_of(choice)}")
        properties[name_of(choice)] = serializers.BooleanField(default=choice.default, help_text=text)
    properties["Quiz"] = serializers.DictField(required=False, help_text=QUIZ)
    properties["Extra"] = RuleExtra(required=False)
    return crm.component(f"{crm.word}RulesReq", properties, REQUEST)


def _entry(crm: Described, choice: Choice) -> serializers.CharField:
    name = f"Rule.{name_of(choice)}"
    if choice.typed:
        text = crm.text(f"{choice.word}, a number", name)
        return serializers.RegexField(r"^[0-9]{0,18}\Z", default="", allow_blank=True, help_text=text)
    return code(crm.text(f"{crm.id_name} of a step of entity {choice.directory}", name), default="")


def _response(
    crm: Described, fields: type[serializers.Serializer[Any]], tags: type[TagTexts]
) -> type[serializers.Serializer[Any]]:
    properties: dict[str, Any] = {
        "ID": Int64(),
        "accountID": serializers.CharField(
            help_text=crm.text(f"id of the account in {crm.label}", "accountID")
        ),
        "QuizID": Int64(),
        **{name: serializers.CharField() for name in PLACES},
        **{name_of(choice): serializers.CharField() for choice in _entries(crm)},
        "FieldsRule": fields(),
        "TagsToAdd": tags(),
        **{name_of(choice): serializers.BooleanField() for choice in _flags(crm)},
        "Deleted": serializers.BooleanField(),
        "CreatedAt": Int64(),
        "Problems": problems(),
        "Extra": RuleExtra(required=False),
    }
    return crm.component(f"{crm.word}Rule", properties)


def _write(crm: Described, rule: Rule) -> dict[str, Any]:
    """The stored rule; nothing is ever missing or null (D11)."""
    said = rule.choices
    return {
        "ID": rule.pk,
        "accountID": rule.account.remote_id,
        "QuizID": rule.quiz_id,
        **{name: getattr(rule, column) for name, column in PLACES.items()},
        **{name_of(choice): str(said.get(choice.key) or "") for choice in _entries(crm)},
        "FieldsRule": fields_rule(rule, mapped(crm)),
        "TagsToAdd": rule.tags_to_add,
        **{name_of(choice): said.get(choice.key, choice.default) for choice in _flags(crm)},
        "Deleted": rule.deleted,
        "CreatedAt": unix(rule.created_at),
        "Problems": shown_problems(rule),
    }
