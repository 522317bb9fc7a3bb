"""The other answer to a delivery that may have arrived: a person has found its lead in the CRM."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, ask, chosen_rows, confirmed, done, note
from accounts.texts import say, say_many
from connectors.messages import message
from rules.delivery import outbox
from rules.models import Delivery

MOST_AT_ONCE = 500
NOTHING = _("Nothing was changed: it is not held any more, or nothing of it was ever unclear.")
NO_SECOND = _("Nothing is sent. If the lead is not there after all, it is lost: nobody tries again.")


def findable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Held, and an earlier try ended unclear: only these can be in the CRM without our knowledge."""
    return rows.filter(state=Delivery.State.HELD, look_first=True)


class LeadForm(forms.Form):
    lead = forms.CharField(
        max_length=100,
        required=False,
        label=_("The lead's id in the CRM"),
        help_text=_("If you have it: what becomes of the lead is followed by it."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def ask_or_do_one(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    form, back = LeadForm(request.POST if confirmed(request) else None), admin.page_of(delivery)
    if confirmed(request) and form.is_valid():
        lead = form.cleaned_data["lead"]
        found = _mark(request, admin, delivery, lead)
        return done(
            request, say("It is delivered, and followed from now on.") if found else str(NOTHING), back, found
        )
    told = [
        say(
            "You have looked in {account} for our mark {uid}, or for the person who answered, and "
            "the lead is there.",
            account=delivery.account,
            uid=delivery.uid,
        ),
        str(NO_SECOND),
    ]
    possible = findable(Delivery.objects.filter(pk=delivery.pk)).exists()
    question = Question(
        say("Is the lead in the CRM?"), told if possible else [str(NOTHING)], say("Mark as delivered"),
        form=form if possible else None, possible=possible, back=back,
    )  # fmt: skip
    return ask(request, admin, question)


def _mark(request: HttpRequest, admin: StaffAdmin, delivery: Delivery, lead: str) -> bool:
    with transaction.atomic():
        found = findable(Delivery.objects.filter(pk=delivery.pk)).exists() and outbox.arrived(
            delivery.pk, lead
        )
        if found:
            note(admin, request, delivery, _found(lead))
    return found


def ask_or_do_many(
    request: HttpRequest, admin: StaffAdmin, rows: QuerySet[Delivery], action: str, back: str
) -> HttpResponse:
    """After a CRM was out of reach somebody goes through its list once; ids are nobody's business then."""
    keys = list(findable(rows).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    if confirmed(request):
        moved = mark_all(keys, request.user)
        told = (
            say_many(
                "{count} delivery marked as delivered.", "{count} deliveries marked as delivered.", moved
            )
            if moved
            else str(NOTHING)
        )
        return done(request, told, back, moved > 0)
    left = rows.order_by().count() - len(keys)
    sentences = [
        say_many(
            "You have looked, and {count} lead is in the CRM.",
            "You have looked, and {count} leads are in the CRM.",
            len(keys),
        ),
        str(NO_SECOND),
    ]
    if left:
        sentences.append(
            say_many(
                "{count} delivery will be left alone: nothing of them is unclear.",
                "{count} deliveries will be left alone: nothing of them is unclear.",
                left,
            )
        )
    if len(keys) == MOST_AT_ONCE:
        sentences.append(
            say("No more than {most_at_once} go at once: choose the rest again.", most_at_once=MOST_AT_ONCE)
        )
    question = Question(
        say_many("Mark {count} delivery as delivered?", "Mark {count} deliveries as delivered?", len(keys)),
        sentences, say("Mark as delivered"),
        possible=bool(keys), back=back, hidden=chosen_rows(request, action),
    )  # fmt: skip
    return ask(request, admin, question)


def _found(lead: str) -> str:
    """For its history."""
    if lead:
        return message("Found in the CRM by a person: lead {lead}.", lead=lead)
    return message("Found in the CRM by a person.")


def mark_all(keys: list[int], person: Any) -> int:
    """Each on its own, in its history, too."""
    with transaction.atomic():
        moved = [pk for pk in keys if outbox.arrived(pk)]
        LogEntry.objects.log_actions(
            user_id=person.pk,
            queryset=Delivery.objects.filter(pk__in=moved).only("pk"),
            action_flag=CHANGE,
            change_message=_found(""),
        )
    return len(moved)
