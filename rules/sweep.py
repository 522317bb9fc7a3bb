"""What beat looks after: wake-ups that were lost, accounts that were parked or came back, dead workers."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Account
from connectors.registry import connector_class
from rules import outbox
from rules.heirs import hand_over
from rules.models import Answer, Attempt, Delivery, FormerBody, Outcome
from rules.wake import wake_lanes

log = logging.getLogger(__name__)
Held = Delivery.Held
AT_ONCE = 1000

PARKED = {
    Account.State.NEEDS_RECONNECT: (
        Held.RECONNECT,
        "The CRM no longer accepts our sign-in",
        "Connect the account again.",
    ),
    Account.State.CONNECTING: (Held.RECONNECT, "The account is not connected yet", "Finish connecting it."),
    Account.State.DISCONNECTED: (
        Held.RECONNECT,
        "The account was disconnected",
        "Connect it again: what waits goes on by itself.",
    ),
    Account.State.PAUSED: (Held.PAUSED, "The account is paused", "Resume the account."),
}


def sweep() -> None:
    """One round; every step is a short statement and harmless to repeat."""
    hand_over()
    park_idle_accounts()
    release_active_accounts()
    free_lanes_nobody_can_take()
    wake_lanes(lanes_with_work())


def park_idle_accounts() -> None:
    """Deliveries of accounts that can't be used say so, instead of waiting in silence."""
    for account in _with_deliveries(Account.objects.exclude(state=Account.State.ACTIVE), state="waiting"):
        because, error, remedy = PARKED[Account.State(account.state)]
        error = f"{error}: {account.state_reason}" if account.state_reason else error
        count = outbox.park(account.deliveries.all(), because, error, remedy)
        log.info("account=%s parked=%s because=%s", account.pk, count, because)


def release_active_accounts() -> None:
    """Whoever is back goes on by itself."""
    active = Account.objects.filter(state=Account.State.ACTIVE, deleted=False)
    held = [Held.RECONNECT, Held.PAUSED]
    for account in _with_deliveries(active, state="held", held_because__in=held):
        count = outbox.release(account.deliveries.all(), *held)
        Account.objects.filter(pk=account.pk).update(lane_failures=0, lane_rests_until=None)
        log.info("account=%s released=%s", account.pk, count)


def free_lanes_nobody_can_take() -> None:
    """A dead worker's deliveries of an account that is no longer active; active lanes free their own."""
    gone = Account.objects.exclude(state=Account.State.ACTIVE).filter(_lane_is_free())
    for account in _with_deliveries(gone, state="sending"):
        outbox.free_stale(account.pk, connector_class(account.crm).can.find_by_mark, account.send_again)


def lanes_with_work() -> list[int]:
    """Active accounts with something due, or left half-sent, whose lane is free and rested; those whose
    answers have waited longest come first."""
    now = timezone.now()
    rested = Q(lane_rests_until__isnull=True) | Q(lane_rests_until__lte=now)
    ready = Account.objects.filter(rested, _lane_is_free(), state=Account.State.ACTIVE, deleted=False)
    due = Q(Exists(_deliveries(state="waiting", due_at__lte=now))) | Q(Exists(_deliveries(state="sending")))
    oldest = _deliveries(state="waiting").order_by("due_at").values("due_at")[:1]
    longest_first = ready.filter(due).annotate(since=Subquery(oldest)).order_by("since", "pk")
    return list(longest_first.values_list("pk", flat=True)[:AT_ONCE])


def purge() -> None:
    """Payloads and attempts past their retention, and who it was. Rows, digests and outcomes stay."""
    now = timezone.now()
    undelivered = Delivery.objects.filter(answer=OuterRef("pk")).exclude(state=Delivery.State.DELIVERED)
    old = Answer.objects.filter(
        created_at__lt=now - timedelta(days=settings.PAYLOAD_DAYS), purged_at__isnull=True
    )
    keys = list(old.exclude(Exists(undelivered)).values_list("pk", flat=True)[:AT_ONCE])
    Answer.objects.filter(pk__in=keys).update(payload={}, purged_at=now)
    FormerBody.objects.filter(answer__in=keys).update(payload={})
    Delivery.objects.filter(answer__in=keys).update(contact_keys=[])
    Outcome.objects.filter(delivery__answer__in=keys).update(contact={})
    tries = Attempt.objects.filter(started_at__lt=now - timedelta(days=settings.ATTEMPT_DAYS))
    tries.filter(pk__in=list(tries.values_list("pk", flat=True)[: AT_ONCE * 10])).delete()


def _with_deliveries(accounts: QuerySet[Account], **chosen: object) -> QuerySet[Account]:
    return accounts.filter(Exists(_deliveries(**chosen)))


def _deliveries(**chosen: object) -> QuerySet[Delivery]:
    return Delivery.objects.filter(account=OuterRef("pk"), **chosen)


def _lane_is_free() -> Q:
    return Q(lane_until__isnull=True) | Q(lane_until__lt=timezone.now())
