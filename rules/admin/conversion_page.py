"""The page of conversion: what became of the answers of a chosen time, by what they have in common; the same
as a file; and the ten busiest quizzes for the first page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext_noop

from accounts.admin_base import StaffAdmin, framed
from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.texts import say, spaced, totals
from rules.admin.links import outcomes_url
from rules.admin.report_filters import Filters, read_filters
from rules.conversion.numbers import MEDIAN, MOST_OF, Numbers
from rules.conversion.reading import (
    BY,
    DAY,
    MOST_IN_FILE,
    MOST_LINES,
    OPTION,
    PERSON,
    QUIZ,
    ROUTE,
    Line,
    Report,
    report,
)
from rules.conversion.table import TITLES, accounts_of, download, name_of

PERIODS = ("7", "30", "90", "all")
TOP = 10
TOP_PART = "part=top"  # of the address: the ten busiest alone, for the first page
WANTS_QUIZ, WANTS_ACCOUNT, IS_READ = "quiz", "account", "operate"


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as the table shows it; ``note`` is beside its name, ``url`` opens the rows that it counts."""

    line: Line
    name: str
    note: str
    crm: str
    percent: str
    won_sum: str
    paid_sum: str
    median: str
    most: str
    url: str

    @property
    def numbers(self) -> Numbers:
        return self.line.numbers


def show(request: HttpRequest, admin: StaffAdmin) -> HttpResponse:
    if request.GET.urlencode() == TOP_PART:
        return TemplateResponse(request, "admin/desk/conversion_top.html", _top())
    filters = read_filters(request)
    lacks = _lacks(filters, admin.has_operate_permission(request))
    if request.GET.get("format") == "csv":
        if lacks:
            raise PermissionDenied
        return download(report(filters.chosen, filters.by, MOST_IN_FILE))
    found = None if lacks else report(filters.chosen, filters.by)
    return framed(
        request,
        admin,
        "admin/desk/conversion.html",
        say("Conversion"),
        **filters.context(*PERIODS),
        ways=[(TITLES[by], filters.url(by=by), by == filters.by) for by in BY if by != DAY],
        lacks=lacks,
        counted_at=found and found.counted_at,
        file_url=f"{filters.url()}&format=csv",
        more=found and found.more,
        most=MOST_LINES,
        **(_table(found) if found else {}),
    )


def _lacks(filters: Filters, may_read: bool) -> str:
    """What must be chosen, or allowed, before this is shown: options are of one quiz, routes of its rules."""
    if filters.by == OPTION and not may_read:
        return IS_READ
    if filters.by == OPTION and not filters.quiz:
        return WANTS_QUIZ
    wide = not (filters.quiz or filters.account or filters.owner)
    return WANTS_ACCOUNT if filters.by == ROUTE and wide else ""


def _table(found: Report) -> dict[str, Any]:
    accounts = accounts_of(found.lines)
    lines = [_shown(found.by, line, accounts.get(line.account or 0)) for line in found.lines]
    whole = _shown("", Line(numbers=found.whole), None) if lines and found.by != OPTION else None
    return {"by": found.by, "head": TITLES[found.by], "lines": lines, "whole": whole}


def _top() -> dict[str, Any]:
    """The busiest quizzes of the usual period."""
    found = report(Filters().chosen, QUIZ, TOP)
    return {**_table(found), "whole": None, "counted_at": found.counted_at}


def _shown(by: str, line: Line, account: Account | None) -> Shown:
    numbers = line.numbers
    return Shown(
        line,
        name_of(by, line) if by else say("All together"),
        _note(by, line, account),
        label_of(line.crm) if line.crm else "",
        "" if numbers.percent is None else f"{number_format(numbers.percent, 1)} %",
        totals(numbers.won_sum),
        totals(numbers.paid_sum),
        lasting(numbers.seconds_to_step(MEDIAN)),
        lasting(numbers.seconds_to_step(MOST_OF)),
        _url(by, line),
    )


def _note(by: str, line: Line, account: Account | None) -> str:
    if by == QUIZ:
        return line.owner
    if by == OPTION:
        return line.words or line.question
    of = f"{account.get_crm_display()} {account.name or account.host}".strip() if account else ""
    if by == ROUTE and line.quiz:
        return ", ".join(filter(None, (say("quiz {number}", number=line.quiz), of)))
    return of if by == PERSON else ""


def _url(by: str, line: Line) -> str:
    if by != QUIZ or not (line.numbers.leads and line.crm):
        return ""
    return outcomes_url(quiz=line.quiz, quiz_account=line.owner, crm=line.crm)


def lasting(seconds: float | None) -> str:
    """``40 min``, ``5 h``, ``3 days``: as exactly as it was counted."""
    if seconds is None:
        return ""
    for most, unit, words in LASTING:
        if seconds < most:
            return say(words, count=spaced(max(1, round(seconds / unit))))
    return ""


LASTING = (
    (90, 1, gettext_noop("{count} s")),
    (90 * 60, 60, gettext_noop("{count} min")),
    (36 * 3600, 3600, gettext_noop("{count} h")),
    (float("inf"), 86_400, gettext_noop("{count} d")),
)
