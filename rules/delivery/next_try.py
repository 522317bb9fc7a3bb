"""When a delivery is really tried next, and what it waits for: what its lane would do, told to people.

Reads what workers read: the account's state, the lane's rest, and the stop sign and holds of the pace that
all processes share. The latter are in Redis: a few queries for each account, however many deliveries it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import db_clock
from accounts.crm_settings import rate_limiter_for
from accounts.models import Account
from connectors.limiter import NoRateLimiter
from connectors.messages import message, sentences
from rules.delivery.holds import CANCELLED, FOR_RETURN, RULE_DELETED, RULE_PAUSED, hold_of
from rules.delivery.settlement import NOT_YET
from rules.models import Delivery

State = Delivery.State
READ_LATE = timedelta(seconds=db_clock.QUICK)  # as much may a due time be ahead of what the clock says now


@dataclass(frozen=True, slots=True)
class NextTry:
    """``at`` is a moment to come, or None: it is due and goes with the lane's next turn, it is being sent, it
    was delivered, or it waits for something that has no time. ``waits_for`` says which; empty once delivered.
    """

    at: datetime | None = None
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Barrier:
    """What keeps a whole account's lane from sending: ``words``, and ``until`` when where that is known."""

    until: datetime | None = None
    words: str = ""


def next_tries(deliveries: Iterable[Delivery], ask_pace: bool = True) -> dict[int, NextTry]:
    """By the deliveries' primary keys; their accounts and lanes must be at hand (``select_related``).

    Without ``ask_pace`` the database's part alone is told: taking an answer waits for no Redis.
    """
    now = db_clock.now()
    barriers: dict[int, Barrier | None] = {}
    found = {}
    for row in deliveries:
        if row.state == State.WAITING and row.account_id not in barriers:
            barriers[row.account_id] = _barrier(row.account, now, ask_pace)
        found[row.pk] = _next_try(row, barriers.get(row.account_id), now)
    return found


def next_try(delivery: Delivery) -> NextTry:
    """Of one delivery."""
    return next_tries([delivery])[delivery.pk]


def _next_try(row: Delivery, barrier: Barrier | None, now: datetime) -> NextTry:
    if row.state == State.DELIVERED:
        return NextTry()
    if row.state == State.SENDING:
        return NextTry(waits_for=message("It is being sent."))
    if row.state == State.HELD:
        return NextTry(waits_for=_held(row))
    if barrier and barrier.until is None:
        return NextTry(waits_for=barrier.words)
    if barrier and barrier.until and barrier.until > row.due_at:
        return NextTry(barrier.until, barrier.words)
    if row.error_code in NOT_YET:
        return NextTry(row.due_at if row.due_at > now else None, sentences(row.error))
    if row.due_at <= now + READ_LATE:
        return NextTry(waits_for=message("It is due and goes with the lane's next turn."))
    if row.look_first:
        return NextTry(
            row.due_at, message("An earlier try ended unclear: the CRM is asked first whether it arrived.")
        )
    return NextTry(row.due_at, message("The pause before its next try."))


def _held(row: Delivery) -> str:
    if row.held_because == CANCELLED.because:
        return message("Nothing: it was cancelled.")
    if row.held_because == Delivery.Held.LEFT_OUT:
        return message("Nothing: its rule leaves it out.")
    if row.held_because in (RULE_PAUSED.because, RULE_DELETED.because):
        return message("Its rule. {remedy}", remedy=row.remedy)
    if row.held_because not in FOR_RETURN:
        return message("A person: {remedy}", remedy=row.remedy or row.get_held_because_display())
    if hold := hold_of(row.account):
        return message("Its account. {remedy}", remedy=hold.remedy)
    return message("Its account is back; it goes on once the lists that its rule names are read.")


def _barrier(account: Account, now: datetime, ask_pace: bool) -> Barrier | None:
    """None where the lane may send."""
    if hold := hold_of(account):
        return Barrier(words=message("Its account. {remedy}", remedy=hold.remedy))
    limiter = (
        rate_limiter_for(account.crm, account.remote_id or account.host) if ask_pace else NoRateLimiter()
    )
    if limiter.stopped():
        return Barrier(words=message("Requests to this account are stopped: resume the account."))
    found = [
        Barrier(
            now + timedelta(seconds=seconds),
            message("The CRM's budget for {what} is nearly used.", what=what),
        )
        for what, seconds in limiter.resting().items()
    ]
    if account.lane.rests_until and account.lane.rests_until > now:
        words = message("The CRM was silent: the account's lane rests, then one delivery probes.")
        found.append(Barrier(account.lane.rests_until, words))
    return max(found, key=lambda one: one.until or now, default=None)
