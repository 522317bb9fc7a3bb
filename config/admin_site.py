"""The admin's site: unfold's, but no page pays for a list of all models that it does not show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import sites
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from unfold.apps import BasicAppConfig
from unfold.sites import UnfoldAdminSite

from accounts.texts import say

View = Callable[..., HttpResponseBase]


class Site(UnfoldAdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Made when it is looked at: every page is handed one, and shows our own menu alone."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Whoever sends a form after the end of a session is told that nothing came of it: the log-in leads
        back to the page, but not to what was typed there."""
        guarded: View = super().admin_view(view, cacheable)

        @wraps(guarded)
        def telling(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            sent = request.method == "POST" and request.path != reverse("admin:logout")
            if sent and not self.has_permission(request):
                words = say("Your session has ended, so nothing was saved. Log in and send the form again.")
                messages.warning(request, words)
            return guarded(request, *args, **kwargs)

        return telling


class UnfoldConfig(BasicAppConfig):
    def ready(self) -> None:
        """Before the admins of other apps register."""
        admin.site = sites.site = Site()
