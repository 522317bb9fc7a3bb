"""The page of charts: what came when, how fast, what is held, and which quizzes, sources and answers sell.

Charts add up a kept row for each day (``rules.figures``). What is held is counted now, up to
``HELD_COUNTED``; answer options are read from the newest leads of one quiz, and kept nowhere: people type
what they like.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import StaffAdmin
from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.texts import say, say_many, spaced
from connectors.registry import CONNECTORS
from rules.admin.links import deliveries_url, outcomes_url
from rules.delivery.holds import OVER
from rules.figures import OTHERS, bounds
from rules.mapping.payload import is_absent, normalised, scalar_text
from rules.models import DayFigures, Delivery, Outcome, Rule

PERIODS = {"1": _("today"), "7": _("7 days"), "30": _("30 days"), "90": _("90 days")}
USUAL = "30"
BY_HOUR = 7  # days that are shown hour by hour
SHOWN = 12  # bars of a chart of names
HELD_COUNTED = 100_000
LEADS_READ = 1000  # of one quiz, for its answer options
QUESTIONS_SHOWN, OPTIONS_SHOWN = 6, 10
LONGEST_OPTION = 80
FEWEST = 2  # people with the same answer: what one of them typed is no option
OPTIONS_KEPT = 300  # seconds
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
    period = request.GET.get("period", USUAL)
    period = period if period in PERIODS else USUAL
    account = _account(request.GET.get("account", ""))
    quiz = _quiz(request.GET.get("quiz", ""))
    days, rows = _rows(int(period), account)
    charts = [
        _arrivals(days, rows), _seconds(days, rows), _held(account),
        _named("quizzes", say("Conversion by quiz"), rows, account),
        _named("sources", say("Conversion by UTM source"), rows, account),
        _named("people", say("Conversion by responsible"), rows, account),
    ]  # fmt: skip
    context = {
        **admin.admin_site.each_context(request),
        "title": say("Reports"),
        "opts": admin.opts,
        "periods": [(name, _url(key, account, quiz), key == period) for key, name in PERIODS.items()],
        "period": period,
        "account": account,
        "accounts": Account.objects.filter(deleted=False).defer("facts").order_by("crm", "name")[:200],
        "quiz": quiz or "",
        "charts": charts,
        "options": _options(request, admin, quiz, days[0]),
        "counted_at": max((row.counted_at for row in rows.values()), default=None),
        "back": admin.list_page(),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/desk/reports.html", context)


def _account(said: str) -> Account | None:
    key = int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0
    return Account.objects.filter(pk=key).defer("facts").first() if key else None


def _quiz(said: str) -> int | None:
    said = said.strip()
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else None


def _url(period: str, account: Account | None, quiz: int | None) -> str:
    told = {"period": period, "account": account.pk if account else "", "quiz": quiz or ""}
    return "?" + urlencode({name: value for name, value in told.items() if value})


def _rows(period: int, account: Account | None) -> tuple[list[date], Mapping[date, DayFigures]]:
    """The days of the period, and what was kept of them."""
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(period))]
    found = DayFigures.objects.filter(account=account, day__gte=days[0], day__lte=today)
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

NAMELESS = {"sources": _("without a UTM source"), "people": _("nobody that we know of"), "quizzes": ""}
EMPTY = {
    "quizzes": _("No lead was made in this time. Once answers come, each quiz has a bar here."),
    "sources": _("No lead was made in this time. Send the marks of the visit as «utm» with each answer."),
    "people": _("No lead was made in this time. Who is responsible is read from the CRM."),
}


def _named(part: str, title: str, rows: Mapping[date, DayFigures], account: Account | None) -> Chart:
    """Leads by how they stand, the commonest names first."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows.values():
        for name, numbers in row.numbers.get(part, {}).items():
            counts[name] = [a + b for a, b in zip(counts[name], numbers, strict=True)]
    ordered = sorted(counts.items(), key=lambda pair: (pair[0] == OTHERS, -pair[1][0]))
    rest = [numbers for name, numbers in ordered[SHOWN:] if name != OTHERS]
    urls = []
    if part == "quizzes":
        chosen = {"account": account.pk} if account else {}
        urls = [outcomes_url(quiz=name, **chosen) for name, _ in ordered[:SHOWN]]
    left = say_many("{count} more is not shown.", "{count} more are not shown.", len(rest)) if rest else ""
    return _sold(
        part,
        title,
        [(_name(part, name), numbers) for name, numbers in ordered[:SHOWN]],
        urls,
        left,
        str(EMPTY[part]),
    )


