"""The other answer to a delivery that may have arrived: a person has found its lead in the CRM. Of many:
``rules.admin.bulk``."""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, ask, confirmed, done, note
from accounts.texts import say
from connectors.messages import message
from rules.delivery import outbox
from rules.models import Delivery

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
            "You have looked in {account} for the external id {uid}, or for the person who answered, and "
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


def _found(lead: str) -> str:
    """For its history."""
    if lead:
        return message("Found in the CRM by a person: lead {lead}.", lead=lead)
    return message("Found in the CRM by a person.")
