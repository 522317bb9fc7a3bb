"""amoCRM's rule on the wire: ``RulesReq`` in, ``Rule`` out (contract D12, D23-D27, D30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.rest.values import BIGGEST, number, unix
from connectors.registry import connector_class
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra import RuleExtra, extra_changes, write_extra
from rules.serializers.keys import documented
from rules.serializers.pattern import problems

PLACES = {"PerformerID": "performer", "PipelineID": "pipeline", "StepID": "step"}
ENTITIES = ("Lead", "Contact", "Company", "Customer")
MOST_QUESTIONS = 1000


class Id(serializers.IntegerField):
    """A CRM's id, 64 bits (D42)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=BIGGEST, required=kwargs.pop("required", False), **kwargs)


class FieldRule(serializers.Serializer[Any]):
    """Keys are question ids, values are custom fields: ``AmoID``; 0 asks for a field to be made."""

    QuestionID = serializers.DictField(
        child=Id(),
        required=False,
        help_text="question id to custom field id (`AmoID`); 0 has a field made, called as the question",
    )


class ContactRules(serializers.Serializer[Any]):
    """Contact field name to custom field id; derived, never taken."""

    ContactRuleMap = serializers.DictField(
        child=Id(),
        required=False,
        help_text="contact field name (phone, email, ...) to custom field id (`AmoID`)",
    )


def _tags(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=Id(), required=False, max_length=MOST_QUESTIONS, help_text=help_text)


class TagIds(serializers.Serializer[Any]):
    """Our primary keys of tags, by entity."""

    Lead = _tags("tags of leads, each by its `ID` in `/tags`, ours")
    Contact = _tags("tags of contacts, the same way")
    Company = _tags("tags of companies, the same way")
    Customer = _tags("tags of customers, the same way")


class WantedFields(serializers.Serializer[Any]):
    Lead = FieldRule(
        many=True,
        required=False,
        help_text="fields of the lead; of a question that comes twice the later entry counts",
    )
    Contact = serializers.ListField(
        child=ContactRules(), required=False, help_text="Not to be sent; ignored if it is."
    )
    Company = FieldRule(many=True, required=False, help_text="fields of the company")
    Customer = FieldRule(many=True, required=False, help_text="fields of the customer")


class StoredFields(serializers.Serializer[Any]):
    lead = FieldRule(many=True, help_text="fields of the lead")
    contact = ContactRules(many=True, help_text="fields of the contact, derived; empty until lists are read")
    company = FieldRule(many=True, help_text="fields of the company")
    customer = FieldRule(many=True, help_text="fields of the customer")


@extend_schema_serializer(component_name="RulesReq")
class RulesReq(serializers.Serializer[Any]):
    """Any property may be missing: in POST that is 0 or empty, in PATCH the stored value stays (D27)."""

    PerformerID = Id(help_text="`AmoID` of the user who is to be responsible; 0 is amoCRM's own default")
    PipelineID = Id(help_text="`AmoID` of the pipeline; 0 is amoCRM's own default")
    StepID = Id(help_text="`AmoID` of the step, of this pipeline; 0 is amoCRM's own default")
    Fieldsrule = WantedFields(
        required=False, help_text="which questions go into which fields, by kind of record"
    )
    TagsToAdd = TagIds(
        required=False, help_text="tags by kind of record: our `ID`s, unlike all other ids of a rule"
    )
    Quiz = serializers.DictField(
        required=False,
        help_text="The quiz's configuration, if known: title, questions [{id, title, type, options}], "
        "contact [{key, title}]. Fields asked for with id 0 are named after its questions.",
    )
    Extra = RuleExtra(required=False)


@extend_schema_serializer(component_name="Rule")
class RuleOut(serializers.Serializer[Any]):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AccountID = serializers.IntegerField(help_text="amoCRM account id")
    QuizID = serializers.IntegerField(help_text="the quiz service's number of the quiz")
    PerformerID = serializers.IntegerField(
        help_text="`AmoID` of the user who is responsible; 0 where none was named"
    )
    PipelineID = serializers.IntegerField(help_text="`AmoID` of the pipeline; 0 where none was named")
    StepID = serializers.IntegerField(help_text="`AmoID` of the step; 0 where none was named")
    FieldsRule = StoredFields(
        help_text="which questions go into which fields, by kind of record; 0: the field is still to be made"
    )
    TagsToAdd = TagIds(help_text="tags by kind of record: our `ID`s")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")
    Problems = problems()
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
    can=connector_class("amocrm").can,
    lists_of_maps=True,
    tags_by_key=True,
    tag="main",
)
