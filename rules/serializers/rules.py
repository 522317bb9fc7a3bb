"""A quiz account's rules over all CRMs on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from connectors.registry import rest_root
from rules.models import Rule
from rules.problems import shown_problems
from rules.serializers import dialect_of


class RuleProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(help_text="The part of the rule that it is about, empty for all of it.")


class QuizRuleOut(serializers.Serializer[Any]):
    """The rule of one quiz in one CRM, live or paused."""

    id = serializers.IntegerField()
    crm = serializers.CharField()
    account = serializers.IntegerField(help_text="The account's `id` in `/accounts`.")
    quizID = serializers.IntegerField()
    path = serializers.CharField(help_text="Where the rule is read, changed and deleted.")
    paused = serializers.BooleanField(help_text="Its answers are taken in and wait.")
    pausedAt = serializers.DateTimeField(allow_null=True)
    problems = RuleProblemOut(many=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    waiting = serializers.IntegerField(help_text="Deliveries by it that are neither delivered nor cancelled.")
    rule = serializers.DictField(help_text="As GET of `path` answers; its keys differ by CRM.")


class QuizRuleListOut(ListOut):
    items = QuizRuleOut(many=True)


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
