"""The list of outcomes: how leads stand in their CRMs, at any size of the table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin_base import StaffAdmin, column, key_of, row_of, when
from accounts.texts import money, said, say
from rules.admin import conversion_page, looking, reports
from rules.admin.filters import CrmFilter, DayFilter, OwnerFilter, QuizFilter, TrailFilter
from rules.admin.lead_status import called, fate_of
from rules.admin.links import with_badge
from rules.models import Outcome

STATUS_COLOURS = {"open": "info", "won": "success", "lost": "danger"}
MOST_FOUND = 200
UNUSED_IN_LIST = ("account__facts", "contact", "details", "payments", "link", "error")


@admin.register(Outcome)
class OutcomeAdmin(StaffAdmin):
    nothing_yet = _("What became of a lead is followed from its delivery on.")
    list_display = ("lead", "status_label", "account_name", "step_label", "total", "changed", "looked")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        TrailFilter,
        ("account__crm", CrmFilter),
        ("account", AutocompleteSelectFilter),
        OwnerFilter,
        QuizFilter,
        ("created_at", DayFilter),
    )
    search_fields = ("record_id", "delivery__remote_id", "quiz_id")
    search_help_text = _("A lead's id in its CRM, or a quiz, whole")
    list_select_related = ("account",)
    sortable_by = ()
    actions = ("look_at_chosen",)
    actions_list = ("conversion", "reports")
    actions_detail = ("look_now", "name_record", "forget_record")
    drawn = True
    change_form_outer_before_template = "admin/desk/outcome.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Outcome]:
        return super().get_queryset(request).select_related("account").defer(*UNUSED_IN_LIST)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Outcome], search_term: str
    ) -> tuple[QuerySet[Outcome], bool]:
        """By what it is now, by what was delivered, by quiz."""
        term = search_term.strip()
        if not term:
            return queryset, False
        ids = Outcome.objects.order_by().values_list("pk", flat=True)
        now = ids.filter(record_id=term)[:MOST_FOUND]
        once = ids.filter(delivery__remote_id=term)[:MOST_FOUND]
        found = Q(pk__in=[*now, *once])
        if term.isdecimal() and len(term) < 19:
            found |= Q(quiz_id=int(term))
        return queryset.filter(found), False

    # -- what is shown ---------------------------------------------------------------------------------------

    @display(description=_("lead"), header=True)
    def lead(self, outcome: Outcome) -> tuple[Any, str]:
        its = said(called(outcome.record, outcome.record_id))
        name = its if outcome.record_id else say("no id yet")
        return with_badge(name, outcome.test), say("quiz {number}", number=outcome.quiz_id)

    @display(description=_("status"), label=STATUS_COLOURS)
    def status_label(self, outcome: Outcome) -> tuple[str, str]:
        return ("gone", say("gone")) if outcome.gone else (outcome.status, outcome.get_status_display())

    @display(description=_("step and responsible"), header=True)
    def step_label(self, outcome: Outcome) -> tuple[str, str]:
        step, person = outcome.step_name or outcome.step, outcome.performer_name or outcome.performer
        return Truncator(step).chars(60), Truncator(person).chars(40)

    @display(description=_("sum"), header=True)
    def total(self, outcome: Outcome) -> tuple[str, str]:
        """Many CRMs write 0 where nobody has named a sum."""
        whole = money(outcome.amount, outcome.currency) if outcome.amount else ""
        paid = money(outcome.paid, outcome.currency)
        return whole, say("paid {sum}", sum=paid) if paid else ""

    changed = column(_("changed"), lambda outcome: when(outcome.changed_at, short=True))

    @display(description=_("last looked"), empty_value=_("not yet"))
    def looked(self, outcome: Outcome) -> Any:
        return when(outcome.seen_at, short=True) or None

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        found = looking.rows().filter(pk=key).first()
        return {"fate": fate_of(found, self.has_operate_permission(request))} if found else {}

    # -- what can be done ------------------------------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what makes sense for this lead in this CRM."""
        row = looking.rows().filter(pk=key_of(object_id)).first()
        possible = looking.possible(row) if row else set()
        return self.only(super().get_actions_detail(request, object_id), possible)

    @action(description=_("Conversion"), permissions=["view"], icon="percent")
    def conversion(self, request: HttpRequest) -> HttpResponse:
        return conversion_page.show(request, self)

    @action(description=_("Reports"), permissions=["view"], icon="bar_chart")
    def reports(self, request: HttpRequest) -> HttpResponse:
        return reports.show(request, self)

    @admin.action(description=_("Look now"), permissions=["operate"])
    def look_at_chosen(self, request: HttpRequest, chosen: QuerySet[Outcome]) -> HttpResponse:
        rows = Outcome.objects.filter(pk__in=chosen.order_by().values("pk"))
        return looking.look(request, self, rows, "look_at_chosen", request.get_full_path())

    @action(description=_("Look now"), permissions=["operate"], icon="visibility")
    def look_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = row_of(Outcome, object_id)
        return looking.look(request, self, Outcome.objects.filter(pk=row.pk), "", self.page_of(row))

    @action(description=_("Say which record it is"), permissions=["operate"], icon="add_link")
    def name_record(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return looking.name_record(request, self, row_of(looking.rows(), object_id))

    @action(description=_("It is not this record"), permissions=["operate"], icon="link_off")
    def forget_record(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return looking.forget_record(request, self, row_of(looking.rows(), object_id))
