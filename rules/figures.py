"""Figures for charts, counted in the background and kept by day: a page adds up a row for each of its days.

A day is counted anew while its leads change: today every few minutes, the older the rarer, and never so often
that counting takes more than a fiftieth of the time; days beyond ``days_followed`` once. A day of which
nothing has changed since is left as it was counted. Rows are read in portions, so no statement lasts. What
became of the day's answers is ``rules.conversion.counting``'s. The numbers of a row here, without test leads:

    hours      {hour: {crm: [leads made, tries that failed]}}
    seconds    {crm, "" for all: [median, 95th percentile]} from the answer to its lead
"""

from __future__ import annotations

import time
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock
from itertools import chain
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from accounts.worker_threads import in_time
from rules.conversion import counting
from rules.models import Answer, Attempt, DayFigures, Delivery, Outcome
from rules.walking import portions

log = structlog.stdlib.get_logger(__name__)
DAYS = 90
ROUND = 20.0  # seconds of one run; the next one goes on
PORTION = 2000  # leads of one statement
TRIES_OF = timedelta(hours=1)  # tries of one statement
SOONEST, LATER = (
    timedelta(minutes=2),
    timedelta(minutes=20),
)  # until it is counted anew, more for each day ago
OVERLAP = timedelta(minutes=5)  # what was not committed yet when a day was counted is seen the next time
SHARE = 50  # of the time that counting it took
ARRIVED = ("delivered", "adopted")


def count_due() -> int:
    """Count the days whose figures are too old, the newest first; how many."""
    counted = 0
    for day in in_time(due_days(timezone.localdate()), ROUND):
        if has_changed(day):
            count(day)
            counted += 1
    return counted


def has_changed(day: date) -> bool:
    """Has anything since the day was counted? Its answers, what became of them, its leads and tries. Where
    nothing has, its figures are as good as new ones, and are so dated."""
    now, whole = timezone.now(), DayFigures.objects.filter(day=day, account=None)
    counted = whole.values_list("counted_at", flat=True).first()
    if counted is None:
        return True
    (first, end), since = bounds(day), counted - OVERLAP
    new = {"gte": max(first, since), "lt": end}
    moved = Q(updated_at__gte=since)
    changes = (
        Answer.objects.filter(**_within("created_at", **new)),
        Attempt.objects.filter(**_within("started_at", **new)),
        Delivery.objects.filter(moved, **_within("answer__created_at", gte=first, lt=end)),
        Outcome.objects.filter(moved, **_within("created_at", gte=first, lt=end)),
        Outcome.objects.filter(moved, **_within("delivery__answer__created_at", gte=first, lt=end)),
    )
    if any(rows.order_by().exists() for rows in changes):
        return True
    whole.update(counted_at=now)
    return False


def _within(moment: str, **bounds: datetime) -> dict[str, datetime]:
    return {f"{moment}__{name}": at for name, at in bounds.items()}


def days_followed() -> int:
    """So many days back, what becomes of leads is still looked for."""
    return max(DAYS, int(settings.FOLLOW_DAYS))


def due_days(today: date) -> list[date]:
    """All days since the first answer that were never counted, and those whose figures are too old."""
    kept = {row.day: row for row in DayFigures.objects.filter(account=None).defer("numbers")}
    first = Answer.objects.order_by("created_at").values_list("created_at", flat=True).first()
    since = timezone.localdate(first) if first else today
    now, due = timezone.now(), []
    for ago in range((today - since).days + 1):
        row = kept.get(today - timedelta(days=ago))
        pause = max(SOONEST + ago * LATER, timedelta(seconds=SHARE * row.seconds)) if row else timedelta()
        if row is None or (ago < days_followed() and row.counted_at + pause <= now):
            due.append(today - timedelta(days=ago))
    return due


