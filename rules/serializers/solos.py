"""solOS's rule on the wire, after Bitrix24's pattern: ours to name, as no contract does.

A lead of solOS is in no funnel yet: PipelineID and StepID go along as words. SourceID is of ``Rule.choices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.schema import Int32, Int64
from accounts.rest.views import number_32, unix
from connectors.solos.options import SOURCE
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers.pattern import (
    COLUMNS,
    QUIZ,
    TagTexts,
    changes_of,
    code,
    fields_by_key,
    fields_rule,
    problems,
)

ENTITIES = ("lead",)


def number(help_text: str, **more: Any) -> serializers.RegexField:
    """Digits: solOS's ids are numbers, ours are texts everywhere."""
    return serializers.RegexField(r"^[0-9]{0,18}\Z", allow_blank=True, help_text=help_text, **more)


class SolosFieldRule(serializers.Serializer[Any]):
    """Keys are question ids, values are fields of projects (``solosID``), under whose names answers go."""

    QuestionID = fields_by_key()


class SolosFieldRules(serializers.Serializer[Any]):
    lead = SolosFieldRule(required=False)


class SolosTagsToAdd(TagTexts):
    """Texts under lead: solOS has no tags, so they stand in the lead's service information."""

    component = "SolosTagsToAdd"


class SolosRulesReq(serializers.Serializer[Any]):
    """What is missing has its default when a rule is made, and stays when it is changed."""

    PerformerID = code("solosID of the person responsible", default="")
    PipelineID = code("solosID of the funnel that the lead is meant for", default="")
    StepID = code("solosID of the funnel's step; needs its funnel", default="")
    SourceID = number("number of the lead's source, from the settings of solOS", default="")
    FieldsRule = SolosFieldRules(default=dict)
    TagsToAdd = SolosTagsToAdd(default=dict)
    Quiz = serializers.DictField(required=False, help_text=QUIZ)


class SolosRule(serializers.Serializer[Any]):
    ID = Int64()
    accountID = serializers.CharField(help_text="the host of this solOS")
    QuizID = Int32()
    PerformerID = serializers.CharField()
    PipelineID = serializers.CharField()
    StepID = serializers.CharField()
    SourceID = serializers.CharField()
    FieldsRule = SolosFieldRules()
    TagsToAdd = SolosTagsToAdd()
    Deleted = serializers.BooleanField()
    CreatedAt = Int64()
    Problems = problems()


REQUEST, RESPONSE, TAG = SolosRulesReq, SolosRule, "Rules"
OPERATIONS = {
    "retrieve": "GetSolosRules",
    "create": "CreateSolosRules",
    "partial_update": "ChangeSolosRules",
}
CHOICES = {"SourceID": SOURCE}


def read(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
    """The changes that a request asks for, by model field. Raises DRF's ``ValidationError``."""
    return changes_of(SolosRulesReq, body, partial, COLUMNS, ENTITIES, CHOICES)


def write(rule: Rule) -> dict[str, Any]:
    """The stored rule; nothing is ever missing or null (D11)."""
    return {
        "ID": rule.pk,
        "accountID": rule.account.remote_id,
        "QuizID": number_32(rule.quiz_id),
        "PerformerID": rule.performer,
        "PipelineID": rule.pipeline,
        "StepID": rule.step,
        "SourceID": str(rule.choices.get(SOURCE) or ""),
        "FieldsRule": fields_rule(rule, ENTITIES),
        "TagsToAdd": rule.tags_to_add,
        "Deleted": rule.deleted,
        "CreatedAt": unix(rule.created_at),
        "Problems": shown_problems(rule),
    }
