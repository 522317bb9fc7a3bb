"""Following what became of delivered leads: ask each CRM now and then, sooner where it gave a hint.

The CRM's answer is the truth. A notice only brings the next look forward, so a lost one costs time and a
repeated, reordered or forged one costs a look. Deliveries go first: while a lane has work, nobody looks.
Where notices are subscribed, they lead, and looks of the plan are samples; else the plan asks, the newest
leads first. All of it within a budget (``look_budget``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.models import Account, Hook, Lane, live_accounts
from accounts.task_queue import ask
from connectors import tasks
from connectors.base import Connector
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake, Refused
from connectors.lead_status import BY_HAND, Followed, LeadStatus
from connectors.registry import CONNECTORS, connector_class
from rules.delivery.concurrency import looks
from rules.delivery.lane import goes_first, reckon_looks
from rules.delivery.queueing import ask_to_follow
from rules.delivery.settlement import our_bug
from rules.models import Delivery, Outcome
from rules.outcomes.columns import PLACE, Names, changes_of
from rules.outcomes.look_budget import CountingRateLimiter, LookBudget

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 500
MOST_MEANT = 200  # by a notice that names no lead
LEASE = timedelta(minutes=5)  # a look that takes longer than this was lost with its worker
DEBOUNCE = timedelta(seconds=2)  # CRMs tell of one change several times
SETTLED = timedelta(seconds=15)  # by then a lead that is being sent is written down, mostly
JUST_MADE = timedelta(minutes=2)
SILENCE = timedelta(minutes=10)
REFUSED_PAUSE = timedelta(days=1)
UNREAD = ("delivery__answer__payload", "delivery__losses", "delivery__rule__quiz")
SAMPLED = (timedelta(days=1), timedelta(days=30))  # shortest and longest pause where notices lead
HEARD_LATELY = timedelta(days=30)
CLOSED_PAUSE = timedelta(days=7)  # won and lost leads are opened again now and then
TASK_GRACE = timedelta(minutes=15)  # after a task is due; who is late by less is mostly at it
LATE_TASK_PAUSE = timedelta(days=1)
UNSEEN: dict[str, Any] = {  # an outcome as it was before the first look
    **dict.fromkeys(("gone", "link", "currency", "error", *PLACE), ""),
    **dict.fromkeys(("amount", "paid", "payments", "changed_at", "closed_at", "stepped_at", "seen_at")),
    "status": Outcome.Status.OPEN,
    "task": "",
    "task_due": None,
    "task_ended_at": None,
    "contact": {},
    "details": {},
    "failures": 0,
}
# (nothing has changed for, the next look is in): the longer a lead rests, the less often we ask
PLAN = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta.max, timedelta(days=1)),
)


def look_later(
    *, created_at: datetime, changed_at: datetime | None, closed: bool, now: datetime, notices: bool = False
) -> datetime | None:
    """When to ask again about a lead that was looked at ``now``; None: it is followed no more. Pure.

    ``notices``: the CRM tells of changes. Then a pause is as long as the lead has rested.
    """
    if _is_over(created_at, now):
        return None
    rests = now - max(created_at, changed_at or created_at)
    if notices:
        shortest, longest = SAMPLED
        return now + (longest if closed else min(max(rests, shortest), longest))
    if closed:
        return now + CLOSED_PAUSE
    return now + next(pause for limit, pause in PLAN if rests < limit)


def look_for_task(next_look_at: datetime | None, due: datetime | None, now: datetime) -> datetime | None:
    """When to ask again about a lead with an open task: soon after it is due, then daily. Pure.

    CRMs tell nothing of tasks by themselves.
    """
    if next_look_at is None or due is None:
        return next_look_at
    return min(next_look_at, due + TASK_GRACE if due > now else now + LATE_TASK_PAUSE)


def _is_over(created_at: datetime, now: datetime) -> bool:
    return now >= created_at + timedelta(days=settings.FOLLOW_DAYS)


# -- who is asked -------------------------------------------------------------------------------------------


def follow_due() -> None:
    """Queue a look for every account with something to ask about; a message that is lost is queued again."""
    for account_id in _due():
        ask_to_follow(account_id)


def hint(account: Account, records: Iterable[str] | None) -> int:
    """A notice says that these leads have changed: look soon. How many that are.

    None says that some have: then the newest open ones are meant that nobody has looked at just now.
    """
    now = db_clock.now()
    rows = Outcome.objects.filter(account=account, next_look_at__gt=now + DEBOUNCE)
    if records is None:
        newest = rows.filter(status=Outcome.Status.OPEN).exclude(seen_at__gt=now - SILENCE).order_by("-pk")
        rows = rows.filter(pk__in=newest.values("pk")[:MOST_MEANT])
    else:
        named = set(records)
        rows = rows.filter(record_id__in=named)
        _look_once_settled(account, named)
    return _bring_forward(account.pk, rows)


def hint_new(account_id: int) -> int:
    """Leads that were made just now are worth a look: their CRM spoke of them too early. How many."""
    now = db_clock.now()
    rows = Outcome.objects.filter(account=account_id, seen_at=None, created_at__gte=now - JUST_MADE)
    return _bring_forward(account_id, rows.filter(next_look_at__gt=now + DEBOUNCE))


def _look_once_settled(account: Account, named: set[str]) -> None:
    """A CRM may tell of a new lead sooner than its delivery is settled. Once in a while is enough for many;
    whatever is missed is looked at by the plan."""
    asked = f"hint-new:{account.pk}"
    if not named or cache.get(asked):
        return
    known = Outcome.objects.filter(account=account, record_id__in=named).values_list("record_id", flat=True)
    if not named - set(known):
        return
    under_way = Delivery.objects.filter(account=account, state=Delivery.State.SENDING).exists()
    if under_way and cache.add(asked, 1, SETTLED.total_seconds()):
        ask("rules.tasks.hint_new", account.pk, seconds=SETTLED.total_seconds())


def _bring_forward(account_id: int, rows: QuerySet[Outcome]) -> int:
    hinted = rows.update(next_look_at=db_clock.now() + DEBOUNCE, asked=True)
    if hinted:
        ask_to_follow(account_id, DEBOUNCE.total_seconds())
    return hinted


def look_now(rows: QuerySet[Outcome]) -> int:
    """A person wants to know, be it of leads that are followed no more. How many they are."""
    accounts = list(rows.order_by().values_list("account_id", flat=True).distinct())
    asked = rows.update(next_look_at=db_clock.now(), asked=True)
    for account_id in accounts:
        transaction.on_commit(partial(ask_to_follow, account_id))
    return asked


def name_record(row: Outcome, record: str, record_id: str) -> None:
    """A person knows which record it is. What was seen of another one is forgotten, this one is looked at."""
    _begin_anew(row, record=record, record_id=record_id, matched=BY_HAND)


def forget_record(row: Outcome) -> None:
    """It was not that one: back to what the delivery knows."""
    delivery = row.delivery
    _begin_anew(row, record="", record_id=delivery.remote_id, matched="", link=delivery.remote_link)


def _begin_anew(row: Outcome, **known: str) -> None:
    """A look that is under way meanwhile was at something else: its result no longer fits the row's time."""
    Outcome.objects.filter(pk=row.pk).update(**{**UNSEEN, **known})
    look_now(Outcome.objects.filter(pk=row.pk))


