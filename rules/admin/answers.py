"""Answers as they came, and a second chance for those that met no rule."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts.admin import QuizAccountFilter
from accounts.admin_base import (
    Question,
    StaffAdmin,
    ask,
    chosen_rows,
    column,
    confirmed,
    done,
    key_of,
    note_all,
    row_of,
    when,
)
from accounts.texts import say, say_many
from connectors.messages import RU, message
from rules.admin import mending
from rules.admin.filters import DayFilter, QuizFilter
from rules.admin.links import with_badge
from rules.mapping.note import read_note
from rules.models import Answer, Delivery
from rules.planning import plan_in_turns

LOOKED_THROUGH = 50_000  # answers that other filters choose: most have deliveries


class PlannedFilter(admin.SimpleListFilter):
    """The last of the filters: what it looks through, the others have chosen."""

    title, parameter_name = _("deliveries"), "planned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", say("has none (of the newest 50,000)")), ("yes", say("has some"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Answer]) -> QuerySet[Answer]:
        if self.value() == "no":
            older = rows.order_by("-pk").values_list("pk", flat=True)[LOOKED_THROUGH : LOOKED_THROUGH + 1]
            return unplanned(rows.filter(pk__gt=next(iter(older), 0)))
        return rows.filter(Exists(_deliveries())) if self.value() == "yes" else rows


def unplanned(rows: QuerySet[Answer]) -> QuerySet[Answer]:
    return rows.filter(test=False).exclude(Exists(_deliveries()))


def _deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.filter(answer=OuterRef("pk")).order_by()


@admin.register(Answer)
class AnswerAdmin(StaffAdmin):
    nothing_yet = _("The quiz platform posts answers; check its address of this service and its token.")
    list_display = ("name", "account_id", "quiz_id", "came", "deliveries_made", "payload_kept")
    list_filter = (QuizAccountFilter, QuizFilter, ("created_at", DayFilter), PlannedFilter)
    search_fields = ("answer_id",)
    search_help_text = _("An answer id, whole")
    actions = ("plan",)
    actions_detail = ("mend",)
    readonly_fields = ("bodies", "readable", "payload_text")
    change_form_outer_after_template = "admin/desk/answer.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        counted = _deliveries().values("answer").annotate(found=Count("pk")).values("found")
        made = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
        return super().get_queryset(request).defer("payload").annotate(made=made)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Answer], search_term: str
    ) -> tuple[QuerySet[Answer], bool]:
        term = search_term.strip()
        return (queryset.filter(answer_id=term) if term else queryset), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        told: tuple[str, ...] = ("readable",) if self.has_operate_permission(request) else ()
        told += ("payload_text",) if self.has_payload_permission(request) else ()
        own = (("account_id", "quiz_id"), ("answer_id", "created_at"), "bodies")
        return [(None, {"fields": (*own, *told)})]

    name = column(_("answer"), lambda answer: with_badge(answer.answer_id, answer.test), ordering="answer_id")
    came = column(_("came"), lambda answer: when(answer.created_at), ordering="id")

    @display(description=_("deliveries"), empty_value=_("none"))
    def deliveries_made(self, answer: Any) -> str | None:
        return str(answer.made) if answer.made else None

    @display(description=_("bodies"))
    def bodies(self, answer: Answer) -> str:
        """How many came, and whether it was the last."""
        if answer.complete:
            return say_many(
                "{count} body came; the answer is complete",
                "{count} bodies came; the answer is complete",
                answer.revision,
            )
        return say_many(
            "{count} body came; more is awaited", "{count} bodies came; more is awaited", answer.revision
        )

    @display(description=_("payload"), label={"kept": "success", "purged": "default"})
    def payload_kept(self, answer: Answer) -> tuple[str, str]:
        return ("purged", say("purged")) if answer.purged_at else ("kept", say("kept"))

    @display(description=_("what was answered"))
    def readable(self, answer: Answer) -> SafeString | str:
        """As it stands in the lead's note."""
        if answer.purged_at:
            return str(mending.ERASED)
        quiz = answer.payload.get("quiz")
        title = str(quiz.get("title") or "") if isinstance(quiz, dict) else ""
        note = read_note(answer.payload, title or f"№ {answer.quiz_id}", get_language() or RU)
        return format_html('<div class="desk-note">{}</div>', note)

    @display(description=_("what was sent"))
    def payload_text(self, answer: Answer) -> SafeString | str:
        if answer.purged_at:
            return str(mending.ERASED)
        text = json.dumps(answer.payload, ensure_ascii=False, indent=2)
        return format_html('<pre class="desk-code">{}</pre>', text)

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        return {"made": Delivery.objects.filter(answer=key).select_related("account__lane")}

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Nothing to set right where nothing is left."""
        kept = Answer.objects.filter(pk=key_of(object_id), purged_at=None).exists()
        return self.only(super().get_actions_detail(request, object_id), {"mend"} if kept else set())

    @action(description=_("Set a value right"), permissions=["operate"], icon="edit_note")
    def mend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return mending.ask_or_do(request, self, row_of(Answer, object_id))

    @admin.action(description=_("Plan deliveries with today's rules"), permissions=["operate"])
    def plan(self, request: HttpRequest, chosen: QuerySet[Answer]) -> HttpResponse:
        free = unplanned(Answer.objects.filter(pk__in=chosen.order_by().values("pk"), purged_at=None))
        if not confirmed(request):
            return ask(request, self, _question(free.count(), chosen.count(), chosen_rows(request, "plan")))
        keys = list(free.order_by("account_id", "id").values_list("pk", flat=True))
        planned = plan_in_turns(keys)
        note_all(request, Answer.objects.filter(pk__in=keys), message("Planned by today's rules."))
        told = say_many(
            "{count} delivery planned for {answers}.",
            "{count} deliveries planned for {answers}.",
            planned,
            answers=say_many("{count} answer", "{count} answers", len(keys)),
        )
        return done(request, told, request.get_full_path(), planned > 0)


def _question(free: int, chosen: int, hidden: list[tuple[str, str]]) -> Question:
    told = [
        say_many(
            "{count} answer without deliveries will get one for each rule of their quiz.",
            "{count} answers without deliveries will get one for each rule of their quiz.",
            free,
        )
    ]
    if chosen > free:
        told.append(
            say_many(
                "{count} answer with deliveries, or purged, will be left alone.",
                "{count} answers with deliveries, or purged, will be left alone.",
                chosen - free,
            )
        )
    return Question(say("Plan deliveries?"), told, say("Plan them"), possible=free > 0, hidden=hidden)
