"""Rules, answers and deliveries. A CRM is added with its lines here and its serializer file."""

from __future__ import annotations

from types import ModuleType

from django.urls import URLPattern

from accounts.rest.routes import both
from rules.serializers import amocrm, bitrix24, envybox, solos
from rules.views import (
    AccountsViewSet,
    AnswerViewSet,
    BackfillViewSet,
    DeliveryViewSet,
    HookView,
    OutcomeViewSet,
    PreviewViewSet,
    RuleViewSet,
)


def rule_of(prefix: str, kind: str, dialect: ModuleType) -> list[URLPattern]:
    """A CRM's rules, their preview and their backfill."""
    actions = {"get": "retrieve", "post": "create", "patch": "partial_update"}
    return [
        *both(f"{prefix}rules/<str:quizID>", RuleViewSet, actions, kind=kind, dialect=dialect),
        *both(f"{prefix}rules/<str:quizID>/preview", PreviewViewSet, {"post": "create"}, kind=kind),
        *both(f"{prefix}rules/<str:quizID>/backfill", BackfillViewSet, {"post": "create"}, kind=kind),
    ]


urlpatterns = [
    *rule_of("", "amocrm", amocrm),
    *rule_of("bitrix/", "bitrix24", bitrix24),
    *rule_of("envybox/", "envybox", envybox),
    *rule_of("solos/", "solos", solos),
    *both("accounts", AccountsViewSet, {"get": "index"}),
    *both("answers", AnswerViewSet, {"post": "create"}),
    *both("answers/<int:answer_pk>", AnswerViewSet, {"get": "retrieve"}),
    *both("deliveries", DeliveryViewSet, {"get": "index"}),
    *both("deliveries/<int:delivery_pk>", DeliveryViewSet, {"get": "retrieve"}),
    *both("deliveries/<int:delivery_pk>/retry", DeliveryViewSet, {"post": "retry"}),
    *both("deliveries/<int:delivery_pk>/arrived", DeliveryViewSet, {"post": "arrived"}),
    *both("outcomes", OutcomeViewSet, {"get": "index"}),
    *both("hooks/<int:hook_pk>/<str:secret>", HookView, {"post": "take", "head": "nothing"}),
]
