"""Rules of CRMs without a contract on the wire: after Bitrix24's pattern, out of choices and entities.

PerformerID, PipelineID and StepID are columns of the rule, what only this CRM's rules say is its ``choices``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    contact_fields,
    fields_by_key,
    fields_rule,
    problems,
)

PLACES = {"PerformerID": "performer", "PipelineID": "pipeline", "StepID": "step"}
COLUMNS = {**PLACES, "TagsToAdd": "tags_to_add", "Quiz": "quiz"}
FIELDS = "which questions go into which fields, by kind of record"
TAGS = "texts by kind of record"
REQUEST = "What is missing has its default when a rule is made, and stays when it is changed."


def dialect_for(kind: str) -> RuleDialect:
    """How a rule of this CRM is spelled."""
    crm = described(kind)
    fields = _fields(crm)
    tags = type(f"{crm.word}TagsToAdd", (TagTexts,), {"component": f"{crm.word}TagsToAdd"})
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
        can=crm.can,
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
    contact = crm.component(f"{crm.word}ContactRule", {"ContactRuleMap": contact_fields()}, text, rule)
    parts = {
        entity: (contact if entity == "contact" else rule)(
            required=False, help_text=f"fields of the {entity}"
        )
        for entity in mapped(crm)
    }
    return crm.component(f"{crm.word}FieldRules", parts)


def _texts(crm: Described) -> dict[str, str]:
    """What each place and choice of a rule is, by its name over REST."""
    general = {
        "PerformerID": f"{crm.id_name} of the person responsible; empty: the CRM decides",
        "PipelineID": f"{crm.id_name} of the pipeline; empty: the CRM decides",
        "StepID": f"{crm.id_name} of the step; needs its pipeline",
        **{name_of(choice): _choice_text(crm, choice) for choice in crm.can.choices},
    }
    return {name: crm.text(text, f"Rule.{name}") for name, text in general.items()}


def _choice_text(crm: Described, choice: Choice) -> str:
    if choice.is_flag:
        return choice.word
    if choice.typed:
        return f"{choice.word}, a number; empty: none"
    return f"{crm.id_name} of a step of entity {choice.directory}; empty: none"


def _request(
    crm: Described, fields: type[serializers.Serializer[Any]], tags: type[TagTexts]
) -> type[serializers.Serializer[Any]]:
    texts = _texts(crm)
    properties: dict[str, Any] = {name: code(texts[name], default="") for name in PLACES}
    for choice in _entries(crm):
        properties[name_of(choice)] = _entry(choice, texts[name_of(choice)])
    properties["FieldsRule"] = fields(default=dict, help_text=FIELDS)
    properties["TagsToAdd"] = tags(default=dict, help_text=TAGS)
    for choice in _flags(crm):
        text = texts[name_of(choice)]
        properties[name_of(choice)] = serializers.BooleanField(default=choice.default, help_text=text)
    properties["Quiz"] = serializers.DictField(required=False, help_text=QUIZ)
    properties["Extra"] = RuleExtra(required=False)
    return crm.component(f"{crm.word}RulesReq", properties, REQUEST)


def _entry(choice: Choice, text: str) -> serializers.CharField:
    if choice.typed:
        return serializers.RegexField(r"^[0-9]{0,18}\Z", default="", allow_blank=True, help_text=text)
    return code(text, default="")


def _response(
    crm: Described, fields: type[serializers.Serializer[Any]], tags: type[TagTexts]
) -> type[serializers.Serializer[Any]]:
    texts = _texts(crm)

    def said(names: Iterable[str], field: type[serializers.Field[Any, Any, Any, Any]]) -> dict[str, Any]:
        return {name: field(help_text=texts[name]) for name in names}

    properties: dict[str, Any] = {
        "ID": Int64(help_text="id in our system, primary key"),
        "accountID": serializers.CharField(
            help_text=crm.text(f"id of the account in {crm.label}", "accountID")
        ),
        "QuizID": Int64(help_text="the quiz service's number of the quiz"),
        **said(PLACES, serializers.CharField),
        **said(map(name_of, _entries(crm)), serializers.CharField),
        "FieldsRule": fields(help_text=FIELDS),
        "TagsToAdd": tags(help_text=TAGS),
        **said(map(name_of, _flags(crm)), serializers.BooleanField),
        "Deleted": serializers.BooleanField(help_text="soft deletion flag"),
        "CreatedAt": Int64(help_text="when it came into our system, Unix seconds"),
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
