"""Rules as staff read and mend them: names instead of ids, problems as sentences."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelect2Widget,
)

from accounts.admin_base import Question, answered, ask, column, key_of, link, note, row_of, when
from accounts.history import staff
from accounts.models import Account
from accounts.rest.errors import ApiError
from accounts.rest.values import BIGGEST
from accounts.texts import said, say, say_many
from connectors.errors import OurMistake
from connectors.messages import message
from crm_cache.lookup import name_of
from crm_cache.models import CrmUser, Pipeline, Step
from rules.admin.copying import Twin, twin_of
from rules.admin.filters import ProblemsFilter, QuizFilter
from rules.admin.links import page
from rules.admin.rule_editor import editor_of
from rules.admin.rule_form import SEEN, RuleForm, choice_names, form_for, named_questions, told_choices
from rules.admin.rule_life import RuleLife
from rules.admin.rule_preview import answers_of, changed, shown
from rules.admin.rule_routes import without_places
from rules.admin.timeline import places_of
from rules.mapping.quiz import newest_answers
from rules.models import Answer, Rule
from rules.planning import MOST_BACKFILLED, backfill, unplanned
from rules.rule_save import change_rule, create_rule

BACK = {
    "1": gettext_lazy("the last 24 hours"),
    "7": gettext_lazy("the last 7 days"),
    "0": gettext_lazy("all that are kept"),
}  # days, 0 for all
DERIVED = (
    "account_link", "quiz_id", "prepared", "saved", "performer_name", "placement_name", "choices_told",
)  # fmt: skip


@admin.register(Rule)
class RuleAdmin(RuleLife):
    nothing_yet = gettext_lazy("Connect a CRM first, then say where the answers of a quiz go.")
    form = RuleForm
    list_display = (
        "quiz_id", "account", "performer_name", "placement_name", "problem_count", "prepared", "saved",
        "alive",
    )  # fmt: skip
    list_filter = (
        ("account", AutocompleteSelectFilter),
        QuizFilter,
        ProblemsFilter,
        ("deleted", BooleanRadioFilter),
    )
    search_fields = ("=quiz_id", "=account__account_id")
    search_help_text = gettext_lazy("A quiz or a quiz account")
    list_select_related = ("account",)
    readonly_fields = DERIVED
    actions_detail = (
        "test_lead",
        "versions",
        "copy",
        {
            "title": gettext_lazy("More"),
            "icon": "more_horiz",
            "items": ["backfill", "pause", "resume", "delete_it"],
        },
    )
    change_form_outer_before_template = "admin/desk/rule.html"
    change_form_before_template = "admin/desk/rule_seen.html"
    change_form_outer_after_template = "admin/desk/rule_preview.html"

    class Media:
        css = UnfoldAdminSelect2Widget.Media.css
        js = (
            *UnfoldAdminSelect2Widget.Media.js,
            "desk/rule.js",
            "desk/rule_conditions.js",
            "desk/rule_routes.js",
            "desk/rule_options.js",
            "desk/rule_existing.js",
            "desk/rule_repeated.js",
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        """Names come with the rows: three look-ups by unique index for each, no query for each."""
        step = name_of(Step, "step", pipeline_id="pipeline")
        return (
            super()
            .get_queryset(request)
            .defer("quiz")
            .annotate(
                its_performer=name_of(CrmUser, "performer"),
                its_pipeline=name_of(Pipeline, "pipeline"),
                its_step=step,
            )
        )

    def has_change_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return self.has_operate_permission(request) and not (obj and (obj.deleted or obj.account.deleted))

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        head = (None, {"fields": (("quiz_id", "account_link"), ("prepared", "saved"))})
        if not (obj and self.has_change_permission(request, obj)):
            return [
                head,
                (_("Where leads go"), {"fields": (("performer_name", "placement_name"), "choices_told")}),
            ]
        placing = ("placement", "new_performer", *choice_names(obj.account.crm))
        return [
            head,
            (_("Where leads go"), {"fields": (*placing, "extra")}),
            (_("What they are filled with"), {"fields": ("fields_rule", "tags_to_add")}),
        ]

    def get_form(
        self, request: HttpRequest, obj: Rule | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Every CRM has its own selects."""
        if obj and self.has_change_permission(request, obj):
            kwargs["form"] = form_for(obj.account.crm)
        return super().get_form(request, obj, change, **kwargs)

    # -- what is shown ---------------------------------------------------------------------------------------

    @display(description=gettext_lazy("responsible"), empty_value=gettext_lazy("the CRM's default"))
    def performer_name(self, rule: Any) -> str | None:
        return rule.its_performer or (
            say("unknown user {performer}", performer=rule.performer) if rule.performer else None
        )

    @display(description=gettext_lazy("pipeline and step"), empty_value=gettext_lazy("the CRM's default"))
    def placement_name(self, rule: Any) -> str | None:
        if not (rule.pipeline or rule.step):
            return None
        pipeline = rule.its_pipeline or say("unknown pipeline {pipeline}", pipeline=rule.pipeline)
        step = rule.its_step or (
            say("unknown step {step}", step=rule.step) if rule.step else say("first step")
        )
        return f"{pipeline} / {step}"

    @display(description=gettext_lazy("what only this CRM asks for"))
    def choices_told(self, rule: Rule) -> str:
        return ", ".join(f"{word}: {value}" for word, value in told_choices(rule)) or "-"

    @display(description=gettext_lazy("problems"), label={"none": "success", "some": "warning"})
    def problem_count(self, rule: Rule) -> tuple[str, str]:
        return ("some", f"{len(rule.problems)}") if rule.problems else ("none", say("none"))

    @display(description=gettext_lazy("prepared"), empty_value=gettext_lazy("waits"))
    def prepared(self, rule: Rule) -> Any:
        return None if rule.prepare_at or not rule.prepared_at else when(rule.prepared_at)

    saved = column(gettext_lazy("saved"), lambda rule: when(rule.updated_at), ordering="updated_at")
    alive = column(gettext_lazy("in use"), lambda rule: not rule.deleted, boolean=True, ordering="deleted")

    @display(description=gettext_lazy("account"))
    def account_link(self, rule: Rule) -> Any:
        return link(page("accounts_account", rule.account_id), str(rule.account))

    # -- reading and saving ----------------------------------------------------------------------------------

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        rule = Rule.objects.select_related("account").filter(pk=key).first()
        more: dict[str, Any] = {"rule": rule, "problems": places_of(rule), "show_save_and_add_another": False}
        if rule and self.has_change_permission(request, rule):
            more |= {
                "editor": editor_of(rule, refused=request.method == "POST"), "can_preview": True,
                "answers": answers_of(rule),
                "preview_url": reverse("admin:rules_rule_preview", args=[rule.pk]),
            }  # fmt: skip
        elif rule:
            more["named"] = named_questions(rule)
        return more

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """Saved by the same function as over REST: checked, prepared anew, and what it held goes on."""
        changes, choices = form.changes(), form.new_choices()
        if not (changes or choices):
            return
        try:
            change_rule(obj.pk, changes, choices, staff(request.user))
        except ApiError as exc:
            messages.error(request, say("Not saved: {reason}", reason=said(exc.message)))

    # -- the preview -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        own = path(
            "<path:object_id>/preview/", self.admin_site.admin_view(self.preview), name="rules_rule_preview"
        )
        return [own, *self.life_urls(), *super().get_urls()]

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The lead that the form as it was posted makes of ``answer``; nothing is stored or sent."""
        rule = self.rule(object_id)
        self.require(self.has_change_permission(request, rule))
        answer = newest_answers(rule).filter(pk=key_of(request.POST.get("answer", ""))).first()
        template = "admin/desk/rule_shown.html"
        if answer is None:
            return TemplateResponse(request, template, {"refused": [_("This answer is not kept any more.")]})
        sent = {name: value for name, value in request.POST.items() if name != SEEN}  # nothing is replaced
        form = form_for(rule.account.crm)(sent, instance=copy.copy(rule))
        if not form.is_valid():
            refused = [without_places(str(words)) for found in form.errors.values() for words in found]
            return TemplateResponse(request, template, {"refused": refused})
        try:
            lead = shown(changed(rule, form.changes(), form.new_choices()), answer)
        except (ApiError, OurMistake) as error:
            lead = {"refused": [said(error.message)]}
        return TemplateResponse(request, template, lead)

    # -- new rules, and copies of rules ----------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_operate_permission(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Which account and which quiz; what goes where is chosen on the rule's own page."""
        self.require(self.has_add_permission(request))
        form = NewRuleForm(answered(request), initial=request.GET.dict())
        if form.is_valid() and (made := self._made(request, form, Twin({}))):
            return made
        told = [_("The rule says where the answers of a quiz go in one account of a CRM.")]
        return ask(request, self, Question(_("A new rule"), told, _("Go on"), form=form))

    @action(description=gettext_lazy("Copy"), permissions=["operate"], icon="content_copy")
    def copy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For another quiz or account. What has no twin there is listed before anything is made."""
        rule = row_of(self._in_use(), object_id)
        form = NewRuleForm(answered(request), initial={"account": rule.account_id})
        told = [_("Everything this rule says is looked for by name in the account that you choose.")]
        question = Question(
            _("Copy the rule of quiz %(quiz)s") % {"quiz": rule.quiz_id}, told, _("Go on"), form=form
        )
        if not form.is_valid():
            return self.ask_about(request, rule, question)
        twin = twin_of(rule, form.cleaned_data["account"])
        if not twin.missing or request.POST.get("sure") == "yes":
            return self._made(request, form, twin) or self.ask_about(request, rule, question)
        question.warnings = [
            _("Not found there, so the copy goes without: %(what)s") % {"what": "; ".join(twin.missing)}
        ]
        question.button, question.hidden = _("Copy all the same"), [("sure", "yes")]
        return self.ask_about(request, rule, question)

    def _made(self, request: HttpRequest, form: NewRuleForm, twin: Twin) -> HttpResponse | None:
        """The new rule's page; None where it can't be made, with the reason in the form."""
        account, quiz_id = form.cleaned_data["account"], form.cleaned_data["quiz_id"]
        try:
            with transaction.atomic():
                rule = create_rule(
                    account, quiz_id, {**twin.changes, "choices": twin.choices}, staff(request.user)
                )
        except ApiError as exc:
            form.add_error("quiz_id", said(exc.message))
            return None
        self.log_addition(request, rule, message("Made in the admin."))
        return self.done_with(request, rule, _("The rule is made. Choose what goes where, and save."))

    # -- answers that came before the rule -------------------------------------------------------------------

    @action(description=gettext_lazy("Deliver earlier answers"), permissions=["operate"], icon="history")
    def backfill(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = row_of(self._in_use(), object_id)
        form = BackfillForm(rule, answered(request))
        if not form.is_valid():
            return self.ask_about(request, rule, _backfill_question(rule, form))
        made = backfill(rule, _since(rule, form.cleaned_data["answers"]))
        if made:
            note(self, request, rule, message("Made {made} deliveries for earlier answers.", made=made))
        told = say_many(
            "{count} delivery made for earlier answers.", "{count} deliveries made for earlier answers.", made
        )
        if made == MOST_BACKFILLED:
            told = f"{told} {say('That is as many as go at once: ask again for the rest.')}"
        return self.done_with(request, rule, told, made > 0)

    def _in_use(self) -> QuerySet[Rule]:
        return Rule.objects.filter(deleted=False, account__deleted=False).select_related("account")


class NewRuleForm(forms.Form):
    """Whose answers, and where they go."""

    account = forms.ModelChoiceField(
        Account.objects.filter(deleted=False),
        label=gettext_lazy("Account"),
        widget=AutocompleteSelect(
            Rule._meta.get_field("account"), admin.site, attrs={"class": "unfold-admin-autocomplete"}
        ),
    )
    quiz_id = forms.IntegerField(
        label=gettext_lazy("Quiz"), min_value=1, max_value=BIGGEST, widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("The quiz's number, as its answers have it."),
    )  # fmt: skip


class BackfillForm(forms.Form):
    """Which of the kept answers without a delivery, with their numbers."""

    answers = forms.ChoiceField(
        label=gettext_lazy("Which answers"), widget=UnfoldAdminRadioSelectWidget, initial="7"
    )

    def __init__(self, rule: Rule, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields["answers"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type alone
        self.counts = {days: _since(rule, days).filter(purged_at=None).count() for days in BACK}
        field.choices = [(days, f"{words}: {self.counts[days]}") for days, words in BACK.items()]


def _since(rule: Rule, days: str) -> QuerySet[Answer]:
    return unplanned(rule, timezone.now() - timedelta(days=int(days)) if int(days) else None)


def _backfill_question(rule: Rule, form: BackfillForm) -> Question:
    purged = _since(rule, "0").exclude(purged_at=None).count()
    told = [
        say(
            "Kept answers of quiz {quiz_id} without a delivery in {account}: {kept}.",
            quiz_id=rule.quiz_id,
            account=rule.account,
            kept=form.counts["0"],
        ),
        say("Each gets one by the rule as it is now."),
    ]
    if purged:
        told.append(
            say_many(
                "Of {count} further answer the content is erased already: too late for them.",
                "Of {count} further answers the content is erased already: too late for them.",
                purged,
            )
        )
    return Question(
        say("Deliver earlier answers?"),
        told,
        say("Deliver them"),
        form=form,
        possible=form.counts["0"] > 0,
    )
