"""What a person decides about a delivery on its page: try it again, send it to nobody, or its lead is in the
CRM. Of many: ``rules.admin.bulk``.
"""

from __future__ import annotations

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_base import Question, StaffAdmin, answered, confirmed, note
from accounts.texts import say, say_many
from connectors.messages import message
from rules.admin.bulk import NO_SECOND, NOTHING, Action, count, question
from rules.bulk import DEEDS
from rules.delivery import outbox, replay_moves
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery

NOT_UNCLEAR = _("Nothing was changed: it is not held any more, or nothing of it was ever unclear.")


def ask_to_retry(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    if not confirmed(request):
        touched = count(Action.RETRY, Delivery.objects.filter(pk=delivery.pk), [delivery.pk])
        return admin.ask_about(request, delivery, question(Action.RETRY, touched))
    moved = try_again(request, admin, delivery)
    told = str(NOTHING)
    if moved:
        told = say_many(
            "{count} delivery will be tried again now.", "{count} deliveries will be tried again now.", moved
        )
    return admin.done_with(request, delivery, told, moved > 0)


def movable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those of ``rows`` that can be tried again."""
    return rows.filter(DEEDS[Action.RETRY].touches())


def try_again(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> int:
    """Through the outbox, as a worker would; who asked for it is kept in the delivery's history."""
    with transaction.atomic():
        chosen = movable(Delivery.objects.filter(pk=delivery.pk))
        if not chosen.select_for_update(of=("self",)).exists():
            return 0
        moved = outbox.retry(chosen)
        note(admin, request, delivery, message("Tried again by a person."))
        transaction.on_commit(lambda: wake_lanes([delivery.account_id]))
    return moved


# -- it is not wanted ---------------------------------------------------------------------------------------


def cancellable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those of ``rows`` that are still to be sent, or sent once more."""
    return rows.filter(DEEDS[Action.CANCEL].touches())


def ask_to_cancel(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    rows = Delivery.objects.filter(pk=delivery.pk)
    if not confirmed(request):
        return admin.ask_about(
            request, delivery, question(Action.CANCEL, count(Action.CANCEL, rows, [delivery.pk]))
        )
    with transaction.atomic():
        cancelled = cancellable(rows).exists() and replay_moves.cancel(rows) > 0
        if cancelled:
            note(admin, request, delivery, message("Cancelled by a person."))
    words = say("It is cancelled: nothing is sent.") if cancelled else str(NOTHING)
    return admin.done_with(request, delivery, words, cancelled)


# -- its lead is in the CRM ----------------------------------------------------------------------------------


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


def ask_whether_arrived(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    form = LeadForm(answered(request))
    if form.is_valid():
        found = _mark(request, admin, delivery, form.cleaned_data["lead"])
        words = say("It is delivered, and followed from now on.") if found else str(NOT_UNCLEAR)
        return admin.done_with(request, delivery, words, found)
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
    asked = Question(
        say("Is the lead in the CRM?"), told if possible else [str(NOT_UNCLEAR)], say("Mark as delivered"),
        form=form if possible else None, possible=possible,
    )  # fmt: skip
    return admin.ask_about(request, delivery, asked)


def _mark(request: HttpRequest, admin: StaffAdmin, delivery: Delivery, lead: str) -> bool:
    with transaction.atomic():
        found = findable(Delivery.objects.filter(pk=delivery.pk)).exists() and outbox.arrived(
            delivery.pk, lead
        )
        if found:
            words = message("Found in the CRM by a person: lead {lead}.", lead=lead) if lead else outbox.FOUND
            note(admin, request, delivery, words)
    return found
