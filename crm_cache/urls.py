"""Which path shows which list of which CRM: nothing to add for a further one."""

from __future__ import annotations

from django.urls import URLPattern

from accounts.rest.routes import both
from connectors.registry import CONNECTORS, rest_root
from crm_cache.serializers import lists_of
from crm_cache.views import CachedListView


def lists_shown(kind: str) -> list[URLPattern]:
    """Reading each list of a CRM and asking for its refresh."""
    actions = {"get": "read", "patch": "refresh"}
    return [
        line
        for shape in lists_of(kind)
        for line in both(f"{rest_root(kind)}{shape.what}", CachedListView, actions, kind=kind, shape=shape)
    ]


urlpatterns = [line for kind in CONNECTORS for line in lists_shown(kind)]
