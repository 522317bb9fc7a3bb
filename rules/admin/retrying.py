"""Trying a delivery again from its page: first what that means. Of many: ``rules.admin.bulk``."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin_base import StaffAdmin, ask, confirmed, done, note
from accounts.texts import say_many
from connectors.messages import message
from rules.admin.bulk import NOTHING, Action, count, question
from rules.bulk import DEEDS
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery


def ask_or_do(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    back = admin.page_of(delivery)
    if not confirmed(request):
        touched = count(Action.RETRY, Delivery.objects.filter(pk=delivery.pk), [delivery.pk])
        return ask(request, admin, question(Action.RETRY, touched, "", back, []))
    moved = try_again(request, admin, delivery)
    told = str(NOTHING)
    if moved:
        told = say_many(
            "{count} delivery will be tried again now.", "{count} deliveries will be tried again now.", moved
        )
    return done(request, told, back, moved > 0)


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
