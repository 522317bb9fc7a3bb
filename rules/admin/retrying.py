"""Trying a delivery again from its page: first what that means. Of many: ``rules.admin.bulk``."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import StaffAdmin, ask, confirmed, done
from accounts.texts import say_many
from connectors.messages import message
from rules.admin.bulk import Action, count, question
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery

MOVABLE = [Delivery.State.WAITING, Delivery.State.HELD]
NOTHING = _("Nothing was changed: these deliveries are being sent, or were delivered meanwhile.")


def ask_or_do(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    back = admin.page_of(delivery)
    if not confirmed(request):
        touched = count(Action.RETRY, Delivery.objects.filter(pk=delivery.pk), [delivery.pk])
        return ask(request, admin, question(Action.RETRY, touched, "", back, []))
    moved = try_again(delivery, request.user)
    told = str(NOTHING)
    if moved:
        told = say_many(
            "{count} delivery will be tried again now.", "{count} deliveries will be tried again now.", moved
        )
    return done(request, told, back, moved > 0)


def try_again(delivery: Delivery, person: Any) -> int:
    """Through the outbox, as a worker would; who asked for it is kept in the delivery's history."""
    with transaction.atomic():
        chosen = Delivery.objects.filter(pk=delivery.pk, state__in=MOVABLE)
        if not chosen.select_for_update(of=("self",)).exists():
            return 0
        moved = outbox.retry(chosen)
        LogEntry.objects.log_actions(
            user_id=person.pk,
            queryset=Delivery.objects.filter(pk=delivery.pk).only("pk"),
            action_flag=CHANGE,
            change_message=message("Tried again by a person."),
        )
        transaction.on_commit(lambda: wake_lanes([delivery.account_id]))
    return moved
