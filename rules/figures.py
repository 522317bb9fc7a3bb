"""Figures for charts, counted in the background and kept by day: a page adds up a row for each of its days.

A day is counted anew while its leads change: today every few minutes, the older the rarer, and never so often
that counting takes more than a fiftieth of the time. Leads are read in portions, so no statement lasts. The
numbers of a row, without test leads:

    hours      {hour: {crm: [leads made, tries that failed]}}
    seconds    {crm, "" for all: [median, 95th percentile]} from the answer to its lead
    quizzes    {quiz: [leads, won, lost]}, and by the same three numbers
    sources    by UTM source, "" without one
    people     by who is responsible in the CRM, "" where nobody is known
"""

from __future__ import annotations

import time
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import TruncHour
from django.utils import timezone

from rules.mapping.payload import normalised
from rules.mapping.values import utm_of
from rules.models import Attempt, DayFigures, Outcome

log = structlog.stdlib.get_logger(__name__)
Counts = dict[str, list[int]]
DAYS = 90
ROUND = 20.0  # seconds of one run; the next one goes on
PORTION = 2000  # leads of one statement
TRIES_OF = timedelta(hours=1)  # tries of one statement
SOONEST, LATER = (
    timedelta(minutes=2),
    timedelta(minutes=20),
)  # until it is counted anew, more for each day ago
SHARE = 50  # of the time that counting it took
MOST = 300  # quizzes, sources and people that one row keeps by name
OTHERS = "*"
LONGEST = 200
ARRIVED = ("delivered", "adopted")
PARTS = ("quizzes", "sources", "people")


def count_due() -> int:
    """Count the days whose figures are too old, the newest first; how many."""
    ends, counted = time.monotonic() + ROUND, 0
    for day in due_days(timezone.localdate()):
        if time.monotonic() > ends:
            break
        count(day)
        counted += 1
    return counted


def due_days(today: date) -> list[date]:
    kept = {row.day: row for row in DayFigures.objects.filter(account=None).defer("numbers")}
    now, days = timezone.now(), min(DAYS, settings.PAYLOAD_DAYS)
    due = []
    for ago in range(days):
        row = kept.get(today - timedelta(days=ago))
        pause = max(SOONEST + ago * LATER, timedelta(seconds=SHARE * row.seconds)) if row else timedelta()
        if row is None or row.counted_at + pause <= now:
            due.append(today - timedelta(days=ago))
    return due


def count(day: date) -> None:
    """Count one day, and keep what it has instead of what was kept."""
    begun, now = time.monotonic(), timezone.now()
    first, end = bounds(day)
    found: dict[int | None, _Day] = defaultdict(_Day)
    for lead in _leads(first, end):
        for whose in (None, lead[2]):
            found[whose].add(*lead[3:])
    _add_failures(found, day, first, end)
    rows = [
        DayFigures(day=day, account_id=whose, numbers=one.numbers(), counted_at=now)
        for whose, one in found.items()
    ]
    if None not in found:
        rows.append(DayFigures(day=day, account_id=None, numbers={}, counted_at=now))
    took = time.monotonic() - begun
    for row in rows:
        row.seconds = took
    with transaction.atomic():
        DayFigures.objects.filter(day=day).delete()
        DayFigures.objects.bulk_create(rows, batch_size=500)
    log.debug("figures counted", day=str(day), accounts=len(found), seconds=took)


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
        self.parts: dict[str, Counts] = {name: defaultdict(lambda: [0, 0, 0]) for name in PARTS}

    def add(self, crm: str, at: datetime, seconds: float, status: str, names: Iterable[str]) -> None:
        self.hours[at.hour][crm][0] += 1
        self.seconds[crm].append(seconds)
        for part, name in zip(PARTS, names, strict=True):
            counts = self.parts[part][name]
            counts[0] += 1
            counts[1] += status == Outcome.Status.WON
            counts[2] += status == Outcome.Status.LOST

    def numbers(self) -> dict[str, Any]:
        everybody = array("f")
        for some in self.seconds.values():
            everybody.extend(some)
        timed = {crm: percentiles(some) for crm, some in {"": everybody, **self.seconds}.items() if some}
        parts = {name: largest(counts) for name, counts in self.parts.items()}
        return {"hours": self.hours, "seconds": timed, **parts}


def percentiles(seconds: Iterable[float]) -> list[float]:
    """Half are there by the first, 95 of 100 by the second."""
    ordered = sorted(seconds)
    return [round(ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 2) for part in (50, 95)]


def largest(counts: Mapping[str, list[int]]) -> Counts:
    """Those with most leads by name, all others as one."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1][0])
    kept = dict(ordered[:MOST])
    if rest := [numbers for _, numbers in ordered[MOST:]]:
        kept[OTHERS] = [sum(column) for column in zip(*rest, strict=True)]
    return kept


def _leads(first: datetime, end: datetime) -> Iterator[tuple[Any, ...]]:
    """(made at, key, account, CRM, made at here, seconds, status, (quiz, source, person)) of each lead."""
    columns = (
        "created_at", "pk", "account_id", "account__crm", "delivery__created_at", "status", "quiz_id", "utm",
        "performer_name", "performer",
    )  # fmt: skip
    rows = Outcome.objects.annotate(utm=KeyTransform("utm", "delivery__answer__payload")).filter(
        created_at__gte=first, created_at__lt=end, test=False
    )
    after = Q()
    while True:
        found = list(rows.filter(after).order_by("created_at", "pk").values_list(*columns)[:PORTION])
        for made, key, account, crm, came, status, quiz, utm, person, person_id in found:
            names = (str(quiz), source_of(utm), (person or person_id)[:LONGEST])
            seconds = max(0.0, (made - came).total_seconds())
            yield made, key, account, crm, timezone.localtime(made), seconds, status, names
        if len(found) < PORTION:
            return
        made, key = found[-1][:2]
        after = Q(created_at__gt=made) | Q(created_at=made, pk__gt=key)


def source_of(utm: Any) -> str:
    """The UTM source as the mapping of a lead reads it; empty without one."""
    return utm_of(normalised({"utm": utm})).get("utm_source", "")[:LONGEST] if utm else ""


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
