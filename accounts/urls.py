"""Accounts over REST, and the addresses that CRMs and browsers come back to.

CRMs with a contract have their lines here; all others are served at ``<kind>/account``.
"""

from __future__ import annotations

from django.urls import URLPattern

from accounts.events.endpoint_views import EndpointViewSet
from accounts.events.views import EventViewSet
from accounts.portals import ConnectedView, HealthView, KeyAccountView, NoticeView, PortalAccountView
from accounts.rest.routes import both
from accounts.serializers import bitrix24
from accounts.serializers.derived import dialect_for
from accounts.views import AccountView, ConsentReturnView, UninstallView
from connectors.registry import connector_class, rest_root, without_contract

ONE_ENDPOINT = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
ACCOUNT = {"post": "connect", "get": "show", "delete": "remove"}


def account_of(kind: str) -> list[URLPattern]:
    """The account of a CRM without a contract."""
    view = KeyAccountView if connector_class(kind).can.credentials else PortalAccountView
    return both(f"{rest_root(kind)}account", view, ACCOUNT, kind=kind, dialect=dialect_for(kind))


urlpatterns = [
    *both("account", AccountView, ACCOUNT, kind="amocrm"),
    *both("bitrix", HealthView, {"get": "show"}),
    *both("bitrix/account", PortalAccountView, ACCOUNT, kind="bitrix24", dialect=bitrix24.DIALECT),
    *both("bitrix/events", NoticeView, {"post": "take"}, kind="bitrix24"),
    *(line for kind in without_contract() for line in account_of(kind)),
    *both("events", EventViewSet, {"get": "index"}),
    *both("webhook-endpoints", EndpointViewSet, {"get": "index", "post": "create"}),
    *both("webhook-endpoints/<int:endpoint_pk>", EndpointViewSet, ONE_ENDPOINT),
    *both("webhook-endpoints/<int:endpoint_pk>/rotate-secret", EndpointViewSet, {"post": "rotate"}),
    *both("webhook-endpoints/<int:endpoint_pk>/replay", EndpointViewSet, {"post": "replay"}),
    *both("connected/<str:crm>", ConnectedView, {"get": "show"}),
    *both("webhook/create", ConsentReturnView, {"get": "finish", "head": "nothing"}),
    *both("webhook/delete", UninstallView, {"get": "remove", "head": "nothing"}, kind="amocrm"),
]
