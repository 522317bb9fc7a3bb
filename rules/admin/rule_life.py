"""What else is done with a rule: paused, resumed, deleted, and brought back to what it said before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from accounts.admin_base import Question, StaffAdmin, confirmed, framed, key_of, note, row_of
from accounts.history import Actor, staff
from accounts.rest.errors import ApiError
from accounts.texts import said, say, say_many
from connectors.messages import message
from rules.admin import testing
from rules.admin.versions import changes_between, history_of, names_of
from rules.delivery import holds
from rules.models import Delivery, Rule, RuleVersion
from rules.rule_save import delete_rule, pause_rule, restore_version, resume_rule
from rules.versions import content_of, said_by

PAUSED, RESUMED, DELETED = message("Paused."), message("Resumed."), message("Deleted.")


class RuleLife(StaffAdmin):
    """Mixed into the admin of rules. A change of a rule is its new version, so history tells who made it."""

    def life_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        url = "<path:object_id>/versions/<int:number>/restore/"
        return [path(url, wrap(self.restore), name="rules_rule_restore")]

    def possible(self, rule: Rule) -> set[str]:
        """The names of the actions that make sense for the rule."""
        if rule.deleted or rule.account.deleted:
            return {"versions"}
        may = {"backfill", "copy", "versions", "delete_it", "resume" if rule.paused_at else "pause"}
        return may | ({"test_lead"} if rule.account.usable and not rule.paused_at else set())

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        rule = Rule.objects.select_related("account").filter(pk=key_of(object_id)).first()
        possible = self.possible(rule) if rule else set()
        return self.only(super().get_actions_detail(request, object_id), possible)

    # -- pause, resume, delete -------------------------------------------------------------------------------

    @action(description=gettext_lazy("Pause"), permissions=["operate"], icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.rule(object_id)
        told = [
            _("Answers of this quiz are taken in and wait, until somebody resumes the rule."),
            _waiting(rule),
        ]
        question = Question(_("Pause the rule?"), told, _("Pause"))
        return self._life(request, rule, question, "pause", pause_rule, PAUSED, _("The rule is paused."))

    @action(description=gettext_lazy("Resume"), permissions=["operate"], icon="play_arrow")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.rule(object_id)
        held = rule.deliveries.filter(state="held", held_because=Delivery.Held.RULE_PAUSED).count()
        told = [
            say_many(
                "{count} held delivery will go on, by the rule as it is now.",
                "{count} held deliveries will go on, by the rule as it is now.",
                held,
            )
        ]
        question = Question(_("Resume the rule?"), told, _("Resume"))
        return self._life(request, rule, question, "resume", resume_rule, RESUMED, _("The rule is resumed."))

    @action(description=gettext_lazy("Delete"), permissions=["operate"], icon="delete")
    def delete_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.rule(object_id)
        told = [
            _("Nothing more goes by this rule; new answers of the quiz make no lead in this account."),
            _waiting(rule),
            _("A new rule for the quiz takes over what waits. Leads in the CRM and this history stay."),
        ]
        question = Question(_("Delete the rule?"), told, _("Delete"), danger=True)
        return self._life(
            request, rule, question, "delete_it", delete_rule, DELETED, _("The rule is deleted.")
        )

    @action(description=gettext_lazy("Send a test lead"), permissions=["operate"], icon="science")
    def test_lead(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.rule(object_id)
        if "test_lead" not in self.possible(rule):
            sentence = _("No test can be sent: the rule or its account is not at work.")
            return self.done_with(request, rule, sentence, False)
        return testing.send(request, self, rule)

    def _life(
        self, request: HttpRequest, rule: Rule, question: Question, name: str,
        do: Callable[[int, Actor], None], kept: str, sentence: str,
    ) -> HttpResponse:  # fmt: skip
        if name not in self.possible(rule):
            told = _("Nothing was changed: the rule is not in that state any more.")
            return self.done_with(request, rule, told, False)
        if confirmed(request):
            do(rule.pk, staff(request.user))
            note(self, request, rule, kept)
            return self.done_with(request, rule, sentence)
        return self.ask_about(request, rule, question)

    # -- versions --------------------------------------------------------------------------------------------

    @action(description=gettext_lazy("Versions"), permissions=["view"], icon="history_edu")
    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who changed what from what to what, the newest first."""
        rule = self.rule(object_id)
        told, older = history_of(rule, key_of(request.GET.get("before", "")) or None)
        return framed(
            request,
            self,
            "admin/desk/rule_versions.html",
            say("Versions of the rule of quiz {quiz}", quiz=rule.quiz_id),
            rule=rule,
            back=self.page_of(rule),
            versions=told,
            older=older,
            may_restore=self.has_change_permission(request, rule),
        )

    def restore(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """A version brought back is a new one, so that nothing of what was is lost."""
        rule = self.rule(object_id)
        version = get_object_or_404(RuleVersion, rule=rule, number=number)
        self.require(self.has_change_permission(request, rule))
        changes = told_against_today(rule, version)
        if confirmed(request) and changes:
            try:
                restore_version(version, staff(request.user))
            except ApiError as exc:
                told = say("Not saved: {reason}", reason=said(exc.message))
                return self.done_with(request, rule, told, False)
            note(self, request, rule, message("Brought version {number} back.", number=number))
            return self.done_with(request, rule, say("Version {number} is back.", number=number))
        question = Question(
            say("Bring version {number} back?", number=number),
            changes or [_("The rule says today what it said then.")],
            _("Bring it back"),
            possible=bool(changes),
        )
        return self.ask_about(request, rule, question)

    def rule(self, object_id: str) -> Rule:
        return row_of(Rule.objects.select_related("account"), object_id)


def told_against_today(rule: Rule, version: RuleVersion) -> list[str]:
    """What would change, in sentences."""
    today = content_of(rule)
    then = {**today, **said_by(version)}
    return [
        say("{what}: {before} → {after}", what=one.what, before=one.before or "—", after=one.after or "—")
        for one in changes_between(today, then, names_of(rule, [today, then]))
    ]


def _waiting(rule: Rule) -> str:
    waiting = rule.deliveries.filter(state="waiting").count()
    held = rule.deliveries.filter(state="held").exclude(held_because__in=holds.OVER).count()
    return say_many(
        "{count} delivery waits now, {held} are held already: they stay.",
        "{count} deliveries wait now, {held} are held already: they stay.",
        waiting,
        held=held,
    )
