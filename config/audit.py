"""Who did what to what, and when: all that staff have done in the admin, on one list that nobody changes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from accounts.admin_base import StaffAdmin, column, link, when
from accounts.texts import said
from connectors.messages import from_column
from rules.admin.filters import DayFilter
from rules.models import Delivery

VERBS = {ADDITION: _("add"), CHANGE: _("change"), DELETION: _("delete")}


class KindFilter(RelatedDropdownFilter):
    """What has pages here; nobody does anything to other rows."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        listed = ContentType.objects.get_for_models(*model_admin.admin_site._registry)
        named = [(kind.pk, capfirst(str(model._meta.verbose_name))) for model, kind in listed.items()]
        return sorted(named, key=lambda choice: choice[1])


@admin.register(LogEntry)
class AuditAdmin(StaffAdmin):
    nothing_yet = _("What staff do here is noted in this list.")
    list_display = ("at", "who", "verb", "kind", "what", "told")
    list_display_links = None
    list_filter = (
        ("user", RelatedDropdownFilter),
        ("action_flag", ChoicesDropdownFilter),
        ("content_type", KindFilter),
        ("action_time", DayFilter),
    )
    search_fields = ("user__username", "object_repr", "=object_id", "change_message")
    search_help_text = _("A person of the staff, what it was done to, its number, or what was done")
    list_select_related = ("user", "content_type")
    sortable_by = ()

    at = column(_("when"), lambda entry: when(entry.action_time))
    who = column(_("who"), lambda entry: entry.user.get_username())

    @display(description=_("what"), label={ADDITION: "success", CHANGE: "info", DELETION: "danger"})
    def verb(self, entry: LogEntry) -> tuple[int, Any]:
        return entry.action_flag, VERBS.get(entry.action_flag, "")

    @display(description=_("kind"))
    def kind(self, entry: LogEntry) -> str:
        model = entry.content_type.model_class() if entry.content_type else None
        return capfirst(str(model._meta.verbose_name)) if model else ""

    @display(description=_("to what"))
    def what(self, entry: LogEntry) -> Any:
        """A link where its page is for those who read this list."""
        if not entry.content_type or not entry.object_id or entry.action_flag == DELETION:
            return entry.object_repr
        told = entry.object_repr
        if entry.content_type.model_class() is Delivery:  # many at once are noted by a worker, in English
            told = str(Delivery(pk=entry.object_id))
        name = f"admin:{entry.content_type.app_label}_{entry.content_type.model}_change"
        try:
            return link(reverse(name, args=[entry.object_id]), told)
        except NoReverseMatch:
            return told

    @display(description=_("in detail"))
    def told(self, entry: LogEntry) -> str:
        """A kept message; of what Django's own pages wrote, its sentence."""
        kept = from_column(entry.change_message)
        return said(kept) if kept is not entry.change_message else said(entry.get_change_message())