def _due(most: int = AT_ONCE) -> list[int]:
    """Accounts with something to ask about, the longest waiting first: there may be more than have a turn."""
    now = db_clock.now()
    kinds = [kind for kind in CONNECTORS if connector_class(kind).can.follow]
    due = Lane.objects.filter(look_at__lte=now).exclude(rests_until__gt=now).exclude(next_due__lte=now)
    mine = due.filter(account__state=Account.State.ACTIVE, account__deleted=False, account__crm__in=kinds)
    return list(mine.order_by("look_at").values_list("pk", flat=True)[:most])


# -- looking ------------------------------------------------------------------------------------------------


def follow(account_id: int) -> int:
    """Ask about what is due, a batch at a time, until nothing is, deliveries wait, or the slice is over.

    How many leads were looked at; none where other accounts have their turn. Whoever had one asks for the
    account that waits longest: of all that beat names at once, most meet others at it. Never raises for what
    the CRM does.
    """
    with looks.take() as ours:
        looked = _look_at(account_id) if ours else 0
        if ours:
            reckon_looks(account_id)
    for longest_waiting in _due(1) if looked else ():
        ask_to_follow(longest_waiting)
    return looked


def _look_at(account_id: int) -> int:
    account = live_accounts(pk=account_id, state=Account.State.ACTIVE).first()
    if account is None:
        return 0
    try:
        connector = connector_for(account)
    except OurMistake as error:
        states.pause(account, error.message)
        return 0
    return _Look(account, connector).run() if connector.can.follow else 0


