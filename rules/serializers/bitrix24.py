"""Bitrix24's rule on the wire: ``BitrixRulesReq`` in, ``BitrixRule`` out (contract D12, D32-D36).

``Rule.pipeline`` and ``Rule.step`` keep PipelineID and StageID also while LeadFlag asks for leads; StatusID,
TypeID, SourceID and LeadFlag are ``Rule.choices``. So each of them can be changed on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.schema import Int32, Int64
from accounts.rest.values import BIGGEST_32, number_32, unix
from connectors.bitrix24.options import LEAD, SOURCE, STATUS, TYPE
from connectors.registry import connector_class
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

ENTITIES = ("lead", "deal", "company", "contact")
BY_QUESTION = "question id to custom field (bitrixID or fieldName); empty has a field made"


class BitrixFieldRule(serializers.Serializer[Any]):
    """Keys are question ids, values are custom fields: ``bitrixID`` or ``fieldName``.

    An empty value asks for a field to be made.
    """

    QuestionID = fields_by_key(BY_QUESTION)


class BitrixContactRules(serializers.Serializer[Any]):
    """``ContactRuleMap``: contact field name to custom field; derived from the quiz where it is empty."""

    ContactRuleMap = contact_fields()
    QuestionID = fields_by_key(BY_QUESTION)


class BitrixFieldRules(serializers.Serializer[Any]):
    lead = BitrixFieldRule(required=False, help_text="fields of the lead")
    deal = BitrixFieldRule(required=False, help_text="fields of the deal")
    company = BitrixFieldRule(required=False, help_text="fields of the company")
    contact = BitrixContactRules(required=False, help_text="fields of the contact")


class TagsToAdd(TagTexts):
    """Texts by kind of record: lead, deal, company, contact in any case; other keys are kept, no more."""

    component = "TagsToAdd"


class PipelineId(Int32):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=BIGGEST_32, **kwargs)


class BitrixRulesReq(serializers.Serializer[Any]):
    """POST demands all that is required here, PATCH nothing: what is missing stays (D34)."""

    PerformerID = code("bitrixUserID of the person responsible")
    PipelineID = PipelineId(help_text="bitrixID of the pipeline; 0 is the general one")
    TypeID = code("deal type, the statusID of a step of DEAL_TYPE")
    StageID = code("deal stage, the statusID of a step of the pipeline")
    SourceID = code("source, the statusID of a step of SOURCE")
    FieldsRule = BitrixFieldRules(help_text="which questions go into which fields, by kind of record")
    TagsToAdd = TagsToAdd(help_text="texts by kind of record: lead, deal, company, contact")
    LeadFlag = serializers.BooleanField(help_text="a lead is wanted, not a deal")
    StatusID = code("lead stage, the statusID of a step of STATUS")
    Quiz = serializers.DictField(
        required=False, help_text=f"{QUIZ} Fields that are to be made are named after its questions."
    )
    Extra = RuleExtra(required=False)


class BitrixRule(serializers.Serializer[Any]):
    ID = Int64(help_text="id in our system, primary key")
    accountID = serializers.CharField(help_text="Bitrix24 portal id")
    QuizID = Int32(help_text="the quiz service's number of the quiz")
    PerformerID = serializers.CharField(
        help_text="bitrixUserID of the person responsible; empty where none was named"
    )
    PipelineID = Int32(help_text="bitrixID of the pipeline; 0 is the general one")
    TypeID = serializers.CharField(help_text="deal type, the statusID of a step of DEAL_TYPE")
    StageID = serializers.CharField(help_text="deal stage, the statusID of a step of the pipeline")
    SourceID = serializers.CharField(help_text="source, the statusID of a step of SOURCE")
    FieldsRule = BitrixFieldRules(
        help_text="which questions go into which fields, by kind of record; an empty field is still "
        "to be made"
    )
    TagsToAdd = TagsToAdd(help_text="texts by kind of record")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = Int64(help_text="when it came into our system, Unix seconds")
    LeadFlag = serializers.BooleanField(
        help_text="true: leads with StatusID, false: deals with PipelineID and StageID"
    )
    StatusID = serializers.CharField(help_text="lead stage, the statusID of a step of STATUS")
    Problems = problems()
    Extra = RuleExtra(required=False)


PLACES = {"PerformerID": "performer", "PipelineID": "pipeline", "StageID": "step"}
COLUMNS = {**PLACES, "TagsToAdd": "tags_to_add", "Quiz": "quiz"}
CHOICES = {"TypeID": TYPE, "SourceID": SOURCE, "StatusID": STATUS, "LeadFlag": LEAD}


def read(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
    """The changes that a request asks for, by model field. Raises DRF's ``ValidationError``."""
    changes = changes_of(body, partial, DIALECT, COLUMNS)
    if "pipeline" in changes:
        changes["pipeline"] = str(changes["pipeline"])
    return changes


def write(rule: Rule) -> dict[str, Any]:
    """The stored rule as the contract has it; nothing is ever missing or null (D11)."""
    said = rule.choices
    return {
        "ID": rule.pk,
        "accountID": rule.account.remote_id,
        "QuizID": number_32(rule.quiz_id),
        "PerformerID": rule.performer,
        "PipelineID": number_32(rule.pipeline),
        "TypeID": said.get(TYPE, ""),
        "StageID": rule.step,
        "SourceID": said.get(SOURCE, ""),
        "FieldsRule": fields_rule(rule, ENTITIES),
        "TagsToAdd": rule.tags_to_add,
        "Deleted": rule.deleted,
        "CreatedAt": unix(rule.created_at),
        "LeadFlag": said.get(LEAD, False),
        "StatusID": said.get(STATUS, ""),
        "Problems": shown_problems(rule),
        **write_extra(rule, DIALECT),
    }


DIALECT = RuleDialect(
    request=BitrixRulesReq,
    response=BitrixRule,
    operations={
        "retrieve": "GetBitrixRules",
        "create": "CreateBitrixRules",
        "partial_update": "ChangeBitrixRules",
    },
    read=read,
    write=write,
    mapped=ENTITIES,
    places=PLACES,
    can=connector_class("bitrix24").can,
    choices=CHOICES,
    biggest_quiz_id=BIGGEST_32,
)
