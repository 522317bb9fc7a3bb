"""Lines of conversion out of the rows that were counted: some rows a day are added up, no answer is read.

What is asked of one quiz account reads rows of that account alone, whatever else is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from django.core.cache import cache
from django.db.models import QuerySet, Sum
from django.db.models.fields.json import KeyTransform
from django.utils import timezone

from rules.conversion.counting import BETWEEN, MARKS
from rules.conversion.numbers import COUNTS, OTHERS, Numbers, read, read_kept
from rules.models import Answer, DayConversion, DayFigures

QUIZ, DAY, OPTION, ROUTE, PERSON = "quiz", "day", "option", "route", "person"
BY = (QUIZ, ROUTE, OPTION, *MARKS, PERSON, DAY)
MOST_LINES = 200  # of a page
MOST_IN_FILE = 10_000
KEPT = 300  # seconds


@dataclass(frozen=True, slots=True)
class Chosen:
    """Answers of whole days, both included, from the first one ever where ``first`` is None. Empty is all."""

    first: date | None
    last: date
    owner: str = ""
    account: int | None = None
    crm: str = ""
    quiz: int | None = None


@dataclass(slots=True)
class Line:
    """``name`` is as ``rules.conversion.counting`` keeps it, without what it is of: that is beside it, as far
    as the line is of something. ``words``: what a person or question is called."""

    name: str = ""
    owner: str = ""
    crm: str = ""
    account: int | None = None
    quiz: int | None = None
    question: str = ""
    words: str = ""
    numbers: Numbers = field(default_factory=Numbers)


@dataclass(slots=True)
class Report:
    """``whole`` is of all lines, those that are not among them too (``more``). ``counted_at`` is when the day
    that was counted longest ago was; None where a day of the time has not been counted yet."""

    by: str
    chosen: Chosen
    lines: list[Line]
    whole: Numbers
    more: bool
    counted_at: datetime | None


def report(chosen: Chosen, by: str, most: int = MOST_LINES) -> Report:
    """The lines of one of ``BY``, those with most answers first; ``OPTION`` wants a quiz.

    Quizzes of everybody have as many rows as there are answers, so that they are added up every five minutes.
    """
    if by != QUIZ or chosen.owner or chosen.account is not None or chosen.quiz is not None:
        return _report(chosen, by, most)
    key = f"conversion:{chosen.first}:{chosen.last}:{chosen.crm}:{most}"
    found: Any = cache.get_or_set(key, lambda: _report(chosen, by, most), KEPT)
    return cast("Report", found)


def _report(chosen: Chosen, by: str, most: int) -> Report:
    rows = rows_of(chosen)
    columns = ("owner", "crm", "account_id", "quiz_id", "day", *COUNTS, "sums")
    told = list(rows.values_list(*columns, KeyTransform(by, "parts"), KeyTransform("called", "parts")))
    whole = Numbers()
    for row in told:
        whole.add(read(row[5:-3], row[-3]))
    lines = _quizzes(chosen, most) if by == QUIZ else _days(told) if by == DAY else _named(by, told)
    shown, more = lines[:most], len(lines) > most
    return Report(by, chosen, shown, whole, more, counted_at(chosen))


def rows_of(chosen: Chosen) -> QuerySet[DayConversion]:
    """As few rows as say it all."""
    rows = _in_time(DayConversion.objects.all(), chosen)
    if chosen.quiz is not None or chosen.account is not None or chosen.owner:
        rows = _of(rows, chosen)
        return rows if chosen.quiz is not None else rows.filter(whole=True)
    return rows.filter(owner="", crm=chosen.crm)


def _in_time(rows: QuerySet[DayConversion], chosen: Chosen) -> QuerySet[DayConversion]:
    rows = rows.filter(day__lte=chosen.last).order_by()
    return rows.filter(day__gte=chosen.first) if chosen.first else rows


def _of(rows: QuerySet[DayConversion], chosen: Chosen) -> QuerySet[DayConversion]:
    columns = {
        "owner": chosen.owner or None, "account": chosen.account, "crm": chosen.crm or None,
        "quiz_id": chosen.quiz,
    }  # fmt: skip
    return rows.filter(**{name: value for name, value in columns.items() if value is not None})


def counted_at(chosen: Chosen) -> datetime | None:
    first = Answer.objects.order_by("created_at").values_list("created_at", flat=True).first()
    today = timezone.localdate()
    since = max(filter(None, (chosen.first, timezone.localdate(first) if first else today)))
    last = min(chosen.last, today)
    days = DayFigures.objects.filter(account=None, day__gte=since, day__lte=last)
    moments = list(days.values_list("counted_at", flat=True))
    return min(moments) if moments and len(moments) > (last - since).days else None


def _quizzes(chosen: Chosen, most: int) -> list[Line]:
    """Counts by the database, which may have many; sums of those that are shown."""
    rows = _of(_in_time(DayConversion.objects.filter(quiz_id__isnull=False), chosen), chosen)
    sums = {f"all_{name}": Sum(name) for name in COUNTS}
    grouped: Any = rows.values_list("owner", "crm", "quiz_id").annotate(**sums)
    ordered = grouped.order_by("-all_answers", "quiz_id", "crm", "owner")
    found = {
        tuple(row[:3]): Line(owner=row[0], crm=row[1], quiz=row[2], numbers=read(row[3:], {}))
        for row in ordered[: most + 1]
    }
    quizzes = {quiz for *_, quiz in found}
    columns = ("owner", "crm", "quiz_id", "sums")
    for *key, kept in rows.filter(quiz_id__in=quizzes).exclude(sums={}).values_list(*columns):
        if line := found.get(tuple(key)):
            line.numbers.add_sums(read((), kept))
    return list(found.values())


def _days(rows: Iterable[tuple[Any, ...]]) -> list[Line]:
    found: dict[str, Line] = {}
    for row in rows:
        day = row[4].isoformat()
        found.setdefault(day, Line(day)).numbers.add(read(row[5:-3], row[-3]))
    return [found[day] for day in sorted(found)]


def _named(by: str, rows: Iterable[tuple[Any, ...]]) -> list[Line]:
    """Lines of the names of a part, what is kept as one last; the options of a question beside each other."""
    found: dict[tuple[str, ...], Line] = {}
    for row in rows:
        called = row[-1] or {}
        for name, said in (row[-2] or {}).items():
            line = _line(by, name, row)
            # Rules of a quiz in two accounts, or of two quizzes, may have routes of one name.
            key = (name,) if by != OPTION else (str(line.quiz), name)
            line = found.setdefault(key, line)
            line.words = called.get(name.partition(BETWEEN)[0], "") or line.words
            line.numbers.add(read_kept(said))
    asked: dict[str, int] = {}
    for line in found.values():
        asked[line.question] = asked.get(line.question, 0) + line.numbers.answers
    return sorted(
        found.values(),
        key=lambda one: (
            one.name == OTHERS,
            -asked[one.question],
            one.question,
            -one.numbers.answers,
            one.name,
        ),
    )


def _line(by: str, name: str, row: tuple[Any, ...]) -> Line:
    if by == OPTION:
        question, _, option = name.partition(BETWEEN)
        return Line(option, quiz=row[3], question=question) if option else Line(OTHERS, quiz=row[3])
    if by in (ROUTE, PERSON) and name != OTHERS:
        account, _, own = name.partition(":")
        quiz, _, own = own.partition(":") if by == ROUTE else ("", "", own)
        return Line(own, account=int(account), quiz=int(quiz) if quiz else None)
    return Line(name)
