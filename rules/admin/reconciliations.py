"""Reports of nightly reconciliations and what they found, with what a person can do about each finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from accounts.admin_base import (
    Question,
    StaffAdmin,
    ask,
    badge,
    chosen_rows,
    column,
    confirmed,
    done,
    link,
    note_all,
    when,
    wide,
)
from accounts.texts import said, say, say_many, spaced
from connectors.messages import message
from crm_cache import lookup
from crm_cache.models import Pipeline
from rules.admin.filters import DayFilter, OwnerFilter
from rules.admin.links import page
from rules.models import Delivery, Finding, Reconciliation
from rules.outcomes import findings

Kind = Finding.Kind
STATE_COLOURS = {"running": "info", "done": "success", "failed": "danger"}
KIND_COLOURS = {
    "missing": "danger", "doubled": "danger", "found": "warning", "deleted": "warning", "moved": "info",
}  # fmt: skip
SHOWN = 20  # findings of each kind on a report's page


@admin.register(Reconciliation)
class ReconciliationAdmin(StaffAdmin):
    nothing_yet = _(
        "Accounts are compared with their CRMs at night, or at once by a button on an account's page."
    )
    list_display = (
        "number", "account_name", "state_label", "findings_label", "compared_label", "unchecked_label",
        "span", "began",
    )  # fmt: skip
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        OwnerFilter,
        ("created_at", DayFilter),
    )
    search_fields = ("=owner", "account__name", "account__host")
    search_help_text = _("A quiz account; a CRM account or its address")
    list_select_related = ("account",)
    sortable_by = ()
    drawn = True
    change_form_outer_before_template = "admin/desk/reconciliation.html"

    number = column(_("reconciliation"), lambda run: run.pk)
    state_label = badge(_("state"), "state", STATE_COLOURS)

    @display(description=_("Leads made"))
    def span(self, run: Reconciliation) -> Any:
        return format_html("{} – {}", when(run.since, short=True), when(run.until, short=True))

    compared_label = column(_("compared"), lambda run: spaced(run.compared))
    findings_label = column(_("findings"), lambda run: wide(in_words(run)))
    unchecked_label = column(_("not checked"), lambda run: spaced(run.unchecked) if run.unchecked else "")
    began = column(_("began"), lambda run: when(run.created_at, short=True))

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        run = Reconciliation.objects.select_related("account").filter(pk=key).first()
        return report(run) if run else {}


def in_words(run: Reconciliation) -> str:
    """``missing in the CRM: 1, doubled: 2``; a dash where nothing was found."""
    told = [f"{Kind(kind).label}: {spaced(run.counts[kind])}" for kind in Kind.values if run.counts.get(kind)]
    return ", ".join(map(str, told)) or ("—" if run.state == Reconciliation.State.DONE else "")


def report(run: Reconciliation) -> dict[str, Any]:
    """What the page shows: the numbers, and the first findings of each kind."""
    rows = Finding.objects.filter(reconciliation=run, confirmed=True)
    pipelines = lookup.pipeline_names(run.account)
    kinds = []
    for kind in Kind:
        some = list(rows.filter(kind=kind).select_related("delivery__answer").order_by("pk")[: SHOWN + 1])
        kinds.append(
            {
                "kind": kind,
                "count": spaced(run.counts.get(kind, len(some))),
                "remedy": said(findings.REMEDIES[kind]),
                "rows": [_shown(row, pipelines) for row in some[:SHOWN]],
                "url": findings_url(run, kind),
                "more": len(some) > SHOWN,
            }
        )
    return {
        "report": run,
        "kinds": kinds,
        "none": not any(one["rows"] for one in kinds),
        "account_url": page("accounts_account", run.account_id),
    }


def findings_url(run: Reconciliation, kind: str) -> str:
    """The list of a report's findings of a kind, where they can be acted on."""
    finder: Any = admin.site.get_model_admin(Finding)
    chosen = {"reconciliation__id__exact": run.pk, "kind__exact": kind}
    return f"{finder.list_page()}?{urlencode(chosen)}"


def _shown(row: Finding, pipelines: dict[str, str]) -> dict[str, Any]:
    return {
        "row": row,
        "url": page("rules_delivery", row.delivery_id),
        "expected": pipelines.get(row.expected, row.expected),
        "actual": pipelines.get(row.actual, row.actual),
        "deed": said(row.deed),
    }


