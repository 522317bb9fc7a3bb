"""Which path belongs to which CRM. A CRM is added with its lines here and its serializer file."""

from __future__ import annotations

from accounts.key_accounts import KeyAccountView
from accounts.portals import ConnectedView, HealthView, NoticeView, PortalAccountView
from accounts.rest.routes import both
from accounts.serializers import bitrix24, envybox, solos
from accounts.views import AccountView, ConsentReturnView, UninstallView

urlpatterns = [
    *both("account", AccountView, {"post": "connect", "get": "show", "delete": "remove"}, kind="amocrm"),
    *both("bitrix", HealthView, {"get": "show"}),
    *both(
        "bitrix/account",
        PortalAccountView,
        {"post": "connect", "get": "show", "delete": "remove"},
        kind="bitrix24",
        dialect=bitrix24,
    ),
    *both(
        "envybox/account",
        KeyAccountView,
        {"post": "connect", "get": "show", "delete": "remove"},
        kind="envybox",
        dialect=envybox,
    ),
    *both(
        "solos/account",
        KeyAccountView,
        {"post": "connect", "get": "show", "delete": "remove"},
        kind="solos",
        dialect=solos,
    ),
    *both("bitrix/events", NoticeView, {"post": "take"}, kind="bitrix24"),
    *both("connected/<str:crm>", ConnectedView, {"get": "show"}),
    *both("webhook/create", ConsentReturnView, {"get": "finish", "head": "nothing"}),
    *both("webhook/delete", UninstallView, {"get": "remove", "head": "nothing"}, kind="amocrm"),
]
