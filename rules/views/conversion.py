"""What became of the caller's answers, counted by what they have in common: as JSON, or as a file."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.errors import ApiError
from accounts.rest.paging import read_number
from accounts.rest.views import CallerViewSet
from accounts.serializers.errors import BAD_FILTER, NO_TOKEN, operation
from rules.conversion.reading import BY, MOST_IN_FILE, OPTION, QUIZ, Chosen, report
from rules.conversion.table import download
from rules.serializers.conversion import ConversionOut, write_report
from rules.views.filters import CRM_FILTER, QUIZ_FILTER, read_choice, read_crm

USUAL, LONGEST = 30, 366  # days
JSON, CSV = "application/json", "text/csv"
FORMATS = ("json", "csv")


class ConversionViewSet(CallerViewSet):
    """Of the caller's own answers; another's quiz or account has none."""

    @operation(
        "GetConversion",
        "What became of answers, by quiz, route, answer option, source, page, responsible or day",
        {(200, JSON): ConversionOut, (200, CSV): OpenApiTypes.STR, **BAD_FILTER, **NO_TOKEN},
        description="Answers that came on the chosen days, and how their leads stand now: counted in the "
        "background, today's every few minutes, older days the rarer the older they are (`countedAt`). "
        "`by=option` tells of questions that offer a choice and wants `quizID`. As CSV it is for Excel: "
        "UTF-8 with a mark, `;` between cells, decimal commas, texts that would be formulas behind an "
        "apostrophe; `format` counts before `Accept`.",
        parameters=[
            OpenApiParameter("by", str, enum=BY, description="What the lines are of; without it `quiz`"),
            OpenApiParameter(
                "from", OpenApiTypes.DATE, description="The first day; without it 30 days before `to`"
            ),
            OpenApiParameter(
                "to", OpenApiTypes.DATE, description="Before this day; without it today is the last one"
            ),
            CRM_FILTER,
            OpenApiParameter(
                "crmAccountID", int, description="Only this account, by its `id` in `/accounts`"
            ),
            QUIZ_FILTER,
            OpenApiParameter("format", str, enum=FORMATS, description="Without it as `Accept` says"),
        ],
    )
    def show(self, request: Request) -> Response | HttpResponse:
        by = read_choice(request, "by", BY) or QUIZ
        found = report(self._chosen(request, by), by, MOST_IN_FILE)
        csv = _wants_file(request)
        said = download(found) if csv else Response(write_report(found))
        patch_vary_headers(said, ["Accept"])
        return said

    def _chosen(self, request: Request, by: str) -> Chosen:
        given = request.query_params
        quiz = read_number(request, "quizID") if given.get("quizID") else None
        account = read_number(request, "crmAccountID") if given.get("crmAccountID") else None
        if by == OPTION and quiz is None:
            raise ApiError("by=option needs a quizID: options are those of one quiz", field="quizID")
        end = _day(request, "to") or timezone.localdate() + timedelta(days=1)
        first = _day(request, "from") or end - timedelta(days=USUAL)
        if not timedelta() < end - first <= timedelta(days=LONGEST):
            raise ApiError(f"from must be before to, by {LONGEST} days at most", field="from")
        crm = read_crm(request)
        return Chosen(first, end - timedelta(days=1), self.caller_id, account, crm, quiz)


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year <= 9000:
        raise ApiError(f"{name} must be a day such as 2026-01-31", field=name)
    return found


def _wants_file(request: Request) -> bool:
    """``format`` says so, or else ``Accept`` names CSV before JSON."""
    if asked := read_choice(request, "format", FORMATS):
        return asked == "csv"
    accepted = [one.split(";")[0].strip().lower() for one in request.headers.get("Accept", "").split(",")]
    first = next((one for one in accepted if one in (JSON, CSV)), JSON)
    return first == CSV
