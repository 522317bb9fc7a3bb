"""Envybox's rule on the wire, after Bitrix24's pattern: ours to name, as no contract does.

``Rule.pipeline`` and ``Rule.step`` are the deal's; LeadFlag, SourceID and QueueMode are ``Rule.choices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.schema import Int32, Int64
from accounts.rest.views import number_32, unix
from connectors.envybox.options import LEAD, QUEUE, SOURCE
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

ENTITIES = ("lead", "deal", "contact")


class EnvyboxFieldRule(serializers.Serializer[Any]):
    """Keys are question ids, values are custom fields: ``envyboxID`` or ``code``."""

    QuestionID = fields_by_key()


class EnvyboxContactRule(EnvyboxFieldRule):
    """``ContactRuleMap``: contact field name to custom field of the client; derived where it is empty."""

    ContactRuleMap = fields_by_key()


class EnvyboxFieldRules(serializers.Serializer[Any]):
    lead = EnvyboxFieldRule(required=False)
    deal = EnvyboxFieldRule(required=False)
    contact = EnvyboxContactRule(required=False)


class EnvyboxTagsToAdd(TagTexts):
    """Names of deal tags, under lead or deal."""

    component = "EnvyboxTagsToAdd"


class EnvyboxRulesReq(serializers.Serializer[Any]):
    """What is missing has its default when a rule is made, and stays when it is changed."""

    PerformerID = code("envyboxID of the person responsible; 0 is the administrator", default="")
    PipelineID = code("envyboxID of the deals' pipeline; empty is the main one", default="")
    StepID = code("envyboxID of the deal's step; needs its pipeline", default="")
    SourceID = code("envyboxID of a step of entity inbox_type", default="")
    FieldsRule = EnvyboxFieldRules(default=dict)
    TagsToAdd = EnvyboxTagsToAdd(default=dict)
    LeadFlag = serializers.BooleanField(
        default=True, help_text="leave it a lead; false takes it into work at once, which makes the deal"
    )
    QueueMode = serializers.BooleanField(
        default=False,
        help_text="through the queue, which makes no duplicates and takes a moment longer",
    )
    Quiz = serializers.DictField(required=False, help_text=QUIZ)


class EnvyboxRule(serializers.Serializer[Any]):
    ID = Int64()
    accountID = serializers.CharField(help_text="id of the CRM in Envybox")
    QuizID = Int32()
    PerformerID = serializers.CharField()
    PipelineID = serializers.CharField()
    StepID = serializers.CharField()
    SourceID = serializers.CharField()
    FieldsRule = EnvyboxFieldRules()
    TagsToAdd = EnvyboxTagsToAdd()
    LeadFlag = serializers.BooleanField()
    QueueMode = serializers.BooleanField()
    Deleted = serializers.BooleanField()
    CreatedAt = Int64()
    Problems = problems()


REQUEST, RESPONSE, TAG = EnvyboxRulesReq, EnvyboxRule, "Rules"
OPERATIONS = {
    "retrieve": "GetEnvyboxRules",
    "create": "CreateEnvyboxRules",
    "partial_update": "ChangeEnvyboxRules",
}
CHOICES = {"SourceID": SOURCE, "LeadFlag": LEAD, "QueueMode": QUEUE}


def read(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
    """The changes that a request asks for, by model field. Raises DRF's ``ValidationError``."""
    return changes_of(EnvyboxRulesReq, body, partial, COLUMNS, ENTITIES, CHOICES)


def write(rule: Rule) -> dict[str, Any]:
    """The stored rule; nothing is ever missing or null (D11)."""
    said = rule.choices
    return {
        "ID": rule.pk,
        "accountID": rule.account.remote_id,
        "QuizID": number_32(rule.quiz_id),
        "PerformerID": rule.performer,
        "PipelineID": rule.pipeline,
        "StepID": rule.step,
        "SourceID": said.get(SOURCE, ""),
        "FieldsRule": fields_rule(rule, ENTITIES),
        "TagsToAdd": rule.tags_to_add,
        "LeadFlag": said.get(LEAD, True),
        "QueueMode": said.get(QUEUE, False),
        "Deleted": rule.deleted,
        "CreatedAt": unix(rule.created_at),
        "Problems": shown_problems(rule),
    }
