"""The page of charts: what came when, how fast, what is held, and which quizzes, sources and answers sell.

Charts add up a kept row for each day (``rules.figures``, ``rules.conversion``). What is held is counted now,
up to ``HELD_COUNTED``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import StaffAdmin, framed
from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.texts import say, say_many, spaced
from connectors.registry import CONNECTORS
from rules.admin.links import deliveries_url, outcomes_url
from rules.admin.report_filters import Filters, read_filters
from rules.conversion.numbers import Numbers
from rules.conversion.reading import OPTION, PERSON, QUIZ, Chosen, Line, report
from rules.conversion.table import name_of
from rules.delivery.holds import OVER
from rules.models import DayFigures, Delivery, Outcome

PERIODS = ("1", "7", "30", "90")
BY_HOUR = 7  # days that are shown hour by hour
SHOWN = 12  # bars of a chart of names
HELD_COUNTED = 100_000
QUESTIONS_SHOWN, OPTIONS_SHOWN = 6, 10
COLOURS = ("blue", "teal", "violet", "amber")  # of CRMs, in the registry's order


@dataclass(frozen=True, slots=True)
class Series:
    label: str
    values: Sequence[float]
    colour: str


@dataclass(slots=True)
class Chart:
    """``notes`` are told beside the numbers where somebody points, ``urls`` opened by a click."""

    key: str
    title: str
    labels: list[str]
    series: list[Series]
    kind: str = "bar"
    across: bool = False
    stacked: bool = True
    unit: str = ""
    notes: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    hint: str = ""
    empty: str = ""

    @property
    def element(self) -> str:
        """The id of what the script reads."""
        return f"chart-{self.key}"

    @property
    def is_empty(self) -> bool:
        return not any(value for one in self.series for value in one.values)

    @property
    def rows(self) -> Iterator[tuple[str, list[str], str]]:
        """The same as a table, for whoever can't see or point."""
        notes = self.notes or [""] * len(self.labels)
        for number, (label, note) in enumerate(zip(self.labels, notes, strict=True)):
            if any(one.values[number] for one in self.series):
                yield label, [number_format(one.values[number]) for one in self.series], note

    @property
    def drawn(self) -> dict[str, Any]:
        """What the script reads."""
        series = [{"label": one.label, "values": one.values, "colour": one.colour} for one in self.series]
        return {
            "kind": self.kind, "labels": self.labels, "series": series, "across": self.across,
            "stacked": self.stacked, "unit": self.unit, "notes": self.notes, "urls": self.urls,
        }  # fmt: skip


def show(request: HttpRequest, admin: StaffAdmin) -> HttpResponse:
    filters = read_filters(request)
    account = filters.account_row
    days, rows = _rows(filters.chosen, account)
    named = [_named(by, title, filters) for by, title in NAMED.items()]
    return framed(
        request,
        admin,
        "admin/desk/reports.html",
        say("Reports"),
        **filters.context(*PERIODS),
        charts=[_arrivals(days, rows), _seconds(days, rows), _held(account), *named],
        options=_options(request, admin, filters),
        counted_at=max((row.counted_at for row in rows.values()), default=None),
    )


def _rows(chosen: Chosen, account: Account | None) -> tuple[list[date], Mapping[date, DayFigures]]:
    """The days of the period, and what was kept of them."""
    period = (chosen.last - (chosen.first or chosen.last)).days + 1
    days = [chosen.last - timedelta(days=ago) for ago in reversed(range(period))]
    key = account.pk if account else chosen.account  # of an account that is not there nothing is shown
    found = DayFigures.objects.filter(account=key, day__gte=days[0], day__lte=days[-1])
    return days, {row.day: row for row in found}


# -- charts of time ------------------------------------------------------------------------------------------


def _arrivals(days: list[date], rows: Mapping[date, DayFigures]) -> Chart:
    """Leads made, by CRM; tries that failed as a line of their own."""
    hourly = len(days) <= BY_HOUR
    now = timezone.localtime()
    slots: list[tuple[date, int | None]] = (
        [(day, hour) for day in days for hour in range(24) if (day, hour) <= (now.date(), now.hour)]
        if hourly
        else [(day, None) for day in days]
    )
    made: dict[str, list[int]] = {kind: [0] * len(slots) for kind in CONNECTORS}
    failed = [0] * len(slots)
    places = {slot: number for number, slot in enumerate(slots)}
    for day, row in rows.items():
        for hour, by_crm in row.numbers.get("hours", {}).items():
            place = places.get((day, int(hour) if hourly else None))
            if place is None:
                continue
            for crm, (leads, tries) in by_crm.items():
                made.setdefault(crm, [0] * len(slots))[place] += leads
                failed[place] += tries
    labels = [f"{day:%d.%m}" if hour is None else f"{day:%d.%m} {hour:02}:00" for day, hour in slots]
    series = [
        Series(label_of(crm), made[crm], COLOURS[number % len(COLOURS)])
        for number, crm in enumerate(made)
        if any(made[crm])
    ]
    series.append(Series(say("tries that failed"), failed, "red"))
    title = say("Leads by hour and CRM") if hourly else say("Leads by day and CRM")
    return Chart(
        "arrivals",
        title,
        labels,
        series,
        empty=say("No lead was made in this time: see what waits or is held on the first page."),
    )


