"""Trying deliveries again: the person first reads how many there are, of whom, and what may go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import Question, StaffAdmin, ask, chosen_rows, confirmed, done
from accounts.models import Account
from accounts.texts import say, say_many
from connectors.errors import LOOK_INCOMPLETE
from connectors.messages import message
from connectors.registry import CONNECTORS, connector_class
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery

MOVABLE = [Delivery.State.WAITING, Delivery.State.HELD]
MOST_AT_ONCE = 20_000  # what one request moves within a few seconds, history included
NOTHING = _("Nothing was changed: these deliveries are being sent, or were delivered meanwhile.")


@dataclass(frozen=True, slots=True)
class Touched:
    """What trying again would touch."""

    movable: int
    accounts: int
    sending: int
    delivered: int
    parked: int
    may_double: int


def ask_or_do(
    request: HttpRequest, admin: StaffAdmin, rows: QuerySet[Delivery], action: str, back: str
) -> HttpResponse:
    if not confirmed(request):
        hidden = chosen_rows(request, action) if action else []
        return ask(request, admin, _question(count(rows), back, hidden))
    moved = try_again(rows, request.user)
    told = str(NOTHING)
    if moved:
        told = say_many(
            "{count} delivery will be tried again now.", "{count} deliveries will be tried again now.", moved
        )
    if moved == MOST_AT_ONCE:
        told += " " + say("That is as many as go at once: choose the rest again.")
    return done(request, told, back, moved > 0)


def _question(counted: Touched, back: str, hidden: list[tuple[str, str]]) -> Question:
    return Question(
        say_many("Try {count} delivery again?", "Try {count} deliveries again?", counted.movable),
        sentences(counted),
        say("Try again now"),
        warnings=warnings(counted),
        danger=counted.may_double > 0,
        possible=counted.movable > 0,
        back=back,
        hidden=hidden,
    )


def count(rows: QuerySet[Delivery]) -> Touched:
    """One query over what was chosen."""
    movable = Q(state__in=MOVABLE)
    deaf = [kind for kind in CONNECTORS if not connector_class(kind).can.find_by_external_id]
    blind = Q(account__crm__in=deaf) | Q(held_because=Delivery.Held.LOOK_FIRST, error_code=LOOK_INCOMPLETE)
    parked = ~Q(account__state=Account.State.ACTIVE) | Q(account__deleted=True)
    found: dict[str, Any] = rows.order_by().aggregate(
        movable=Count("pk", filter=movable),
        accounts=Count("account", filter=movable, distinct=True),
        sending=Count("pk", filter=Q(state="sending")),
        delivered=Count("pk", filter=Q(state="delivered")),
        parked=Count("pk", filter=movable & parked),
        may_double=Count("pk", filter=movable & Q(look_first=True) & blind),
    )
    return Touched(**found)


def sentences(counted: Touched) -> list[str]:
    told = []
    if counted.movable:
        told.append(
            say_many(
                "{count} delivery of {accounts} will be tried again now.",
                "{count} deliveries of {accounts} will be tried again now.",
                counted.movable,
                accounts=say_many("{count} account", "{count} accounts", counted.accounts),
            )
        )
    if counted.sending:
        told.append(
            say_many(
                "{count} is being sent and will be left alone.",
                "{count} are being sent and will be left alone.",
                counted.sending,
            )
        )
    if counted.delivered:
        told.append(
            say_many(
                "{count} is delivered already and will be left alone.",
                "{count} are delivered already and will be left alone.",
                counted.delivered,
            )
        )
    return told


def warnings(counted: Touched) -> list[str]:
    told = []
    if counted.may_double:
        told.append(
            say_many(
                "{count} lead may have arrived, and their CRM can't be asked. Look there first: trying again"
                " makes a second lead if the first one did arrive.",
                "{count} leads may have arrived, and their CRM can't be asked. Look there first: trying again"
                " makes a second lead if the first one did arrive.",
                counted.may_double,
            )
        )
    if counted.movable > MOST_AT_ONCE:
        told.append(
            say_many(
                "Only {count} delivery goes at once, the oldest first.",
                "Only {count} deliveries go at once, the oldest first.",
                MOST_AT_ONCE,
            )
        )
    if counted.parked:
        told.append(
            say_many(
                "{count} belongs to an account that is not active and will be held again until that is"
                " mended.",
                "{count} belong to accounts that are not active and will be held again until that is mended.",
                counted.parked,
            )
        )
    return told


def try_again(rows: QuerySet[Delivery], person: Any) -> int:
    """Through the outbox, as a worker would; who asked for it is kept in each delivery's history."""
    with transaction.atomic():
        keys = list(
            rows.filter(state__in=MOVABLE)
            .order_by("pk")
            .select_for_update(of=("self",))
            .values_list("pk", "account_id")[:MOST_AT_ONCE]
        )
        chosen = Delivery.objects.filter(pk__in=[pk for pk, _ in keys])
        moved = outbox.retry(chosen)
        LogEntry.objects.log_actions(
            user_id=person.pk,
            queryset=chosen.only("pk"),
            action_flag=CHANGE,
            change_message=message("Tried again by a person."),
        )
        transaction.on_commit(lambda: wake_lanes({account for _, account in keys}))
    return moved
