"""What beat looks after: wake-ups that were lost, accounts that were parked or came back, dead workers.

Bulk moves are short transactions that go on where the last one ended, whoever did it: what is still to be
done is in the rows. Each step is done by one process at a time, and fails alone.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef

from accounts import db_clock
from accounts.models import Account, Lane, first_in_turn
from accounts.singletons import each_alone
from accounts.worker_threads import worker
from connectors.messages import message, minute
from crm_cache import runs
from rules.delivery import holds, outbox
from rules.delivery.lane import NEXT_DUE, due_lanes, forget_silence, is_free, reckon
from rules.delivery.queueing import wake_lanes
from rules.made_between import made_between
from rules.mapping.rule_snapshot import lists_named, why_unread
from rules.models import Delivery, Rule

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 1000
TURN = 2 * outbox.AT_ONCE  # rows that are moved for one account before others have their turn
ROUND = 20.0  # seconds that one round of bulk moves may take
READ_AGAIN = timedelta(seconds=10)  # until an account is reviewed again whose lists are being read
AFTER_A_BUG = timedelta(minutes=1)
INTAKE_ENDS = timedelta(minutes=1)  # an answer that was taken by an account's former state is stored by then
CHECKED = 2000  # accounts of one check
LONGEST_REST = timedelta(seconds=30)  # of a rule: a lane that is due so soon has missed nothing


def sweep() -> None:
    """Wake lanes, whose wake-ups may have been lost."""
    wake_lanes(lanes_with_work())


def review() -> None:
    """Move what is to follow its account's state or its saved rule; this may take a while."""
    each_alone(review_accounts, release_saved_rules)


def lanes_with_work() -> list[int]:
    """Active accounts with something due, or left half-sent, whose lane is free and rested; those whose
    answers have waited longest come first."""
    return due_lanes(AT_ONCE, usable=True)


# -- deliveries follow their account's state -----------------------------------------------------------------


def review_accounts() -> None:
    """Hold what can't go on, and let go what waited for an account that is back.

    Accounts come here when their state has changed (``Lane.review_at``), and with deliveries that are due
    while nobody can send them. One that has a million of them has turns like everybody else.
    """
    ends, more = time.monotonic() + ROUND, True
    while more and time.monotonic() < ends and not worker.ends.is_set():
        more = False
        for account_id in _to_review():
            begun = time.monotonic()
            if begun >= ends:
                return
            if _take_turn(account_id):
                more = True
                time.sleep(outbox.rest_after(time.monotonic() - begun))


def _to_review() -> list[int]:
    asked = Lane.objects.filter(review_at__lte=db_clock.now()).order_by("review_at", "pk")
    unsaid = due_lanes(AT_ONCE, usable=False)
    return list(dict.fromkeys([*asked.values_list("pk", flat=True)[:AT_ONCE], *unsaid]))


def _take_turn(account_id: int) -> bool:
    """Is more left to do? A state that changes meanwhile has the account reviewed again."""
    lane = Lane.objects.select_related("account").get(pk=account_id)
    same = Lane.objects.filter(pk=account_id, review_at=lane.review_at)
    try:
        again = _review(lane.account)
    except Exception:
        log.exception("the account can't be reviewed, others go on", account=account_id)
        same.update(review_at=db_clock.now() + AFTER_A_BUG)
        return False
    same.update(review_at=again)
    return again is not None and again <= db_clock.now()


def _review(account: Account) -> datetime | None:
    """One turn. When the account is to be reviewed again: now, later, or not at all (None)."""
    moved, unread = _bring_back(account) if account.usable else (_hold(account), False)
    now = db_clock.now()
    if moved >= TURN:
        return now
    if unread:
        return now + READ_AGAIN
    second_look = account.state_since + INTAKE_ENDS
    return second_look if second_look > now else None


def _hold(account: Account) -> int:
    """Deliveries of an account that can't be used say so, instead of waiting in silence."""
    hold = holds.hold_of(account)
    count = outbox.park(account, hold, TURN) if hold else 0
    if hold and count:
        log.info("deliveries held", account=account.pk, count=count, because=hold.because)
    if count < TURN:
        _free_lane(account)
    return count


def _free_lane(account: Account) -> None:
    """What a dead worker left of an account that is no longer active; active lanes free their own."""
    if Account.objects.filter(is_free(), pk=account.pk).exclude(state=Account.State.ACTIVE).exists():
        outbox.free_stale(account.pk, outbox.can_look(account), account.send_again)
        reckon(account.pk)


def _bring_back(account: Account) -> tuple[int, bool]:
    """(how many were moved, does something wait for lists). What waited for the account goes on by itself,
    once the lists its rule names were read; what waited longer than ``HELD_FOR_RETURN`` before the return is
    left to a person."""
    expired = _expire_old(account)
    released, unread = _release_known(account, TURN - expired) if expired < TURN else (0, False)
    return expired + released, unread


def _expire_old(account: Account) -> int:
    oldest = account.state_since - settings.HELD_FOR_RETURN
    hours = settings.HELD_FOR_RETURN // timedelta(hours=1)
    hold = holds.Hold(
        Delivery.Held.STALE,
        message(
            "The account came back on {since} UTC, when this answer was older than {hours} hours",
            since=minute(account.state_since),
            hours=hours,
        ),
        message(
            "Try it again if the lead is still wanted; if it is in the CRM already, mark it as delivered."
        ),
    )
    old, count = made_between(account.deliveries.all(), None, oldest), 0
    for because in holds.FOR_RETURN:
        count += outbox.expire(old.filter(held_because=because), hold, TURN - count)
    if count:
        log.info("deliveries held as stale", account=account.pk, count=count)
    return count