def count(day: date) -> None:
    """Count one day, and keep what it has instead of what was kept."""
    begun, now = time.monotonic(), timezone.now()
    first, end = bounds(day)
    found: dict[int | None, _Day] = defaultdict(_Day)
    for account, crm, at, seconds in _leads(first, end):
        for whose in (None, account):
            found[whose].add(crm, at, seconds)
    _add_failures(found, day, first, end)
    rows = [
        DayFigures(day=day, account_id=whose, numbers=one.numbers(), counted_at=now)
        for whose, one in found.items()
    ]
    if None not in found:
        rows.append(DayFigures(day=day, account_id=None, numbers={}, counted_at=now))
    changed = counting.count(day, first, end)
    took = time.monotonic() - begun
    for row in rows:
        row.seconds = took
    with transaction.atomic():
        DayFigures.objects.filter(day=day).delete()
        DayFigures.objects.bulk_create(rows, batch_size=500)
    log.debug("figures counted", day=str(day), accounts=len(found), changed=changed, seconds=took)


def bounds(day: date) -> tuple[datetime, datetime]:
    """From when to when a day lasts here."""
    zone = timezone.get_default_timezone()
    first, end = (datetime.combine(one, clock.min) for one in (day, day + timedelta(days=1)))
    return timezone.make_aware(first, zone), timezone.make_aware(end, zone)


class _Day:
    """The figures of one day while they are counted."""

    def __init__(self) -> None:
        self.hours: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        self.seconds: dict[str, array[float]] = defaultdict(lambda: array("f"))

    def add(self, crm: str, at: datetime, seconds: float) -> None:
        self.hours[at.hour][crm][0] += 1
        self.seconds[crm].append(seconds)

    def numbers(self) -> dict[str, Any]:
        everybody = array("f")
        for some in self.seconds.values():
            everybody.extend(some)
        timed = {crm: percentiles(some) for crm, some in {"": everybody, **self.seconds}.items() if some}
        return {"hours": self.hours, "seconds": timed}


def percentiles(seconds: Iterable[float]) -> list[float]:
    """Half are there by the first, 95 of 100 by the second."""
    ordered = sorted(seconds)
    return [round(ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 2) for part in (50, 95)]


def _leads(first: datetime, end: datetime) -> Iterator[tuple[int, str, datetime, float]]:
    """(account, CRM, made at here, seconds) of each lead."""
    rows = Outcome.objects.filter(created_at__gte=first, created_at__lt=end, test=False, joined=False)
    columns = ("account_id", "account__crm", "delivery__created_at")
    for _, made, account, crm, came in chain.from_iterable(
        portions(rows, "created_at", *columns, at_once=PORTION)
    ):
        yield account, crm, timezone.localtime(made), max(0.0, (made - came).total_seconds())


def _add_failures(found: dict[int | None, _Day], day: date, first: datetime, end: datetime) -> None:
    """Tries that brought no lead. Those of a day that is over stay as they were counted, also when the tries
    themselves were cleared away."""
    if day < timezone.localdate() - timedelta(days=1):
        kept = list(DayFigures.objects.filter(day=day))
        for row in kept:
            for hour, by_crm in row.numbers.get("hours", {}).items():
                for crm, (_, failed) in by_crm.items():
                    if failed:
                        found[row.account_id].hours[int(hour)][crm][1] += failed
        if kept:
            return
    tries = (
        Attempt.objects.filter(delivery__test=False)
        .exclude(outcome__in=ARRIVED)
        .annotate(hour=TruncHour("started_at"))
    )
    if not tries.filter(started_at__gte=first, started_at__lt=end).exists():
        return
    while first < end:
        window = tries.filter(started_at__gte=first, started_at__lt=min(first + TRIES_OF, end)).order_by()
        grouped = window.values_list("hour", "delivery__account_id", "delivery__account__crm")
        for hour, account, crm, count in grouped.annotate(Count("pk")):
            for whose in (None, account):
                found[whose].hours[timezone.localtime(hour).hour][crm][1] += count
        first += TRIES_OF
