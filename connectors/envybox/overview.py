"""main/data, read: the one answer that feeds every list (reference 4.1, 7.4). Pure.

It is trusted only whole: a half of it would look as if all the rest had been deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.envybox.answers import at, id_of, rows_in
from connectors.errors import TryLater

ELEMENTS = ("lead", "client", "deal")


def check(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, if it is whole. Raises ``TryLater``."""
    whole = id_of(data.get("id")) and isinstance(data.get("lead"), dict) and lines(data, "deal")
    if not whole:
        words = "Envybox's description of the account is not whole"
        raise TryLater(words, code="unreadable", account_wide=True)
    return data


def lines(data: Mapping[str, Any], element: str) -> list[dict[str, Any]]:
    """The pipelines of leads or deals."""
    return rows_in(at(data, element, "pipelines"))


def fields(data: Mapping[str, Any], element: str) -> list[dict[str, Any]]:
    return rows_in(at(data, element, "custom_fields"))


def inboxes(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return rows_in(data.get("inbox_types"))


def employees(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Under the name that nobody could read: the first array of people (reference 6.3)."""
    if "employees" in data:
        return rows_in(data["employees"])
    arrays = (rows_in(value) for value in data.values() if isinstance(value, list))
    return next((rows for rows in arrays if rows and all("surname" in row for row in rows)), [])


def alive(row: Mapping[str, Any]) -> bool:
    return not row.get("deleted_at")
