"""What is wrong now, kept as incidents: opened when it begins, brought up to date, solved when it is gone.

``look`` compares what the tables say with the open rows. It is run by beat, by one process at a time; a run
that is lost costs a minute, as the next one finds the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q

from accounts import db_clock
from accounts.events import endpoints
from accounts.models import Account, AccountEvent
from accounts.singletons import alone
from connectors.messages import Message
from rules.delivery import holds
from rules.models import Answer, Delivery, Incident, Rule

log = structlog.stdlib.get_logger(__name__)
Kind = Incident.Kind
Key = tuple[str, int | None, int | None, int | None]  # kind, account, rule, endpoint
# Reasons for which deliveries are held, and what they mean for their account or rule. Those of accounts that
# a person has paused or disconnected were somebody's own decision.
HELD = {
    Delivery.Held.FIX_RULE: Kind.RULE,
    Delivery.Held.REFUSED: Kind.REFUSED,
    Delivery.Held.GAVE_UP: Kind.REFUSED,
    Delivery.Held.LOOK_FIRST: Kind.LOOK,
    Delivery.Held.STALE: Kind.STALE,
}
RECONNECT, PAUSED = Delivery.Held.RECONNECT, Delivery.Held.PAUSED
USUAL_DAYS = 14  # from which a quiz's usual pace is read
FEWEST = 28  # answers in that time; of a rarer quiz a quiet day says nothing
GAPS = 10  # a quiz is silent after so many of its usual gaps between answers
LEAST_SILENCE = timedelta(hours=24)  # so that a night is no incident
LONGEST_REASON = 500
DEAF_AFTER = timedelta(days=1)  # after five the endpoint is disabled (accounts.events.sending)
QUIET_KEPT = 900  # seconds; a silence of days is told in time all the same


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong now. ``key`` is unique."""

    kind: str
    account: int | None
    rule: int | None = None
    deliveries: int = 0
    reason: str = ""
    endpoint: int | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.account, self.rule, self.endpoint


def look() -> tuple[int, int]:
    """Open what is new, solve what is gone; how many of each. None while another process looks."""
    with alone("rules.incidents.look") as mine, transaction.atomic():
        if not mine:
            return 0, 0
        known = {_key(row): row for row in Incident.objects.filter(solved_at=None)}
        found = {one.key: one for one in [*_held(), *_unreachable(), *_silent(), *_deaf()]}
        _refresh(known, found)
        opened = [_opened(one) for key, one in found.items() if key not in known]
        Incident.objects.bulk_create(opened, ignore_conflicts=True)
        gone = [row.pk for key, row in known.items() if key not in found]
        solved = Incident.objects.filter(pk__in=gone).update(solved_at=db_clock.now())
    for one in opened:
        log.info(
            "incident opened",
            kind=one.kind,
            account=one.account_id,
            rule=one.rule_id,
            endpoint=one.endpoint_id,
        )
    return len(opened), solved


def _key(row: Incident) -> Key:
    return row.kind, row.account_id, row.rule_id, row.endpoint_id


def _opened(one: Found) -> Incident:
    return Incident(
        kind=one.kind, account_id=one.account, rule_id=one.rule, deliveries=one.deliveries,
        reason=_fitting(one.reason), endpoint_id=one.endpoint,
    )  # fmt: skip


def _refresh(known: Mapping[Key, Incident], found: Mapping[Key, Found]) -> None:
    """Numbers and reasons of what is still wrong. Rows that say the same already are left alone."""
    now, changed = db_clock.now(), []
    for key in known.keys() & found.keys():
        row, one = known[key], found[key]
        reason = _fitting(one.reason)
        if (row.deliveries, row.reason) != (one.deliveries, reason):
            row.deliveries, row.reason, row.seen_at = one.deliveries, reason, now
            changed.append(row)
    Incident.objects.bulk_update(changed, ["deliveries", "reason", "seen_at"], batch_size=500)


# -- what is wrong -------------------------------------------------------------------------------------------


def _fitting(reason: str) -> str:
    """A CRM's words have an end; a message is ours and kept whole."""
    return reason if isinstance(reason, Message) else reason[:LONGEST_REASON]


def _held() -> Iterator[Found]:
    """Accounts that need reconnecting, and what is held, by account; for its rule's sake by rule.

    One pass over the index of held deliveries, and one delivery of each incident for its words.
    """
    waiting: dict[str, Counter[int]] = {RECONNECT: Counter(), PAUSED: Counter()}
    found: dict[tuple[str, int, int | None], tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_HELD, [[*HELD, *waiting]])
        for account, rule, because, count, newest in cursor.fetchall():
            if because in waiting:
                waiting[because][account] += count
                continue
            kind = HELD[because]
            key = (kind, account, rule if kind == Kind.RULE else None)
            before, its_newest = found.get(key, (0, 0))
            found[key] = before + count, max(its_newest, newest)
    told = Delivery.objects.filter(pk__in=[newest for _, newest in found.values()])
    words = dict(told.values_list("pk", "error"))
    for (what, account, whose), (count, newest) in found.items():
        yield Found(what, account, whose, count, words.get(newest, ""))
    gone = Account.objects.filter(deleted=False, state=Account.State.NEEDS_RECONNECT)
    for account, reason in gone.values_list("pk", "state_reason"):
        yield Found(Kind.RECONNECT, account, None, waiting[RECONNECT][account], reason)
    yield from _stopped(waiting[PAUSED])


