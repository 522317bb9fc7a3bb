"""The page of conversion: every quiz of a chosen period, and the ten busiest for the first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import StaffAdmin
from accounts.crm_settings import label_of
from accounts.texts import say, say_many
from rules.admin.conversion import Line, lines, total
from rules.admin.links import outcomes_url
from rules.admin.sums import totals

PERIODS = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "all": _("all time")}
USUAL = "30"
MOST_SHOWN = 500
TOP = 10
TOP_PART = "part=top"  # of the address: the ten busiest alone, for the first page
TOP_KEPT = 300  # seconds: counting a busy month takes some, and who looks every minute learns nothing new


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as the table shows it; its numbers lead to the rows that they count."""

    line: Line
    crm: str
    percent: str
    won_sum: str
    paid_sum: str
    url: str


def show(request: HttpRequest, admin: StaffAdmin) -> HttpResponse:
    if request.GET.urlencode() == TOP_PART:
        return TemplateResponse(request, "admin/desk/conversion_top.html", {"lines": _top()})
    period = request.GET.get("period", USUAL)
    period = period if period in PERIODS else USUAL
    owner, quiz = (request.GET.get(name, "").replace("\0", "").strip() for name in ("owner", "quiz"))
    found = _chosen(period, owner, quiz)
    whole = total(found)
    context = {
        **admin.admin_site.each_context(request),
        "title": say("Conversion by quiz"),
        "opts": admin.opts,
        "periods": [(name, _url(key, owner, quiz), key == period) for key, name in PERIODS.items()],
        "period": period,
        "owner": owner,
        "quiz": quiz,
        "lines": [_shown(line) for line in found[:MOST_SHOWN]],
        "whole": _shown(whole) if found else None,
        "left_out": say_many("{count} more line below", "{count} more lines below", len(found) - MOST_SHOWN)
        if len(found) > MOST_SHOWN
        else "",
        "back": admin.list_page(),
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "admin/desk/conversion.html", context)


def _top() -> list[Shown]:
    """The busiest quizzes of the usual period."""
    kept: list[Shown] | None = cache.get(TOP_PART)
    if kept is None:
        kept = [_shown(line) for line in lines(_since(USUAL))[:TOP]]
        cache.set(TOP_PART, kept, TOP_KEPT)
    return kept


def _chosen(period: str, owner: str, quiz: str) -> list[Line]:
    chosen: dict[str, Any] = {"account_id": owner} if owner else {}
    if quiz:
        if not (quiz.isdecimal() and len(quiz) < 19):
            return []
        chosen["quiz_id"] = int(quiz)
    return lines(_since(period), **chosen)


def _since(period: str) -> datetime | None:
    return timezone.now() - timedelta(days=int(period)) if period.isdecimal() else None


def _url(period: str, owner: str, quiz: str) -> str:
    told = {"period": period, "owner": owner, "quiz": quiz}
    return "?" + urlencode({name: value for name, value in told.items() if value})


def _shown(line: Line) -> Shown:
    percent = "" if line.percent is None else f"{number_format(line.percent, 1)} %"
    crm = label_of(line.crm) if line.crm else ""
    chosen = {"quiz": line.quiz_id, "quiz_account": line.owner}
    url = outcomes_url(**chosen, crm=line.crm) if line.delivered and line.crm else ""
    return Shown(line, crm, percent, totals(line.won_sum), totals(line.paid_sum), url)
