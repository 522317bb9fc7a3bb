"""Which path belongs to which CRM. A CRM is added with its lines here and its serializer file."""

from __future__ import annotations

from accounts.portals import ConnectedView
from accounts.routes import both
from accounts.views import AccountView, ConsentReturnView, UninstallView

urlpatterns = [
    *both("account", AccountView, {"post": "connect", "get": "show", "delete": "remove"}, kind="amocrm"),
    *both("connected/<str:crm>", ConnectedView, {"get": "show"}),
    *both("webhook/create", ConsentReturnView, {"get": "finish", "head": "nothing"}),
    *both("webhook/delete", UninstallView, {"get": "remove", "head": "nothing"}, kind="amocrm"),
]
