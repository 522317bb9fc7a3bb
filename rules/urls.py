"""Rules, answers, deliveries and outcomes. Rules have the same paths for every CRM, behind its own root."""

from __future__ import annotations

from django.urls import URLPattern

from accounts.rest.routes import both
from connectors.registry import CONNECTORS, rest_root
from rules.serializers import dialect_of
from rules.views.accounts import AccountsViewSet
from rules.views.answers import AnswerViewSet
from rules.views.conversion import ConversionViewSet
from rules.views.deliveries import DeliveryViewSet
from rules.views.outcomes import HookView, OutcomeViewSet
from rules.views.people import PeopleViewSet
from rules.views.preview import PreviewViewSet
from rules.views.reconciliations import ReconciliationViewSet
from rules.views.rule_life import BackfillViewSet, RuleListViewSet, RuleOptionsViewSet, RulePauseViewSet
from rules.views.rules import RuleViewSet


def rule_of(kind: str) -> list[URLPattern]:
    """A CRM's rules, their preview and their backfill."""
    prefix = f"{rest_root(kind)}rules/<str:quizID>"
    actions = {"get": "retrieve", "post": "create", "patch": "partial_update", "delete": "destroy"}
    return [
        *both(prefix, RuleViewSet, actions, kind=kind, dialect=dialect_of(kind)),
        *both(f"{prefix}/pause", RulePauseViewSet, {"post": "pause"}, kind=kind),
        *both(f"{prefix}/resume", RulePauseViewSet, {"post": "resume"}, kind=kind),
        *both(f"{prefix}/options", RuleOptionsViewSet, {"get": "index"}, kind=kind),
        *both(f"{prefix}/preview", PreviewViewSet, {"post": "create"}, kind=kind),
        *both(f"{prefix}/backfill", BackfillViewSet, {"post": "create"}, kind=kind),
    ]


urlpatterns = [
    *(line for kind in CONNECTORS for line in rule_of(kind)),
    *both("rules", RuleListViewSet, {"get": "index"}),
    *both("accounts", AccountsViewSet, {"get": "index"}),
    *both("answers", AnswerViewSet, {"get": "index", "post": "create"}),
    *both("answers/<int:answer_pk>", AnswerViewSet, {"get": "retrieve"}),
    *both("answers/<int:answer_pk>/mend", AnswerViewSet, {"post": "mend"}),
    *both("deliveries", DeliveryViewSet, {"get": "index"}),
    *both("deliveries/<int:delivery_pk>", DeliveryViewSet, {"get": "retrieve"}),
    *both("deliveries/<int:delivery_pk>/retry", DeliveryViewSet, {"post": "retry"}),
    *both("deliveries/<int:delivery_pk>/cancel", DeliveryViewSet, {"post": "cancel"}),
    *both("deliveries/<int:delivery_pk>/replay", DeliveryViewSet, {"post": "replay"}),
    *both("deliveries/<int:delivery_pk>/arrived", DeliveryViewSet, {"post": "arrived"}),
    *both("people/erase", PeopleViewSet, {"post": "erase"}),
    *both("people/export", PeopleViewSet, {"post": "export"}),
    *both("reconciliations", ReconciliationViewSet, {"get": "index"}),
    *both("reconciliations/<int:reconciliation_pk>", ReconciliationViewSet, {"get": "retrieve"}),
    *both("reconciliations/<int:reconciliation_pk>/findings", ReconciliationViewSet, {"get": "findings"}),
    *both("outcomes", OutcomeViewSet, {"get": "index"}),
    *both("conversion", ConversionViewSet, {"get": "show"}),
    *both("hooks/<int:hook_pk>/<str:secret>", HookView, {"post": "take", "head": "nothing"}),
]
