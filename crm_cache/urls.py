"""Which path shows which list of which CRM. A CRM is added with its lines here and its serializer file."""

from __future__ import annotations

from django.urls import URLPattern

from accounts.rest.routes import both
from crm_cache.serializers import amocrm, bitrix24, envybox, solos
from crm_cache.serializers.shape import ListShape
from crm_cache.views import CachedListView


def cached_list(route: str, kind: str, shape: ListShape) -> list[URLPattern]:
    """Reading a list and asking for its refresh."""
    return both(route, CachedListView, {"get": "read", "patch": "refresh"}, kind=kind, shape=shape)


urlpatterns = [
    *cached_list("users", "amocrm", amocrm.USERS),
    *cached_list("pipelines", "amocrm", amocrm.PIPELINES),
    *cached_list("steps", "amocrm", amocrm.STEPS),
    *cached_list("fields", "amocrm", amocrm.FIELDS),
    *cached_list("tags", "amocrm", amocrm.TAGS),
    *cached_list("bitrix/users", "bitrix24", bitrix24.USERS),
    *cached_list("bitrix/pipelines", "bitrix24", bitrix24.PIPELINES),
    *cached_list("bitrix/steps", "bitrix24", bitrix24.STEPS),
    *cached_list("bitrix/fields", "bitrix24", bitrix24.FIELDS),
    *cached_list("envybox/users", "envybox", envybox.USERS),
    *cached_list("envybox/pipelines", "envybox", envybox.PIPELINES),
    *cached_list("envybox/steps", "envybox", envybox.STEPS),
    *cached_list("envybox/fields", "envybox", envybox.FIELDS),
    *cached_list("solos/users", "solos", solos.USERS),
    *cached_list("solos/pipelines", "solos", solos.PIPELINES),
    *cached_list("solos/steps", "solos", solos.STEPS),
    *cached_list("solos/fields", "solos", solos.FIELDS),
]
