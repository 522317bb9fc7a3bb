"""What the CRMs told us, to be read: lists for browsing, and the runs that filled them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    FieldTextFilter,
)
from unfold.decorators import display

from accounts.admin_base import StaffAdmin, badge, column, when
from accounts.texts import in_seconds, said, say, say_many, spaced
from connectors.redact import redact
from crm_cache.by_hand import KINDS, ByHandAdmin
from crm_cache.lookup import name_of
from crm_cache.models import CrmUser, Field, Pipeline, Step, SyncRun, Tag

RUN_COLOURS = {"waiting": "info", "running": "primary", "done": "success", "failed": "danger"}
OF_ACCOUNT = ("account", AutocompleteSelectFilter)
GONE = ("deleted", BooleanRadioFilter)
NOTHING_READ = _("Lists are read from a CRM as soon as it is connected.")


class CachedAdmin(ByHandAdmin):
    """A mirrored list. Nothing is edited here, the next sync would undo it, but what was only observed."""

    nothing_yet = NOTHING_READ
    list_select_related = ("account",)
    search_fields: tuple[str, ...] = ("=remote_id", "name")
    list_filter: Any = (OF_ACCOUNT, GONE)
    facts: tuple[Any, ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        shown = ("details_text",) if self.has_operate_permission(request) else ()
        seen, facts = (("created_at", "synced_at"), ("deleted", "by_hand")), self.facts_of(request, obj)
        return [(None, {"fields": ("account", ("name", "remote_id"), *facts, *seen, *shown)})]

    def facts_of(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        return self.facts

    told: tuple[str, ...] = ("details_text",)

    @display(description=_("state"), label={"gone": "danger", "there": "success"}, ordering="deleted")
    def presence(self, row: Any) -> tuple[str, str]:
        return ("gone", say("gone")) if row.deleted else ("there", say("in the CRM"))

    synced = column(_("last change seen"), lambda row: when(row.synced_at), ordering="synced_at")

    @display(description=_("as the CRM told it"))
    def details_text(self, row: Any) -> SafeString:
        text = json.dumps(row.details, ensure_ascii=False, indent=2, default=str)
        return format_html('<pre class="desk-code">{}</pre>', redact(text))


@admin.register(CrmUser)
class CrmUserAdmin(CachedAdmin):
    list_display = ("name", "email", "role", "works_there", "presence", "remote_id", "account", "synced")
    list_filter = (OF_ACCOUNT, ("active", BooleanRadioFilter), GONE)
    search_fields = ("=remote_id", "name", "email")
    facts = (("email", "role"), ("group_id", "active"))
    written = ("name", "email", "active", "deleted")

    works_there = column(_("active"), lambda row: row.active, boolean=True, ordering="active")


@admin.register(Pipeline)
class PipelineAdmin(CachedAdmin):
    list_display = ("name", "entity", "is_main", "archived", "presence", "remote_id", "account", "synced")
    list_filter = (OF_ACCOUNT, ("entity", FieldTextFilter), GONE)
    facts = (("entity", "sort"), ("is_main", "archived"))
    written = ("name", "sort", "deleted")


@admin.register(Step)
class StepAdmin(CachedAdmin):
    list_display = (
        "name",
        "pipeline_name",
        "entity",
        "kind_name",
        "presence",
        "remote_id",
        "account",
        "synced",
    )
    list_filter = (OF_ACCOUNT, ("entity", FieldTextFilter), ("pipeline_id", FieldTextFilter), GONE)
    told = ("details_text", "pipeline_name", "kind_name")
    key = ("account", "pipeline_id", "remote_id")
    written = ("name", "kind", "sort", "deleted")
    kind_name = column(_("kind"), lambda step: KINDS.get(step.kind, step.kind), ordering="kind")

    def facts_of(self, request: HttpRequest, obj: Any) -> tuple[Any, ...]:
        """Its kind is chosen by those who may, and else read."""
        kind = "kind" if self.has_change_permission(request, obj) else "kind_name"
        return ("pipeline_name", "pipeline_id"), ("entity", kind), ("color", "sort")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(its_pipeline=name_of(Pipeline, "pipeline_id"))

    pipeline_name = column(_("pipeline"), lambda row: row.its_pipeline or row.pipeline_id)


@admin.register(Field)
class FieldAdmin(CachedAdmin):
    list_display = ("name", "entity", "type", "code", "choices", "presence", "remote_id", "account", "synced")
    list_filter = (OF_ACCOUNT, ("entity", FieldTextFilter), ("type", FieldTextFilter), GONE)
    search_fields = ("=remote_id", "name", "=code")
    facts = (("entity", "type"), ("code", "multiple"), "choices_text")
    told = ("details_text", "choices_text")
    key = ("account", "entity", "remote_id")
    written = ("name", "type", "deleted")

    choices = column(_("choices"), lambda row: str(len(row.options)) if row.options else "")

    @display(description=_("choices"))
    def choices_text(self, row: Field) -> str:
        return ", ".join(f"{one.get('text')} ({one.get('id')})" for one in row.options)


@admin.register(Tag)
class TagAdmin(CachedAdmin):
    list_display = ("name", "entity", "id", "presence", "remote_id", "account", "synced")
    list_filter = (OF_ACCOUNT, ("entity", FieldTextFilter), GONE)
    facts = (("entity", "color"),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No CRM whose lists are observed has tags."""
        return False


@admin.register(SyncRun)
class SyncRunAdmin(StaffAdmin):
    nothing_yet = NOTHING_READ
    list_display = ("list_name", "account", "state_label", "differed", "took", "asked", "trouble")
    fieldsets = (
        (
            None,
            {"fields": (("list_name", "account"), ("state_words", "trouble"), "found", ("asked", "took"))},
        ),
    )
    readonly_fields = ("list_name", "state_words", "trouble", "found", "asked", "took")
    list_filter = (OF_ACCOUNT, ("state", ChoicesDropdownFilter), ("what", FieldTextFilter))
    list_select_related = ("account",)
    search_fields = ("=account__account_id", "error")

    list_name = column(_("list"), lambda run: capfirst(said(run.what)), ordering="what")
    trouble = column(_("error"), lambda run: said(run.error))
    state_label = badge(_("state"), "state", RUN_COLOURS, ordering="state")
    asked = column(_("asked for"), lambda run: when(run.asked_at, short=True), ordering="asked_at")

    differed = column(_("found in the CRM"), lambda run: _found(run), header=True)
    # Its page, where the theme draws no cells of two lines or colours.
    found = column(_("found in the CRM"), lambda run: "; ".join(_found(run)))
    state_words = column(_("state"), lambda run: run.get_state_display())

    @display(description=_("took"))
    def took(self, run: SyncRun) -> str:
        if not (run.started_at and run.finished_at):
            return ""
        return in_seconds((run.finished_at - run.started_at).total_seconds())


def _found(run: SyncRun) -> tuple[str, str]:
    numbers = {name: spaced(getattr(run, name)) for name in ("added", "changed", "gone")}
    found = say("new {added}, changed {changed}, gone {gone}", **numbers)
    return found, say_many("{count} page", "{count} pages", run.pages)
