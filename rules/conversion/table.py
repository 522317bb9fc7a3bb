"""Lines of conversion in words: what each is of, and all of them as a table for spreadsheets, in the language
that is spoken now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.sheet import CONTENT_TYPE, Cell, sheet
from rules.conversion.counting import LEFT_OUT, UNSENT
from rules.conversion.numbers import COUNTS, MEDIAN, MOST_OF, OTHERS, Numbers
from rules.conversion.reading import DAY, OPTION, PERSON, QUIZ, ROUTE, Line, Report
from rules.conversion.traits import ANOTHER

TITLES = {
    QUIZ: gettext_lazy("Quiz"),
    ROUTE: gettext_lazy("Route"),
    OPTION: gettext_lazy("Answer option"),
    "source": gettext_lazy("UTM source"),
    "medium": gettext_lazy("UTM medium"),
    "campaign": gettext_lazy("UTM campaign"),
    "page": gettext_lazy("Page"),
    PERSON: gettext_lazy("Responsible"),
    DAY: gettext_lazy("Day"),
}
NAMELESS = {
    ROUTE: gettext_lazy("the rule itself"),
    "source": gettext_lazy("without a UTM source"),
    "medium": gettext_lazy("without a UTM medium"),
    "campaign": gettext_lazy("without a UTM campaign"),
    "page": gettext_lazy("no page was told"),
    PERSON: gettext_lazy("nobody that we know of"),
}
# What a line stands for where it has no name of its own: the word of programs, and people's.
KINDS = {
    OTHERS: ("others", gettext_lazy("all others")),
    LEFT_OUT: ("leftOut", gettext_lazy("left out by the rule's condition")),
    UNSENT: ("notSent", gettext_lazy("not sent yet")),
    ANOTHER: ("another", gettext_lazy("an answer of their own")),
}


def kind_of(line: Line) -> str:
    """``named``, ``none``, or what it stands for."""
    return KINDS[line.name][0] if line.name in KINDS else "named" if line.name else "none"


def name_of(by: str, line: Line) -> str:
    if line.name in KINDS:
        return str(KINDS[line.name][1])
    if by == QUIZ:
        return str(line.quiz)
    if by == PERSON and line.words:
        return line.words
    return line.name or str(NAMELESS.get(by, ""))


def accounts_of(lines: Iterable[Line]) -> Mapping[int, Account]:
    """Those that lines are of, with no more than their names."""
    wanted = {line.account for line in lines if line.account is not None}
    return Account.objects.only("crm", "name", "host", "account_id").in_bulk(wanted)


def download(report: Report) -> HttpResponse:
    """The report as a file, whose name tells its days from those of other files."""
    days = [f"{day:%Y-%m-%d}" for day in (report.chosen.first, report.chosen.last) if day]
    file = f'attachment; filename="{"_".join([f"conversion-{report.by}", *days])}.csv"'
    return HttpResponse(
        sheet(_head(report), _rows(report)), CONTENT_TYPE, headers={"Content-Disposition": file}
    )


def _head(report: Report) -> Iterator[str]:
    yield str(TITLES[report.by])
    yield from (_("Question"),) if report.by == OPTION else ()
    yield from (_("Quiz account"), "CRM") if report.by == QUIZ else ()
    yield from (_("Account"),) if report.by in (ROUTE, PERSON) else ()
    yield from (_("Quiz"),) if report.by == ROUTE else ()
    yield from (_("Answers"), _("Leads"), _("In work"), _("Won"), _("Lost"), _("Gone"), _("Conversion, %"))
    for currency in _currencies(report.whole.won_sum):
        yield " ".join((_("Sum won"), currency)).strip()
    for currency in _currencies(report.whole.paid_sum):
        yield " ".join((_("Paid"), currency)).strip()
    yield from (_("Left the first step"), _("Half within, seconds"), _("90 of 100 within, seconds"))


def _rows(report: Report) -> Iterator[list[Cell]]:
    accounts = accounts_of(report.lines)
    for line in report.lines:
        cells: list[Cell] = [name_of(report.by, line)]
        if report.by == OPTION:
            cells.append(line.words or line.question)
        if report.by == QUIZ:
            cells += [line.owner, label_of(line.crm) if line.crm else ""]
        if report.by in (ROUTE, PERSON):
            cells.append(_account(accounts.get(line.account or 0)))
        if report.by == ROUTE:
            cells.append(line.quiz)
        yield [*cells, *_numbers(line.numbers, report.whole)]
    if report.by != OPTION:  # somebody may choose several
        beside = {QUIZ: 2, ROUTE: 2, PERSON: 1}.get(report.by, 0)
        yield [_("All together"), *[""] * beside, *_numbers(report.whole, report.whole)]


def _numbers(of: Numbers, whole: Numbers) -> Iterator[Cell]:
    yield from (getattr(of, name) for name in COUNTS)
    yield of.percent
    yield from (of.won_sum.get(currency) for currency in _currencies(whole.won_sum))
    yield from (of.paid_sum.get(currency) for currency in _currencies(whole.paid_sum))
    yield of.stepped
    for part in (MEDIAN, MOST_OF):
        seconds = of.seconds_to_step(part)
        yield None if seconds is None else round(seconds)


def _currencies(sums: Mapping[str, object]) -> list[str]:
    return sorted(sums)


def _account(account: Account | None) -> str:
    if account is None:
        return ""
    return f"{account.get_crm_display()}: {account.called}"