def _seconds(days: list[date], rows: Mapping[date, DayFigures]) -> Chart:
    """From the answer to its lead, of all CRMs together."""
    timed = [rows[day].numbers.get("seconds", {}).get("", [0, 0]) if day in rows else [0, 0] for day in days]
    return Chart(
        "seconds",
        say("Seconds from the answer to its lead"),
        [f"{day:%d.%m}" for day in days],
        [
            Series(say("half are there by"), [one[0] for one in timed], "blue"),
            Series(say("95 of 100 are there by"), [one[1] for one in timed], "amber"),
        ],
        kind="line" if len(days) > 1 else "bar",
        stacked=False,
        unit=say("s"),
        empty=say("No lead was made in this time."),
    )


def _held(account: Account | None) -> Chart:
    """What waits for a person or its account now; the cancelled wait for nothing."""
    rows = Delivery.objects.filter(state="held", test=False).exclude(held_because__in=OVER)
    if account:
        rows = rows.filter(account=account)
    sql, params = rows.order_by().values("held_because")[:HELD_COUNTED].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT held_because, count(*) FROM ({sql}) held GROUP BY held_because",  # noqa: S608 - our own
            params,
        )
        counted = Counter(dict(cursor.fetchall()))
    found = counted.most_common()
    chosen = {"account": account.pk} if account else {}
    more = counted.total() == HELD_COUNTED
    return Chart(
        "held",
        say("Held now, by reason"),
        [str(Delivery.Held(because).label) for because, _ in found],
        [Series(say("held"), [count for _, count in found], "red")],
        across=True,
        urls=[deliveries_url(state="held", because=because, **chosen) for because, _ in found],
        hint=say("{count} or more are held: these are some of them.", count=spaced(HELD_COUNTED))
        if more
        else "",
        empty=say("Nothing is held: everything goes."),
    )


# -- charts of names -----------------------------------------------------------------------------------------

NAMED = {
    QUIZ: _("Conversion by quiz"),
    "source": _("Conversion by UTM source"),
    PERSON: _("Conversion by responsible"),
}
EMPTY = {
    QUIZ: _("No answer came in this time. Once answers come, each quiz has a bar here."),
    "source": _("No answer came in this time. Send the marks of the visit as «utm» with each answer."),
    PERSON: _("No answer came in this time. Who is responsible is read from the CRM."),
}


def _named(by: str, title: Any, filters: Filters) -> Chart:
    """Leads by how they stand, the commonest names first."""
    found = [one for one in report(filters.chosen, by).lines if one.numbers.leads]
    shown, left = found[:SHOWN], len(found) - SHOWN
    urls = []
    if by == QUIZ:
        chosen = {"account": filters.account} if filters.account else {}
        urls = [outcomes_url(quiz=line.quiz, **chosen) for line in shown]
    hint = say_many("{count} more is not shown.", "{count} more are not shown.", left) if left > 0 else ""
    return _sold(
        by, str(title), [(_name(by, line), line.numbers) for line in shown], urls, hint, str(EMPTY[by])
    )


def _name(by: str, line: Line) -> str:
    """A quiz has a line in each CRM."""
    if by != QUIZ:
        return name_of(by, line)
    return ", ".join(
        filter(None, (say("quiz {number}", number=line.quiz), label_of(line.crm) if line.crm else ""))
    )


def _sold(
    key: str, title: str, counted: Iterable[tuple[str, Numbers]], urls: list[str], hint: str, empty: str
) -> Chart:
    """Bars of leads; what is gone from its CRM was neither won nor lost and is shown among the open."""
    rows = list(counted)
    return Chart(
        key,
        title,
        [name for name, _ in rows],
        [
            Series(str(Outcome.Status.WON.label), [one.won for _, one in rows], "green"),
            Series(str(Outcome.Status.LOST.label), [one.lost for _, one in rows], "red"),
            Series(str(Outcome.Status.OPEN.label), [one.open + one.gone for _, one in rows], "blue"),
        ],
        across=True,
        notes=[say("conversion {percent} %", percent=number_format(one.percent or 0, 1)) for _, one in rows],
        urls=urls,
        hint=hint,
        empty=empty,
    )


# -- answer options ------------------------------------------------------------------------------------------


def _options(request: HttpRequest, admin: StaffAdmin, filters: Filters) -> dict[str, Any]:
    """A chart for each question of the chosen quiz; whoever may not read answers is told so."""
    if not filters.quiz:
        return {"told": say("Choose a quiz above to see which answers sell.")}
    if not admin.has_operate_permission(request):
        return {"told": say("What people answered is shown to operators.")}
    asked: dict[str, list[Line]] = defaultdict(list)
    for line in report(filters.chosen, OPTION).lines:
        if line.numbers.leads:
            asked[line.words or line.question].append(line)
    charts = [
        _sold(
            f"option{number}",
            question,
            [(name_of(OPTION, line), line.numbers) for line in lines[:OPTIONS_SHOWN]],
            [], "", "",
        )
        for number, (question, lines) in enumerate(list(asked.items())[:QUESTIONS_SHOWN])
    ]  # fmt: skip
    told = "" if charts else say("Nothing was chosen in this quiz in this time.")
    return {"charts": charts, "told": told}