def _release_known(account: Account, most: int) -> tuple[int, bool]:
    """By rule: a list that was not read since says nothing of what the account has now."""
    waits = {"state": "held", "held_because__in": holds.FOR_RETURN}
    rules = list(account.rules.filter(Exists(Delivery.objects.filter(rule=OuterRef("pk"), **waits))))
    read = runs.read_since(account, runs.returned_at(account)) if rules else frozenset()
    wanted, moved = set[str](), 0
    for rule in rules:
        held = rule.deliveries.filter(account__state=account.state, account__deleted=False)
        if moved >= most:
            break
        if unread := lists_named(rule, account) - read:
            wanted |= unread
            error, remedy = why_unread(account, unread)
            outbox.explain(held.filter(**waits), error, remedy, outbox.AT_ONCE)
        elif count := outbox.release(held, *holds.FOR_RETURN, most=most - moved):
            moved += count
            forget_silence(account.pk)
            log.info("deliveries released", account=account.pk, rule=rule.pk, count=count)
    runs.ask_once(account, wanted, runs.returned_at(account))
    return moved, bool(wanted)


def review_soon(account_id: int, **_: object) -> None:
    """An account's lists were read just now, which its deliveries may have waited for."""
    Lane.objects.filter(pk=account_id, review_at__isnull=False).update(review_at=db_clock.now())


def release_saved_rules() -> None:
    """What a saved or resumed rule held goes on: the first of it went at once, a million takes a while."""
    for rule in Rule.objects.filter(release_at__isnull=False).order_by("release_at")[:AT_ONCE]:
        same = Rule.objects.filter(pk=rule.pk, release_at=rule.release_at)
        try:
            works = holds.hold_of_rule(rule.successor() or rule if rule.deleted else rule) is None
            count = outbox.release(rule.deliveries.all(), *holds.FOR_RULE, most=TURN) if works else 0
        except Exception:  # its next chance comes behind the others'
            log.exception("deliveries of a saved rule can't be released, others go on", rule=rule.pk)
            same.update(release_at=db_clock.now())
            continue
        if count < TURN:
            same.update(release_at=None)
        log.info("deliveries of a saved rule released", rule=rule.pk, count=count)


# -- should anything have been missed ------------------------------------------------------------------------


def check_lanes(first: int | None = None) -> int:
    """Compare the lanes of some accounts with their deliveries, and mend what differs: how many did.

    The database keeps lanes itself, but not while its triggers are off, as when a dump is being restored.
    ``first``: the accounts from this id on; without it they take turns, by the minute.
    """
    now = db_clock.now()
    values: dict[str, Any] = {
        "first": first_in_turn(CHECKED) if first is None else first,
        "count": CHECKED,
        "now": now,
        "soon": now + LONGEST_REST,
        "resting": [],
    }
    with connection.cursor() as cursor:
        mended = 0
        for statement in (MISSING, OVERDUE, UNREVIEWED, UNSEEN):
            cursor.execute(statement, values)
            mended += cursor.rowcount
    if mended:
        log.warning("lanes were not as their deliveries", count=mended, first=first)
    return mended


MISSING = """
INSERT INTO accounts_lane (account_id) SELECT id FROM accounts_account
WHERE id >= %(first)s AND id < %(first)s + %(count)s ON CONFLICT DO NOTHING
"""
OVERDUE = f"""
UPDATE accounts_lane l SET next_due = found.due FROM (
    SELECT account_id, {NEXT_DUE} AS due FROM accounts_lane s
    WHERE account_id >= %(first)s AND account_id < %(first)s + %(count)s
) found WHERE l.account_id = found.account_id
AND (l.next_due IS NULL OR l.next_due > greatest(found.due, %(soon)s))
AND found.due IS NOT NULL
"""  # noqa: S608 - words of our own
UNREVIEWED = """
UPDATE accounts_lane l SET review_at = %(now)s FROM accounts_account a
WHERE a.id = l.account_id AND l.account_id >= %(first)s AND l.account_id < %(first)s + %(count)s
AND l.review_at IS NULL AND CASE WHEN a.state = 'active' AND NOT a.deleted
    THEN EXISTS (SELECT FROM rules_delivery d WHERE d.account_id = a.id AND d.state = 'held'
                 AND d.held_because IN ('reconnect', 'disconnected', 'paused'))
    ELSE EXISTS (SELECT FROM rules_delivery d WHERE d.account_id = a.id AND d.state = 'waiting') END
"""
UNSEEN = """
UPDATE accounts_lane l SET look_at = found.due FROM (
    SELECT account_id,
        (SELECT min(next_look_at) FROM rules_outcome o WHERE o.account_id = s.account_id) AS due
    FROM accounts_lane s WHERE account_id >= %(first)s AND account_id < %(first)s + %(count)s
) found WHERE l.account_id = found.account_id AND (l.look_at IS NULL OR l.look_at > found.due)
AND found.due IS NOT NULL
"""