def _name(part: str, name: str) -> str:
    if name == OTHERS:
        return say("all others")
    return say("quiz {number}", number=name) if part == "quizzes" else name or str(NAMELESS[part])


def _sold(
    key: str,
    title: str,
    counted: Iterable[tuple[str, Sequence[int]]],
    urls: list[str],
    hint: str,
    empty: str,
) -> Chart:
    """Bars of (leads, won, lost): what is neither is open."""
    rows = list(counted)
    return Chart(
        key,
        title,
        [name for name, _ in rows],
        [
            Series(str(Outcome.Status.WON.label), [won for _, (_, won, _) in rows], "green"),
            Series(str(Outcome.Status.LOST.label), [lost for _, (_, _, lost) in rows], "red"),
            Series(
                str(Outcome.Status.OPEN.label), [leads - won - lost for _, (leads, won, lost) in rows], "blue"
            ),
        ],
        across=True,
        notes=[
            say("conversion {percent} %", percent=number_format(100 * won / leads if leads else 0, 1))
            for _, (leads, won, _) in rows
        ],
        urls=urls,
        hint=hint,
        empty=empty,
    )


# -- answer options ------------------------------------------------------------------------------------------


def _options(request: HttpRequest, admin: StaffAdmin, quiz: int | None, first: date) -> dict[str, Any]:
    """A chart for each question of the chosen quiz; whoever may not read answers is told so."""
    if quiz is None:
        return {"told": say("Choose a quiz above to see which answers sell.")}
    if not admin.has_operate_permission(request):
        return {"told": say("What people answered is shown to operators.")}
    key = f"options:{quiz}:{first}"
    found: list[tuple[str, list[tuple[str, list[int]]]]] | None = cache.get(key)
    if found is None:
        found = counted_options(quiz, bounds(first)[0])
        cache.set(key, found, OPTIONS_KEPT)
    charts = [
        _sold(f"option{number}", title, options, [], "", "") for number, (title, options) in enumerate(found)
    ]
    told = "" if charts else say("No answer of this quiz was given twice in this time.")
    return {
        "charts": charts,
        "told": told,
        "of": say("Of the newest {count} leads at most.", count=spaced(LEADS_READ)),
    }


def counted_options(quiz: int, since: datetime) -> list[tuple[str, list[tuple[str, list[int]]]]]:
    """``[(question, [(option, [leads, won, lost])])]`` of the newest leads, the commonest options first.

    A question of which nearly everybody's answer is another one is no choice, and left out.
    """
    owners = Rule.objects.filter(quiz_id=quiz).values_list("account__account_id", flat=True).distinct()
    leads = Outcome.objects.filter(owner__in=list(owners), quiz_id=quiz, created_at__gte=since, test=False)
    rows = leads.annotate(answers=KeyTransform("answers", "delivery__answer__payload"))
    titles: dict[str, str] = {}
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    people: dict[tuple[str, str], set[int]] = defaultdict(set)
    columns = ("status", "answers", "delivery__answer_id")
    for status, answers, answer_id in rows.order_by("-pk").values_list(*columns)[:LEADS_READ]:
        for item in normalised({"answers": answers}).get("answers", []) if answers else ():
            question = item["questionID"]
            titles.setdefault(question, item.get("question", question))
            for option in _given(item.get("answer")):
                people[question, option].add(answer_id)
                numbers = found[question][option]
                numbers[0] += 1
                numbers[1] += status == Outcome.Status.WON
                numbers[2] += status == Outcome.Status.LOST
    told = []
    for question, options in found.items():
        shared = [(o, n) for o, n in options.items() if len(people[question, o]) >= FEWEST]
        common = sorted(shared, key=lambda one: (-one[1][0], one[0]))
        if common and 2 * sum(n[0] for _, n in common) >= sum(n[0] for n in options.values()):
            told.append((titles[question][:LONGEST_OPTION], common[:OPTIONS_SHOWN]))
    return told[:QUESTIONS_SHOWN]


def _given(answer: Any) -> Iterator[str]:
    """What was chosen: one, or several of a list."""
    for one in answer if isinstance(answer, list) else [answer]:
        if isinstance(one, (str, int, float)) and not is_absent(one):
            text = scalar_text(one)
            if len(text) <= LONGEST_OPTION:
                yield text
