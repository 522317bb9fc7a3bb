"""Contents past their time are erased, the oldest first, in short transactions until nothing is left to do.

What stays for ever: ids, digests, states, times, and what became of leads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value

from accounts import db_clock
from accounts.singletons import each_alone
from accounts.worker_threads import worker
from connectors.existing import STEP as FORMER_VALUES
from rules import observed_options
from rules.conversion import traits
from rules.delivery import holds
from rules.models import (
    Answer,
    Attempt,
    Delivery,
    FormerBody,
    Mend,
    Outcome,
    Reconciliation,
    Replay,
    RuleVersion,
)
from rules.walking import portions

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 1000  # answers, tries or versions of one transaction
WITHOUT_FORMER_VALUES = Func(F("steps"), Value(FORMER_VALUES), template="(%(expressions)s)", arg_joiner=" - ")
KEEP_VERSIONS = timedelta(days=730)


def purge() -> None:
    """All that is past its retention."""
    each_alone(purge_answers, purge_attempts, purge_versions, purge_reconciliations)


def purge_answers() -> int:
    """Bodies, who it was, and what is known of a person from elsewhere. How many answers.

    What is not delivered everywhere is kept as long as that takes.
    """
    old = Answer.objects.filter(
        created_at__lt=db_clock.now() - timedelta(days=settings.PAYLOAD_DAYS), purged_at__isnull=True
    )
    return _told("answers purged", sum(map(_purge, _windows(old, "created_at"))))


def purge_attempts() -> int:
    """Tries with all that was said; how many."""
    old = Attempt.objects.filter(started_at__lt=db_clock.now() - timedelta(days=settings.ATTEMPT_DAYS))
    return _told("tries purged", _deleted(old, "started_at"))


def purge_versions() -> int:
    """Versions of rules that were replaced long ago and by which no delivery went; how many."""
    old = RuleVersion.objects.filter(at__lt=db_clock.now() - KEEP_VERSIONS)
    later = old.filter(rule=OuterRef("rule"), number__gt=OuterRef("number")).order_by()
    unused = old.filter(Exists(later)).exclude(Exists(Delivery.objects.filter(version=OuterRef("pk"))))
    replayed = Replay.objects.filter(Q(version=OuterRef("pk")) | Q(before=OuterRef("pk")))
    return _told("versions of rules purged", _deleted(unused.exclude(Exists(replayed)), "at"))


def purge_reconciliations() -> int:
    """Reports with their findings; how many."""
    kept = db_clock.now() - timedelta(days=settings.RECONCILIATION_DAYS)
    old = Reconciliation.objects.filter(created_at__lt=kept).exclude(state=Reconciliation.State.RUNNING)
    return _told("reconciliations purged", _deleted(old, "created_at", at_once=20))


def _told(event: str, count: int) -> int:
    if count:
        log.info(event, count=count)
    return count


def _deleted(rows: QuerySet[Any], moment: str, at_once: int = AT_ONCE) -> int:
    erased = 0
    for window in _windows(rows, moment, at_once):
        rows.model._default_manager.filter(pk__in=window).delete()
        erased += len(window)
    return erased


def _windows(rows: QuerySet[Any], moment: str, at_once: int = AT_ONCE) -> Iterator[list[int]]:
    """Ids, the oldest first, until none is left or the worker ends."""
    for window in portions(rows, moment, at_once=at_once):
        if worker.ends.is_set():
            return
        yield [pk for pk, _ in window]


def _purge(window: Collection[int]) -> int:
    undelivered = Delivery.objects.filter(answer=OuterRef("pk")).exclude(state=Delivery.State.DELIVERED)
    settled = Answer.objects.filter(purged_at__isnull=True).exclude(
        Exists(undelivered.exclude(held_because__in=holds.OVER))
    )
    with transaction.atomic():
        locked = settled.filter(pk__in=window).order_by("pk")
        keys = list(locked.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
        # Asked again under the lock: a backfill may have planned deliveries for some just before.
        keys = list(settled.filter(pk__in=keys).values_list("pk", flat=True))
        empty(keys)
    return len(keys)


def empty(answers: Collection[int]) -> None:
    """Erase what is personal of these answers. The caller has locked them. They stay counted."""
    traits.keep(answers)
    deliveries = Delivery.objects.filter(answer__in=answers)
    observed_options.forget(answers)
    Answer.objects.filter(pk__in=answers).update(payload={}, contact_keys=[], purged_at=db_clock.now())
    FormerBody.objects.filter(answer__in=answers).update(payload={})
    Mend.objects.filter(answer__in=answers).update(before=None, after=None)
    Replay.objects.filter(delivery__in=deliveries).update(changes=[], error="")
    deliveries.update(contact_keys=[], losses=[])
    deliveries.filter(steps__has_key=FORMER_VALUES).update(steps=WITHOUT_FORMER_VALUES)
    Outcome.objects.filter(delivery__in=deliveries).update(contact={}, details={})
    Attempt.objects.filter(delivery__in=deliveries).update(message="", exchanges=[])
