"""amoCRM's rule on the wire: ``RulesReq`` in, ``Rule`` out (contract D12, D23-D27, D30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.rest.values import BIGGEST, number, unix
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra import RuleExtra, extra_changes, write_extra
from rules.serializers.keys import documented

PLACES = {"PerformerID": "performer", "PipelineID": "pipeline", "StepID": "step"}
ENTITIES = ("Lead", "Contact", "Company", "Customer")
MOST_QUESTIONS = 1000


class Id(serializers.IntegerField):
    """A CRM's id, 64 bits (D42)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=BIGGEST, required=kwargs.pop("required", False), **kwargs)


class FieldRule(serializers.Serializer[Any]):
    """Keys are question ids, values are custom field ids in the CRM; 0 asks for a field to be made."""

    QuestionID = serializers.DictField(child=Id(), required=False)


class ContactRules(serializers.Serializer[Any]):
    """Contact field name to custom field id; derived, never taken."""

    ContactRuleMap = serializers.DictField(child=Id(), required=False)


class TagIds(serializers.Serializer[Any]):
    """Our primary keys of tags, by entity."""

    Lead = serializers.ListField(child=Id(), required=False, max_length=MOST_QUESTIONS)
    Contact = serializers.ListField(child=Id(), required=False, max_length=MOST_QUESTIONS)
    Company = serializers.ListField(child=Id(), required=False, max_length=MOST_QUESTIONS)
    Customer = serializers.ListField(child=Id(), required=False, max_length=MOST_QUESTIONS)


class WantedFields(serializers.Serializer[Any]):
    Lead = FieldRule(many=True, required=False)
    Contact = serializers.ListField(
        child=ContactRules(), required=False, help_text="Not to be sent; ignored if it is."
    )
    Company = FieldRule(many=True, required=False)
    Customer = FieldRule(many=True, required=False)


class StoredFields(serializers.Serializer[Any]):
    lead = FieldRule(many=True)
    contact = ContactRules(many=True)
    company = FieldRule(many=True)
    customer = FieldRule(many=True)


@extend_schema_serializer(component_name="RulesReq")
class RulesReq(serializers.Serializer[Any]):
    """Any property may be missing: in POST that is 0 or empty, in PATCH the stored value stays (D27)."""

    PerformerID = Id()
    PipelineID = Id()
    StepID = Id()
    Fieldsrule = WantedFields(required=False)
    TagsToAdd = TagIds(required=False)
    Quiz = serializers.DictField(
        required=False,
        help_text="The quiz's configuration, if known: title, questions [{id, title, type, options}], "
        "contact [{key, title}]. Fields asked for with id 0 are named after its questions.",
    )
    Extra = RuleExtra(required=False)


@extend_schema_serializer(component_name="Rule")
class RuleOut(serializers.Serializer[Any]):
    ID = serializers.IntegerField()
    AccountID = serializers.IntegerField()
    QuizID = serializers.IntegerField()
    PerformerID = serializers.IntegerField()
    PipelineID = serializers.IntegerField()
    StepID = serializers.IntegerField()
    FieldsRule = StoredFields()
    TagsToAdd = TagIds()
    Deleted = serializers.BooleanField()
    CreatedAt = serializers.IntegerField()
    Problems = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    Extra = RuleExtra(required=False)


def read(body: Mapping[str, Any], partial: bool) -> dict[str, Any]:
    """The changes that a request asks for, by model field. Raises DRF's ``ValidationError``."""
    known = documented(body, RulesReq())
    if isinstance(wanted := known.get("Fieldsrule"), dict):
        wanted.pop("Contact", None)  # derived, whatever is sent (D26)
    shape = RulesReq(data=known, partial=partial)
    shape.is_valid(raise_exception=True)
    sent = shape.validated_data
    changes = extra_changes(sent, DIALECT)
    changes |= {name: str(sent[key] or "") for key, name in PLACES.items() if key in sent}
    if "Fieldsrule" in sent:
        wanted = sent["Fieldsrule"]
        changes["fields_rule"] = {e.lower(): wanted.get(e, []) for e in ENTITIES if e != "Contact"}
    if "TagsToAdd" in sent:
        changes["tags_to_add"] = {entity: sent["TagsToAdd"].get(entity, []) for entity in ENTITIES}
    if "Quiz" in sent:
        changes["quiz"] = sent["Quiz"]
    return changes


def write(rule: Rule) -> dict[str, Any]:
    """The stored rule as the contract has it; nothing is ever missing or null (D11)."""
    fields = rule.fields_rule
    return {
        "ID": rule.pk,
        "AccountID": number(rule.account.remote_id),
        "QuizID": rule.quiz_id,
        "PerformerID": number(rule.performer),
        "PipelineID": number(rule.pipeline),
        "StepID": number(rule.step),
        "FieldsRule": {
            "lead": fields.get("lead", []),
            "contact": [{"ContactRuleMap": {k: number(v) for k, v in rule.contact_map.items()}}]
            if rule.contact_map
            else [],
            "company": fields.get("company", []),
            "customer": fields.get("customer", []),
        },
        "TagsToAdd": {entity: rule.tags_to_add.get(entity, []) for entity in ENTITIES},
        "Deleted": rule.deleted,
        "CreatedAt": unix(rule.created_at),
        "Problems": shown_problems(rule),
        **write_extra(rule, DIALECT),
    }


DIALECT = RuleDialect(
    request=RulesReq,
    response=RuleOut,
    operations={
        "retrieve": "GettingQuizRules",
        "create": "SetQuizSettings",
        "partial_update": "ChangeQuizSettings",
    },
    read=read,
    write=write,
    mapped=("lead", "company", "customer"),  # a contact's map is derived (D26)
    places=PLACES,
    lists_of_maps=True,
    tags_by_key=True,
    tag="main",
)
