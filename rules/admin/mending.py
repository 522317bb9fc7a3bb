"""Setting one value of an answer right from its page, and replaying its deliveries, as somebody chooses."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin_base import Question, StaffAdmin, answered, note
from accounts.history import staff
from accounts.texts import said, say, say_many
from connectors.changes import shown
from connectors.messages import RU, message
from connectors.note_texts import name_of
from rules.admin.replaying import WHENS
from rules.mapping.correcting import CONTACT, values_in
from rules.mending import NotMendable, mend
from rules.models import Answer
from rules.replaying import When, replay_all

KNOWN_PARTS = ("name", "phone", "email")  # may be added where the answer has none
LONGEST_SHOWN = 60
ERASED = _("Erased: its retention is over, or the person asked for it.")


class MendForm(forms.Form):
    what = forms.ChoiceField(label=_("Which value"), widget=UnfoldAdminSelectWidget)
    value = forms.CharField(
        label=_("What is right"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Of a question with several choices: one in each line."),
    )
    replay = forms.ChoiceField(
        label=_("Leads that are there"),
        choices=[("", _("leave as they are")), *((when.value, words) for when, words in WHENS.items())],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, answer: Answer, data: Any = None) -> None:
        super().__init__(data)
        self.values = {name: value for name, _words, value in values_in(answer.payload)}
        language = get_language() or RU
        shown = [
            (name, f"{name_of(words, language)}: {_shown(value)}")
            for name, words, value in values_in(answer.payload)
        ]
        new = [part for part in KNOWN_PARTS if f"contact.{part}" not in self.values]
        shown += [(f"contact.{part}", name_of(part, language)) for part in new]
        self.fields["what"].choices = shown  # type: ignore[attr-defined]
        now = {name: _typed(value) for name, value in self.values.items()}
        self.fields["what"].widget.attrs["data-now"] = json.dumps(now, ensure_ascii=False)
        self.initial["value"] = now.get(shown[0][0], "") if shown else ""

    class Media:
        js = ("desk/mend.js",)

    def right(self) -> Any:
        """A list stays a list; what nobody changed stays what it was, a number too."""
        text, now = self.cleaned_data["value"], self.values.get(self.cleaned_data["what"])
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if now is not None and lines == _typed(now).splitlines():
            return now
        return lines if isinstance(now, list) else text.strip()


def ask_or_do(request: HttpRequest, admin: StaffAdmin, answer: Answer) -> HttpResponse:
    form = MendForm(answer, answered(request))
    if form.is_valid() and (moved := _do(request, admin, answer, form)):
        return moved
    told = [
        say("The answer is kept as it came; a repeat of it by the quiz platform does not undo this."),
        say("What has not arrived yet goes with the new value by itself."),
    ]
    possible = answer.purged_at is None
    question = Question(
        say("Set a value of {answer} right", answer=answer),
        told if possible else [str(ERASED)],
        say("Set right"), form=form if possible else None, possible=possible,
    )  # fmt: skip
    return admin.ask_about(request, answer, question)


def _do(request: HttpRequest, admin: StaffAdmin, answer: Answer, form: MendForm) -> HttpResponse | None:
    """The answer's page; None where it can't be done, with the reason in the form."""
    what, actor = form.cleaned_data["what"], staff(request.user)
    try:
        mend(answer.pk, what, form.right(), actor)
    except NotMendable as no:
        form.add_error(no.field if no.field in form.fields else None, said(no.words))
        return None
    note(admin, request, answer, message("Set right by a person: {what}.", what=what))
    words = [say("The value is set right.")]
    if form.cleaned_data["replay"]:
        begun, refused = replay_all(answer, When(form.cleaned_data["replay"]), actor)
        words += [say_many("{count} delivery is replayed.", "{count} deliveries are replayed.", begun)]
        words += [_refused(row.account.get_crm_display(), said(no.words)) for row, no in refused]
    return admin.done_with(request, answer, " ".join(words))


def _refused(crm: str, what: str) -> str:
    """What can't be replayed, with the CRM that it is about; some words name it themselves."""
    return f"{what}." if what.startswith(crm) else say("{crm}: {what}.", crm=crm, what=what)


def mends_of(answer: Answer) -> list[dict[str, Any]]:
    """What was set right, for the timeline, the oldest first."""
    language = get_language() or RU
    told = []
    for row in answer.mends.all():
        group, _dot, key = row.what.partition(".")
        what = name_of(key, language) if group == CONTACT else say("question {q}", q=key)
        told.append({"row": row, "what": what, "before": shown(row.before), "after": shown(row.after)})
    return told


def _typed(value: Any) -> str:
    """As a person types it: several choices one in each line."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