def of_delivery(delivery_id: int) -> list[dict[str, Any]]:
    """What reconciliations found of it, the newest first, for its page."""
    rows = Finding.objects.filter(delivery=delivery_id, confirmed=True)
    return [
        {
            "row": row,
            "colour": KIND_COLOURS[row.kind],
            "remedy": said(row.deed or findings.remedy_of(row)),
            "url": findings_url(row.reconciliation, row.kind),
        }
        for row in rows.select_related("reconciliation", "delivery__answer").order_by("-pk")[:SHOWN]
    ]


def _pipeline(column: str) -> Subquery:
    """The name of the pipeline whose id a finding's ``column`` has."""
    named = Pipeline.objects.filter(account=OuterRef("delivery__account"), remote_id=OuterRef(column))
    return Subquery(named.values("name")[:1])


@admin.register(Finding)
class FindingAdmin(StaffAdmin):
    nothing_yet = _("No reconciliation has found a difference.")
    list_display = (
        "kind_label", "delivery_link", "account_name", "leads_label", "difference", "to_do",
    )  # fmt: skip
    list_display_links = None
    list_filter = (("kind", ChoicesDropdownFilter), ("reconciliation", AutocompleteSelectFilter))
    actions = ("send_again_chosen", "adopt_chosen")
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Finding]:
        rows = super().get_queryset(request).filter(confirmed=True)
        return rows.select_related("delivery__answer", "delivery__account", "reconciliation").annotate(
            expected_name=_pipeline("expected"), actual_name=_pipeline("actual")
        )

    kind_label = badge(_("kind"), "kind", KIND_COLOURS)

    @display(description=_("delivery"))
    def delivery_link(self, row: Finding) -> Any:
        return link(page("rules_delivery", row.delivery_id), str(row.delivery_id))

    account_name = column(_("account"), lambda row: str(row.delivery.account))
    leads_label = column(_("leads"), lambda row: ", ".join(row.leads))

    @display(description=_("expected → actual"))
    def difference(self, row: Any) -> str:
        expected, actual = row.expected_name or row.expected, row.actual_name or row.actual
        return f"{expected} → {actual}" if expected else ""

    to_do = column(_("what to do"), lambda row: wide(said(row.deed or findings.remedy_of(row))))

    @admin.action(description=_("Send again"), permissions=["operate"])
    def send_again_chosen(self, request: HttpRequest, chosen: QuerySet[Finding]) -> HttpResponse:
        return self._do(
            request,
            chosen,
            "send_again",
            lambda count: say_many("Send {count} lead again?", "Send {count} leads again?", count),
            say(
                "Each is made anew from its answer. Where the CRM can be asked, it is looked for first, so"
                " that none is made twice."
            ),
        )

    @admin.action(description=_("Take over the lead that was found"), permissions=["operate"])
    def adopt_chosen(self, request: HttpRequest, chosen: QuerySet[Finding]) -> HttpResponse:
        return self._do(
            request,
            chosen,
            "adopt",
            lambda count: say_many("Take over {count} lead?", "Take over {count} leads?", count),
            say("The deliveries are delivered then, by the leads that were found; nothing is sent."),
        )

    def _do(
        self,
        request: HttpRequest,
        chosen: QuerySet[Finding],
        deed: str,
        title: Callable[[int], str],
        sentence: str,
    ) -> HttpResponse:
        """The question, and then the deed on those it is still for."""
        rows = [row for row in chosen.order_by("pk") if deed in findings.deeds_of(row)]
        left = chosen.count() - len(rows)
        others = [
            say_many(
                "{count} is left alone: this is not for its kind or its state.",
                "{count} are left alone: this is not for their kind or their state.",
                left,
            )
        ] if left else []  # fmt: skip
        if not confirmed(request):
            question = Question(
                title(len(rows)), [sentence, *others], title(len(rows)).rstrip("?"), possible=bool(rows),
                back=request.get_full_path(), hidden=chosen_rows(request, f"{deed}_chosen"),
            )  # fmt: skip
            return ask(request, self, question)
        moved = [row for row in rows if findings.DEEDS[deed](row)]
        note_all(request, Delivery.objects.filter(pk__in=[row.delivery_id for row in moved]), HISTORY[deed])
        told = say_many("Done for {count} lead.", "Done for {count} leads.", len(moved))
        return done(request, " ".join([told, *others]), request.get_full_path(), bool(moved))


HISTORY = {
    "send_again": message("Sent again: a reconciliation did not find it in the CRM."),
    "adopt": message("Taken over: a reconciliation found it in the CRM."),
}
