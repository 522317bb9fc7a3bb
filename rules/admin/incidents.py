"""Incidents: what keeps answers from becoming leads, since when, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin_base import StaffAdmin, column, done, link, note, when
from connectors.messages import message
from rules import incidents
from rules.admin.links import deliveries_url, page
from rules.alerts import shown, what_to_do
from rules.models import Delivery, Incident

SHOWN = 5  # on the first page
MUTED, UNMUTED = message("Muted."), message("No longer muted.")
HELD = {
    Incident.Kind.REFUSED: Delivery.Held.REFUSED,
    Incident.Kind.LOOK: Delivery.Held.LOOK_FIRST,
    Incident.Kind.STALE: Delivery.Held.STALE,
}


class OpenFilter(admin.SimpleListFilter):
    title = gettext_lazy("open or solved")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", pgettext_lazy("incident", "open")), ("no", gettext_lazy("solved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        if self.value() in ("yes", "no"):
            return queryset.filter(solved_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Incident)
class IncidentAdmin(StaffAdmin):
    nothing_yet = gettext_lazy("Nothing has kept answers from becoming leads.")
    list_display = ("what", "where", "to_do", "deliveries", "since", "state", "told")
    list_display_links = None
    list_filter = (OpenFilter, ("kind", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    actions = ("mute_chosen", "unmute_chosen")
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return shown(super().get_queryset(request)).select_related("muted_by")

    what = column(gettext_lazy("what happened"), lambda row: capfirst(row.get_kind_display()))
    where = column(gettext_lazy("where"), lambda row: link(*place_of(row)))
    since = column(gettext_lazy("opened"), lambda row: when(row.opened_at))

    @display(
        description=gettext_lazy("state"), label={"open": "danger", "muted": "warning", "solved": "success"}
    )
    def state(self, row: Incident) -> tuple[str, str]:
        if row.solved_at:
            time = timesince(row.opened_at, row.solved_at, depth=1)
            return "solved", _("solved after %(time)s") % {"time": time}
        if row.muted_at:
            return "muted", _("open, muted by %(who)s") % {"who": row.muted_by or "?"}
        return "open", pgettext("incident", "open")

    @display(description=gettext_lazy("message sent"))
    def told(self, row: Incident) -> Any:
        return when(row.end_told_at or row.opening_told_at) or "-"

    @display(description=gettext_lazy("what to do"))
    def to_do(self, row: Incident) -> Any:
        return "-" if row.solved_at else link(_address(row), what_to_do(row))

    @action(description=gettext_lazy("Write to nobody about these"), permissions=["operate"])
    def mute_chosen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> HttpResponse:
        chosen = list(queryset.filter(muted_at=None))
        count = incidents.mute([row.pk for row in chosen], request.user)
        for row in chosen:
            note(self, request, row, MUTED)
        return done(request, _("Muted: %(count)s.") % {"count": count}, self.list_page(), count > 0)

    @action(description=gettext_lazy("Write to people again"), permissions=["operate"])
    def unmute_chosen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> HttpResponse:
        chosen = list(queryset.exclude(muted_at=None))
        count = incidents.unmute([row.pk for row in chosen])
        for row in chosen:
            note(self, request, row, UNMUTED)
        return done(request, _("No longer muted: %(count)s.") % {"count": count}, self.list_page(), count > 0)


def place_of(row: Incident) -> tuple[str, str]:
    """(address, words) of the rule, account or endpoint that it is about."""
    if row.endpoint:
        return page("accounts_webhookendpoint", row.endpoint_id), str(row.endpoint)
    if row.rule:
        return page("rules_rule", row.rule_id), str(row.rule)
    return page("accounts_account", row.account_id), str(row.account)


def _address(row: Incident) -> str:
    """Where the next step is taken."""
    if row.kind in HELD:
        because = HELD[Incident.Kind(row.kind)]
        return deliveries_url(state="held", because=because, account=row.account_id)
    return place_of(row)[0]


def shown_first() -> list[dict[str, Any]]:
    """Open incidents for the first page, those with most deliveries first."""
    rows = shown(Incident.objects.filter(solved_at=None))
    return [
        {
            "row": row,
            "where": place_of(row)[1],
            "since": timesince(row.opened_at, depth=1),
            "to_do": what_to_do(row),
            "url": _address(row),
        }
        for row in rows.order_by("-deliveries", "opened_at")[:SHOWN]
    ]
