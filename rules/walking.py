"""Walking through many rows, the oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet


def portions(
    rows: QuerySet[Any], moment: str, *columns: str, at_once: int
) -> Iterator[list[tuple[Any, ...]]]:
    """(key, ``moment``, ``columns``) of the rows, at most ``at_once`` of them by each statement. Each is met
    once, whether or not it is still there afterwards."""
    ordered, behind = rows.order_by(moment, "pk").values_list("pk", moment, *columns), Q()
    while found := list(ordered.filter(behind)[:at_once]):
        yield found
        if len(found) < at_once:
            return
        pk, at = found[-1][:2]
        behind = Q(**{f"{moment}__gte": at}) & (Q(**{f"{moment}__gt": at}) | Q(pk__gt=pk))