# Read from the index alone; accounts that were deleted have their own say.
COUNT_HELD = """
SELECT h.* FROM (
    SELECT account_id, rule_id, held_because, count(*), max(id) FROM rules_delivery
    WHERE state = 'held' AND held_because = ANY(%s)
    AND id <> ALL (ARRAY(SELECT id FROM rules_delivery WHERE test AND state = 'held'))
    GROUP BY account_id, rule_id, held_because
) h JOIN accounts_account a ON a.id = h.account_id AND NOT a.deleted
"""


def _unreachable() -> Iterator[Found]:
    """Accounts whose deliveries have failed for longer than ``INCIDENT_AFTER`` and are tried again, or have
    waited so long for their account's lists after its return."""
    since = db_clock.now() - settings.INCIDENT_AFTER
    active = Delivery.objects.filter(account__deleted=False, account__state="active", test=False)
    failing = active.filter(state="waiting", first_failed_at__lt=since)
    unread = active.filter(state="held", held_because__in=holds.FOR_RETURN, account__state_since__lt=since)
    unread = unread.filter(account__lane__review_at__isnull=False)  # as long as anything waits for lists
    found: dict[int, Found] = {}
    for rows in (unread, failing):
        for account, count, reason in (
            rows.order_by().values_list("account_id").annotate(Count("pk"), Max("error"))
        ):
            count += found[account].deliveries if account in found else 0
            found[account] = Found(Kind.UNREACHABLE, account, deliveries=count, reason=reason)
    yield from found.values()


def _stopped(waiting: Mapping[int, int]) -> Iterator[Found]:
    """Paused accounts with so many deliveries, if it was the service that paused them: their CRM blocks them,
    or we may not speak to it."""
    reasons = dict(Account.objects.filter(pk__in=waiting, state="paused").values_list("pk", "state_reason"))
    moves = AccountEvent.objects.filter(account__in=reasons, after="paused").exclude(before="paused")
    newest = moves.order_by("account_id", "-pk").distinct("account_id")
    for account, by in newest.values_list("account_id", "by"):
        if by == AccountEvent.By.SERVICE:
            yield Found(Kind.UNREACHABLE, account, deliveries=waiting[account], reason=reasons[account])


def _silent() -> Iterator[Found]:
    """Rules of quizzes that bring fewer answers than usual: none for many of their usual gaps."""
    if not settings.SILENT_QUIZZES:
        return
    quiet = cache.get_or_set("quiet-quizzes", _quiet, QUIET_KEPT)
    if not quiet:
        return
    live = Rule.objects.filter(
        deleted=False, account__deleted=False, quiz_id__in={quiz for _, quiz in quiet}
    ).select_related("account")
    for rule in live:
        if last := quiet.get((rule.account.account_id, rule.quiz_id)):
            yield Found(Kind.SILENT, rule.account_id, rule.pk, reason=last.isoformat(timespec="minutes"))


def _deaf() -> Iterator[Found]:
    """Webhook endpoints that have taken no events for ``DEAF_AFTER``, or that were given up."""
    since = db_clock.now() - DEAF_AFTER
    failing = endpoints.live().filter(Q(enabled=True, failing_since__lt=since) | Q(disabled_at__isnull=False))
    for endpoint, reason in failing.values_list("pk", "error"):
        yield Found(Kind.WEBHOOK, None, reason=reason, endpoint=endpoint)


def _quiet() -> dict[tuple[str, int], datetime]:
    """``{(quiz account, quiz): last answer}`` of those that fell silent. Reads two weeks of answers."""
    now = db_clock.now()
    usual = Answer.objects.filter(created_at__gte=now - timedelta(days=USUAL_DAYS), test=False).order_by()
    rows = usual.values_list("account_id", "quiz_id").annotate(
        Count("pk"), Min("created_at"), Max("created_at")
    )
    return {
        (owner, quiz): last
        for owner, quiz, count, first, last in rows.filter(pk__count__gte=FEWEST)
        if is_silent(count, first, last, now)
    }


def is_silent(count: int, first: datetime, last: datetime, now: datetime) -> bool:
    """Is the time since ``last`` too long for a quiz with so many answers between ``first`` and ``last``?"""
    gap = (last - first) / max(count - 1, 1)
    return now - last > max(LEAST_SILENCE, gap * GAPS)


# -- what a person does --------------------------------------------------------------------------------------


def mute(incidents: Iterable[int], person: Any) -> int:
    """Write to nobody about these any more; how many were not muted before."""
    rows = Incident.objects.filter(pk__in=list(incidents), muted_at=None)
    return rows.update(muted_at=db_clock.now(), muted_by=person)


def unmute(incidents: Iterable[int]) -> int:
    """Write to people again; how many were muted."""
    return (
        Incident.objects.filter(pk__in=list(incidents))
        .exclude(muted_at=None)
        .update(muted_at=None, muted_by=None)
    )
