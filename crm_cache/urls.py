"""Which path shows which list of which CRM. A CRM is added with its lines here and its serializer file."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from crm_cache.serializers import amocrm
from crm_cache.serializers.shape import ListShape
from crm_cache.views import CachedListView


def cached_list(route: str, kind: str, shape: ListShape) -> list[URLPattern]:
    """The list at its path, and at the same path with a slash, which the schema leaves out (D2)."""
    actions: dict[str, Any] = {"get": "read", "patch": "refresh"}
    return [
        path(route, CachedListView.as_view(actions, kind=kind, shape=shape)),
        path(f"{route}/", CachedListView.as_view(actions, kind=kind, shape=shape, schema=None)),
    ]


urlpatterns = [
    *cached_list("users", "amocrm", amocrm.USERS),
    *cached_list("pipelines", "amocrm", amocrm.PIPELINES),
    *cached_list("steps", "amocrm", amocrm.STEPS),
    *cached_list("fields", "amocrm", amocrm.FIELDS),
    *cached_list("tags", "amocrm", amocrm.TAGS),
]
