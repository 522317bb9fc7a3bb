"""The other answer to a delivery that may have arrived: a person has found its lead in the CRM."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, ask, chosen_rows, confirmed, done, note, plural
from rules.delivery import outbox
from rules.models import Delivery

MOST_AT_ONCE = 500
NOTHING = "Nothing was changed: it is not held any more, or nothing of it was ever unclear."
NO_SECOND = "Nothing is sent. If the lead is not there after all, it is lost: nobody tries again."


def findable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Held, and an earlier try ended unclear: only these can be in the CRM without our knowledge."""
    return rows.filter(state=Delivery.State.HELD, look_first=True)


class LeadForm(forms.Form):
    lead = forms.CharField(
        max_length=100,
        required=False,
        label="The lead's id in the CRM",
        help_text="If you have it: what becomes of the lead is followed by it.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def ask_or_do_one(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    form, back = LeadForm(request.POST if confirmed(request) else None), admin.page_of(delivery)
    if confirmed(request) and form.is_valid():
        lead = form.cleaned_data["lead"]
        found = _mark(request, admin, delivery, lead)
        return done(request, "It is delivered, and followed from now on." if found else NOTHING, back, found)
    told = [
        f"You have looked in {delivery.account} for our mark {delivery.uid}, or for the person who answered,"
        " and the lead is there.",
        NO_SECOND,
    ]
    possible = findable(Delivery.objects.filter(pk=delivery.pk)).exists()
    question = Question(
        "Is the lead in the CRM?", told if possible else [NOTHING], "Mark as delivered",
        form=form if possible else None, possible=possible, back=back,
    )  # fmt: skip
    return ask(request, admin, question)


def _mark(request: HttpRequest, admin: StaffAdmin, delivery: Delivery, lead: str) -> bool:
    with transaction.atomic():
        found = findable(Delivery.objects.filter(pk=delivery.pk)).exists() and outbox.arrived(
            delivery.pk, lead
        )
        if found:
            note(admin, request, delivery, f"Found in the CRM by a person{f': lead {lead}' if lead else ''}.")
    return found


def ask_or_do_many(
    request: HttpRequest, admin: StaffAdmin, rows: QuerySet[Delivery], action: str, back: str
) -> HttpResponse:
    """After a CRM was out of reach somebody goes through its list once; ids are nobody's business then."""
    keys = list(findable(rows).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    if confirmed(request):
        moved = mark_all(keys, request.user)
        told = f"{plural(moved, 'delivery', 'deliveries')} marked as delivered." if moved else NOTHING
        return done(request, told, back, moved > 0)
    left = rows.order_by().count() - len(keys)
    sentences = [f"You have looked, and {plural(len(keys), 'lead')} {_are(len(keys))} in the CRM.", NO_SECOND]
    if left:
        sentences.append(
            f"{plural(left, 'delivery', 'deliveries')} will be left alone: nothing of them is unclear."
        )
    if len(keys) == MOST_AT_ONCE:
        sentences.append(f"No more than {MOST_AT_ONCE} go at once: choose the rest again.")
    question = Question(
        f"Mark {plural(len(keys), 'delivery', 'deliveries')} as delivered?", sentences, "Mark as delivered",
        possible=bool(keys), back=back, hidden=chosen_rows(request, action),
    )  # fmt: skip
    return ask(request, admin, question)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def mark_all(keys: list[int], person: Any) -> int:
    """Each on its own, in its history, too."""
    with transaction.atomic():
        moved = [pk for pk in keys if outbox.arrived(pk)]
        LogEntry.objects.log_actions(
            user_id=person.pk,
            queryset=Delivery.objects.filter(pk__in=moved).only("pk"),
            action_flag=CHANGE,
            change_message="Found in the CRM by a person.",
        )
    return len(moved)
