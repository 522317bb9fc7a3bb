"""Filters that the pages of rules, answers and deliveries share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import TextFilter

from accounts.admin import QuizAccountFilter


class OwnerFilter(QuizAccountFilter):
    column = "owner"


class QuizFilter(TextFilter):
    title, parameter_name = "quiz", "quiz"

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if not value:
            return rows
        return rows.filter(quiz_id=int(value)) if value.isdecimal() and len(value) < 19 else rows.none()


class ProblemsFilter(admin.SimpleListFilter):
    title, parameter_name = "problems", "problems"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "has problems"), ("no", "has none")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return rows.exclude(problems=[])
        return rows.filter(problems=[]) if self.value() == "no" else rows
