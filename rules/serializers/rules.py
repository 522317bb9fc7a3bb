"""A quiz account's rules over all CRMs on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from connectors.registry import CONNECTORS, rest_root
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers import dialect_of


class RuleProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="For programs: the problem in one word, such as performer_gone.")
    message = serializers.CharField(help_text="For people: what is wrong and what it does.")
    field = serializers.CharField(help_text="The part of the rule that it is about, empty for all of it.")


class QuizRuleOut(serializers.Serializer[Any]):
    """The rule of one quiz in one CRM, live or paused."""

    id = serializers.IntegerField(help_text="Our id of the rule.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    account = serializers.IntegerField(help_text="The account's `id` in `/accounts`.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    path = serializers.CharField(help_text="Where the rule is read, changed and deleted.")
    paused = serializers.BooleanField(help_text="Its answers are taken in and wait.")
    pausedAt = serializers.DateTimeField(
        allow_null=True, help_text="Since when it has been paused; null while it is live."
    )
    problems = RuleProblemOut(
        many=True,
        help_text="What keeps answers out of their fields, or the rule from delivering; empty where "
        "all is well.",
    )
    createdAt = serializers.DateTimeField(help_text="When it was made.")
    updatedAt = serializers.DateTimeField(
        help_text="When it was last saved, paused or resumed, or learned of a problem."
    )
    waiting = serializers.IntegerField(help_text="Deliveries by it that are neither delivered nor cancelled.")
    rule = serializers.DictField(help_text="As GET of `path` answers; its keys differ by CRM.")


class QuizRuleListOut(ListOut):
    items = QuizRuleOut(many=True, help_text="The rows of this page.")


def write_rule(rule: Rule, waiting: Mapping[int, int]) -> dict[str, Any]:
    """``waiting``: undelivered deliveries by rule."""
    crm = rule.account.crm
    return {
        "id": rule.pk,
        "crm": crm,
        "account": rule.account_id,
        "quizID": rule.quiz_id,
        "path": f"/{rest_root(crm)}rules/{rule.quiz_id}",
        "paused": rule.paused_at is not None,
        "pausedAt": rule.paused_at,
        "problems": shown_problems(rule),
        "createdAt": rule.created_at,
        "updatedAt": rule.updated_at,
        "waiting": waiting.get(rule.pk, 0),
        "rule": dialect_of(crm).write(rule),
    }
