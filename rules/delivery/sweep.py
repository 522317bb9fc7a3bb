"""What beat looks after: wake-ups that were lost, accounts that were parked or came back, dead workers."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Account
from crm_cache import runs
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.mapping.rule_snapshot import lists_named, why_unread
from rules.models import Answer, Attempt, Delivery, FormerBody, Outcome, Rule

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 1000


def sweep() -> None:
    """One round; every step is a short statement and harmless to repeat."""
    park_idle_accounts()
    release_active_accounts()
    free_lanes_nobody_can_take()
    wake_lanes(lanes_with_work())


def park_idle_accounts() -> None:
    """Deliveries of accounts that can't be used say so, instead of waiting in silence."""
    for state, away in outbox.AWAY.items():
        others = set(outbox.FOR_RETURN) - {away.because}
        unsaid = Exists(_deliveries(state="waiting")) | Exists(
            _deliveries(state="held", held_because__in=others)
        )
        for account in Account.objects.filter(unsaid, state=state):
            if hold := outbox.hold_of(account):
                count = outbox.park(account.deliveries.all(), hold)
                log.info("deliveries held", account=account.pk, count=count, because=hold.because)


def release_active_accounts() -> None:
    """What waited for an account that is back goes on by itself, once the lists its rule names were read;
    what waited longer than ``HELD_FOR_RETURN`` before the return is left to a person."""
    active = Account.objects.filter(state=Account.State.ACTIVE, deleted=False)
    for account in _with_deliveries(active, state="held", held_because__in=outbox.FOR_RETURN):
        _expire_old(account)
        _release_known(account)


def _expire_old(account: Account) -> None:
    oldest = account.state_since - settings.HELD_FOR_RETURN
    hours = settings.HELD_FOR_RETURN // timedelta(hours=1)
    hold = outbox.Hold(
        Delivery.Held.STALE,
        f"The account came back on {account.state_since:%Y-%m-%d %H:%M} UTC, when this answer was older than"
        f" {hours} hours",
        "Try it again if the lead is still wanted; if it is in the CRM already, mark it as delivered.",
    )
    if count := outbox.expire(account.deliveries.filter(created_at__lt=oldest), hold):
        log.info("deliveries held as stale", account=account.pk, count=count)


def _release_known(account: Account) -> None:
    """By rule: a list that was not read since says nothing of what the account has now."""
    held = account.deliveries.filter(state="held", held_because__in=outbox.FOR_RETURN)
    rules = Rule.objects.filter(pk__in=held.order_by().values("rule").distinct())
    read, wanted = runs.read_since(account, runs.returned_at(account)), set[str]()
    for rule in rules:
        if unread := lists_named(rule, account) - read:
            wanted |= unread
            outbox.explain(held.filter(rule=rule), *why_unread(account, unread))
        elif count := outbox.release(held.filter(rule=rule), *outbox.FOR_RETURN):
            Account.objects.filter(pk=account.pk).update(lane_failures=0, lane_rests_until=None)
            log.info("deliveries released", account=account.pk, rule=rule.pk, count=count)
    runs.ask_once(account, wanted, runs.returned_at(account))


def free_lanes_nobody_can_take() -> None:
    """A dead worker's deliveries of an account that is no longer active; active lanes free their own."""
    gone = Account.objects.exclude(state=Account.State.ACTIVE).filter(_lane_is_free())
    for account in _with_deliveries(gone, state="sending"):
        outbox.free_stale(account.pk, outbox.can_look(account), account.send_again)


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
    with transaction.atomic():
        settled = old.exclude(Exists(undelivered))
        locked = settled.select_for_update(of=("self",), skip_locked=True)
        keys = list(locked.values_list("pk", flat=True)[:AT_ONCE])
        # Asked again under the lock: a backfill may have planned deliveries for some just before.
        keys = list(settled.filter(pk__in=keys).values_list("pk", flat=True))
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
