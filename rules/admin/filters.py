"""Filters that the pages of rules, answers, deliveries and outcomes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter, TextFilter

from accounts.admin import QuizAccountFilter
from accounts.models import Account
from accounts.texts import say
from rules.delivery import holds
from rules.made_between import made_between
from rules.models.outcome import TRAILS

FEW_ACCOUNTS = 100  # of a CRM with rows
LATELY, FEW_LATELY = 1000, 100  # of so many newest rows, as many are a CRM's that need no search


class OwnerFilter(QuizAccountFilter):
    column = "owner"


class HeldFilter(ChoicesDropdownFilter):
    """What is held for a reason is held, which the index must be told. ``OPEN`` stands for all reasons but
    those of what is not to be sent any more, as the first page counts."""

    OPEN, OPEN_WORDS = "open", _("anything that still waits")

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for one in super().choices(changelist):
            field = one["form"].fields[self.lookup_kwarg]
            every, *reasons = field.choices
            field.choices = [every, (self.OPEN, self.OPEN_WORDS), *reasons]
            yield one

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.OPEN:
            return rows.filter(state="held").exclude(held_because__in=holds.OVER)
        found = super().queryset(request, rows)
        return found.filter(state="held") if self.value() else found


class CrmFilter(ChoicesDropdownFilter):
    """Of a CRM by its accounts, where few of them have anything and little of it is new: the list is walked
    for the rows of many, but would be walked to its end for those of none."""

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if not (crm := self.value()):
            return rows
        newest = rows.model._default_manager.order_by("-pk").values_list("account__crm", flat=True)
        if list(newest[:LATELY]).count(crm) > FEW_LATELY:
            return rows.filter(account__crm=crm)
        mine = rows.model._default_manager.filter(account=OuterRef("pk")).order_by()
        some = Account.objects.filter(crm=crm).filter(Exists(mine)).order_by().values_list("pk", flat=True)
        keys = list(some[: FEW_ACCOUNTS + 1])
        return rows.filter(account__in=keys) if len(keys) <= FEW_ACCOUNTS else rows.filter(account__crm=crm)


class QuizFilter(TextFilter):
    title, parameter_name = _("quiz"), "quiz"

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if not value:
            return rows
        return rows.filter(quiz_id=int(value)) if value.isdecimal() and len(value) < 19 else rows.none()


class DayFilter(RangeDateFilter):
    """Whole days of our own time zone, the last one included. A day that can't be read finds nothing: what is
    done to all of a filter must not be done to more than was meant."""

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        try:
            first, last = self._day("from"), self._day("to")
        except ValueError:
            return rows.none()
        end = _midnight(last + timedelta(days=1)) if last and last < date.max else None
        return made_between(rows, _midnight(first) if first else None, end)

    def _day(self, end: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        return read_day(text.strip()) if isinstance(text, str) and text.strip() else None


def read_day(text: str) -> date:
    """As the calendar of any of our languages writes it: a worker, who speaks none, reads what was chosen by
    somebody who does. Raises ``ValueError``."""
    for language, _name in settings.LANGUAGES:
        for written in get_format("DATE_INPUT_FORMATS", lang=language, use_l10n=True):
            with suppress(ValueError):
                return datetime.strptime(text, written).date()
    raise ValueError(text)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class ProblemsFilter(admin.SimpleListFilter):
    title, parameter_name = _("problems"), "problems"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", say("has problems")), ("no", say("has none"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return rows.exclude(problems=[])
        return rows.filter(problems=[]) if self.value() == "no" else rows


class TrailFilter(admin.SimpleListFilter):
    """Leads that the CRM doesn't show us as it should."""

    title, parameter_name = _("trail"), "trail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("gone", say("gone from the CRM")),
            ("unfound", say("not found yet")),
            ("failing", say("the last look failed")),
            ("hand", say("named by a person")),
        ]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(TRAILS[value]) if (value := self.value() or "") in TRAILS else rows
