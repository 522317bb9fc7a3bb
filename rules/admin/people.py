"""What is kept of one person: given out, or forgotten, as the person asks. It is told who asked for it, never
whom it was about.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, answered, ask, column, done, when
from accounts.texts import said, say, say_many
from connectors.messages import message, to_column
from rules import people
from rules.models import Answer, Delivery, Erasure

SURE = ("sure", "yes")


class PersonForm(forms.Form):
    phone = forms.CharField(
        label=gettext_lazy("Phone"), required=False, max_length=100, widget=UnfoldAdminTextInputWidget
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail"), required=False, max_length=300, widget=UnfoldAdminTextInputWidget
    )
    answer_id = forms.CharField(
        label=gettext_lazy("Answer id"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )
    owner = forms.CharField(
        label=gettext_lazy("Quiz account"),
        help_text=gettext_lazy("Only there; empty: in all quiz accounts."),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                told["who"] = people.who(told["phone"], told["email"], told["answer_id"], told["owner"])
            except ValueError as exc:
                raise forms.ValidationError(said(str(exc))) from exc
        return told

    @property
    def sent(self) -> list[tuple[str, str]]:
        """To be sent again with the confirmation. It travels in bodies alone: addresses are logged."""
        return [(name, self.cleaned_data[name]) for name in self.fields if self.cleaned_data[name]]


@admin.register(Erasure)
class ErasureAdmin(StaffAdmin):
    nothing_yet = gettext_lazy("Nobody has asked to be forgotten. What is kept of a person is shown first.")
    list_display = ("number", "asked_by", "asked", "state", "answers")
    list_display_links = None
    actions_list = ("erase", "give_out")
    sortable_by = ()

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("rules.erase_person"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": (("asked_by", "asked_at"), ("done_at", "answers"))})]

    number = column(gettext_lazy("number"), lambda erasure: erasure.pk)
    asked = column(gettext_lazy("asked at"), lambda erasure: when(erasure.asked_at))

    @display(description=gettext_lazy("state"), label={"done": "success", "waits": "warning"})
    def state(self, erasure: Erasure) -> tuple[str, str]:
        if erasure.done_at:
            return "done", _("done")
        return "waits", _("waits for leads that are being sent")

    @action(
        description=gettext_lazy("Forget a person"),
        permissions=["erase"],
        icon="person_remove",
        url_path="erase",
    )
    def erase(self, request: HttpRequest) -> HttpResponse:
        form = PersonForm(answered(request))
        told = [
            _("Whoever has this phone or this e-mail, or gave this answer. First you see how much it is.")
        ]
        question = Question(_("Forget a person"), told, _("Show what would be erased"), form=form)
        if not form.is_valid():
            return ask(request, self, question)
        person = form.cleaned_data["who"]
        if SURE not in request.POST.items():
            left = person.answers().filter(purged_at=None)
            if left.exists():
                return ask(request, self, _preview(left, form.sent))
            form.add_error(None, _("Nothing that this person answered is kept here."))
            return ask(request, self, question)
        with transaction.atomic():
            erasure = people.erase(person, request.user.get_username())
            self.log_addition(request, erasure, to_column(FORGOTTEN))
        waiting = people.in_flight(erasure)
        sentence = say_many("{count} answer is erased.", "{count} answers are erased.", erasure.answers)
        if waiting:
            rest = say_many(
                "{count} more is being sent, and erased by itself after that.",
                "{count} more are being sent, and erased by themselves after that.",
                waiting,
            )
            sentence = f"{sentence} {rest}"
        return done(request, sentence, self.list_page())

    @action(
        description=gettext_lazy("Give out a person's data"),
        permissions=["erase"],
        icon="download",
        url_path="export",
    )
    def give_out(self, request: HttpRequest) -> HttpResponse:
        form = PersonForm(answered(request))
        told = [
            _("All that is kept of the person, as a JSON file: bodies of answers and what became of them.")
        ]
        if not form.is_valid():
            return ask(request, self, Question(_("Give out a person's data"), told, _("Download"), form=form))
        found = people.export(form.cleaned_data["who"])
        LogEntry.objects.create(
            user_id=int(request.user.pk or 0),
            content_type=ContentType.objects.get_for_model(Erasure),
            object_repr=_("a person's data"),
            action_flag=CHANGE,
            change_message=to_column(message("Gave out {count} answers.", count=len(found["answers"]))),
        )
        response = HttpResponse(
            json.dumps(found, ensure_ascii=False, indent=2), content_type="application/json; charset=utf-8"
        )
        response["Content-Disposition"] = 'attachment; filename="person.json"'
        return response


FORGOTTEN = message("Had a person forgotten.")


def _preview(left: QuerySet[Answer], sent: list[tuple[str, str]]) -> Question:
    """How much would be erased, and what stays."""
    count = left.count()
    rows = Delivery.objects.filter(answer__in=left.values("pk")).order_by()
    by_state = dict(rows.values_list("state").annotate(Count("pk")))
    quizzes = sorted(set(left.values_list("quiz_id", flat=True)[:1000]))
    told = [
        say_many("{count} answer would be erased.", "{count} answers would be erased.", count),
        say("Their quizzes: {quizzes}.", quizzes=", ".join(map(str, quizzes[:20])) or "—"),
        say(
            "Deliveries: {delivered} delivered, {waiting} that wait or are held and will not be sent,"
            " {sending} being sent, which are finished first.",
            delivered=by_state.get("delivered", 0),
            waiting=by_state.get("waiting", 0) + by_state.get("held", 0),
            sending=by_state.get("sending", 0),
        ),
        say("Erased: {what}.", what="; ".join(said(one) for one in people.ERASED)),
        say("Kept: {what}.", what="; ".join(said(one) for one in people.KEPT)),
    ]
    return Question(
        _("Forget this person?"),
        told,
        _("Erase for ever"),
        warnings=[_("This can't be taken back. Records in the CRMs stay: their owners erase them there.")],
        danger=True,
        hidden=[SURE, *sent],
    )
