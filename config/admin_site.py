"""The admin's site: unfold's, but no page pays for a list of all models that it does not show."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin import sites
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.apps import BasicAppConfig
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Made when it is looked at: every page is handed one, and shows our own menu alone."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))


class UnfoldConfig(BasicAppConfig):
    def ready(self) -> None:
        """Before the admins of other apps register."""
        admin.site = sites.site = Site()
