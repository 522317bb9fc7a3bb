"""Rows of a time, by their keys: lists are read by keys, and rows are numbered as they are made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

APART = timedelta(hours=1)  # of two rows, the later one made may have the smaller key within this time
Row = TypeVar("Row", bound=Model)


def made_between(rows: QuerySet[Row], start: datetime | None, end: datetime | None) -> QuerySet[Row]:
    """``rows`` whose ``created_at`` is ``start`` or later and before ``end``. The model needs an index of it.

    Keys tell the same roughly, so that a list skips what is newer or older without reading it.
    """
    made = rows.model._default_manager.values_list("pk", flat=True)
    if start:
        rows = rows.filter(created_at__gte=start)
        before = made.filter(created_at__lt=_moved(start, -APART)).order_by("-created_at")
        rows = _bounded(rows, "pk__gt", before)
    if end:
        rows = rows.filter(created_at__lt=end)
        behind = made.filter(created_at__gte=_moved(end, APART)).order_by("created_at")
        rows = _bounded(rows, "pk__lt", behind)
    return rows


def _bounded(rows: QuerySet[Row], bound: str, made: QuerySet[Any, int]) -> QuerySet[Row]:
    key = next(iter(made[:1]), None)
    return rows if key is None else rows.filter(**{bound: key})


def _moved(moment: datetime, by: timedelta) -> datetime:
    """As far as there are days."""
    try:
        return moment + by
    except OverflowError:
        return moment