class _Look:
    def __init__(self, account: Account, connector: Connector) -> None:
        self.account = account
        self.connector = connector
        self.budget, self.requests = LookBudget(account), CountingRateLimiter(connector.limiter)
        connector.limiter = self.requests
        self.notices = tells_of_changes(account)
        self.ends_at = db_clock.now() + settings.LANE_SLICE
        self.names = Names(account)
        self.goes_on = True

    def run(self) -> int:
        looked = 0
        if self.budget.wait():
            return looked  # whoever spent it has asked for the next look, or beat does
        while self.goes_on and db_clock.now() < self.ends_at and not goes_first(self.account.pk):
            rows = _claim(self.account.pk, self.connector.can.follow)
            if not rows:
                break
            looked += len(rows)
            self._ask(rows)
            self.budget.spend(self.requests.count)
            self.requests.count = 0
            if pause := self.budget.wait():
                ask_to_follow(self.account.pk, pause)
                break
        return looked

    def _ask(self, rows: Sequence[Outcome]) -> None:
        leads = [followed(row) for row in rows]
        connection.close()  # the CRM may think for a while
        try:
            found = self.connector.follow(leads)
        except Exception as error:
            log.exception(
                "the connector raised while following", account=self.account.pk, crm=self.account.crm
            )
            found = [our_bug(error)] * len(rows)
        for row, one in zip(rows, found, strict=True):
            self._keep(row, one)
        self._react([one for one in found if isinstance(one, ConnectorError)])

    def _keep(self, row: Outcome, found: LeadStatus | ConnectorError | None) -> None:
        """Write what was found, unless a hint came meanwhile: then the row is due again already."""
        now = db_clock.now()
        if isinstance(found, ConnectorError):
            changes = _failed(row, found, now)
        else:
            try:
                changes = self._seen(row, found, now)
            except Exception as error:  # what this one says of itself costs no other lead
                log.exception("the outcome can't be read", account=self.account.pk, outcome=row.pk)
                changes = _failed(row, our_bug(error), now)
        # Nor where the answer was forgotten meanwhile: who it was would come back with what we saw.
        known = {
            "next_look_at": row.next_look_at,
            "delivery__answer__purged_at": row.delivery.answer.purged_at,
        }
        Outcome.objects.filter(pk=row.pk, **known).update(**changes)

    def _seen(self, row: Outcome, found: LeadStatus | None, now: datetime) -> dict[str, Any]:
        changes = changes_of(row, found, self.names, now) if found else {}
        next_look_at = look_later(
            created_at=row.created_at,
            changed_at=changes.get("changed_at", row.changed_at),
            closed=bool(changes.get("gone")) or changes.get("status", row.status) != Outcome.Status.OPEN,
            now=now,
            notices=self.notices,
        )
        if changes.get("task", row.task) == Outcome.Task.OPEN:
            next_look_at = look_for_task(next_look_at, changes.get("task_due", row.task_due), now)
        return {
            **changes,
            "asked": False,
            "failures": 0,
            "error": "",
            "seen_at": now,
            "next_look_at": next_look_at,
        }

    def _react(self, errors: Sequence[ConnectorError]) -> None:
        wide = [error for error in errors if error.account_wide]
        if not wide:
            return
        self.goes_on = False
        log.warning("following rests", account=self.account.pk, code=wide[0].code)
        now = db_clock.now()
        Outcome.objects.filter(account=self.account, next_look_at__lte=now).update(next_look_at=now + SILENCE)
        if isinstance(wide[0], NeedsReconnect):
            states.park(self.account, wide[0])


def tells_of_changes(account: Account) -> bool:
    """Does the CRM tell this account's changes by itself: was it subscribed, or heard of lately?"""
    hook = Hook.objects.filter(account=account).first()
    if hook is None:
        return False
    heard = hook.heard_at is not None and hook.heard_at > db_clock.now() - HEARD_LATELY
    return heard or (hook.asked_at is not None and not hook.error)


def _failed(row: Outcome, error: ConnectorError, now: datetime) -> dict[str, Any]:
    next_look_at = None if _is_over(row.created_at, now) else now + _pause_after(error, row.failures)
    return {
        "asked": False,
        "failures": F("failures") + 1,
        "error": error.message,
        "next_look_at": next_look_at,
    }


def _pause_after(error: ConnectorError, failures: int) -> timedelta:
    """A lead that alone can't be read is asked about less and less; a whole account once it may be back."""
    if isinstance(error, Refused):
        return REFUSED_PAUSE
    longer = 1 if error.account_wide else 2 ** min(failures, 8)
    return max(min(SILENCE * longer, REFUSED_PAUSE), timedelta(seconds=error.after or 0))


def _claim(account_id: int, most: int) -> list[Outcome]:
    """Take what is due, what was asked for first and then the newest; nobody else asks about it until the
    lease is over."""
    now = db_clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rules_outcome SET next_look_at = %s WHERE id IN (SELECT id FROM rules_outcome "
            "WHERE account_id = %s AND next_look_at <= %s "
            "ORDER BY asked DESC, id DESC LIMIT %s "
            "FOR UPDATE SKIP LOCKED) RETURNING id",
            [now + LEASE, account_id, now, most],
        )
        ids = [row[0] for row in cursor.fetchall()]
    rows = Outcome.objects.filter(pk__in=ids).select_related("delivery__rule", "delivery__answer")
    return list(rows.defer(*UNREAD).order_by("pk"))


def followed(row: Outcome) -> Followed:
    """What a connector needs to know of a lead to find it."""
    delivery = row.delivery
    return Followed(
        uid=delivery.uid,
        remote_id=delivery.remote_id or (row.record_id if row.matched == BY_HAND else ""),
        delivered_at=row.created_at,
        journal=delivery.steps,
        record=row.record,
        record_id=row.record_id if row.record or row.matched == BY_HAND else "",
        matched=row.matched,
        people=tuple(delivery.contact_keys),
        performer=delivery.rule.performer,
        pipeline=delivery.rule.pipeline,
        task=delivery.steps.get(tasks.STEP, "") if row.task in ("", Outcome.Task.OPEN) else "",
    )
