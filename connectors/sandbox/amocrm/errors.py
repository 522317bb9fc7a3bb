"""Collecting what is wrong with the items of a request (reference 6.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.sandbox.amocrm.hal import problem
from connectors.sandbox.core import Reply


class Bad(Exception):
    """One wrong value, seen deep inside; `key` is the last part of its path."""

    def __init__(self, code: str, detail: str, key: str) -> None:
        super().__init__(code)
        self.code, self.detail, self.key = code, detail, key


class Errors:
    """The errors of one item, with the path to where we are."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.found: list[dict[str, str]] = []
        self._path: list[str] = []

    @contextmanager
    def under(self, *parts: str | int) -> Iterator[None]:
        self._path += map(str, parts)
        yield
        del self._path[-len(parts) :]

    def add(self, code: str, detail: str, *parts: str | int) -> None:
        path = ".".join([*self._path, *map(str, parts)])
        self.found.append({"code": code, "path": path, "detail": detail})

    def no_choice(self, *parts: str | int) -> None:
        self.add("NotSupportedChoice", "The value you selected is not a valid choice.", *parts)

    def __bool__(self) -> bool:
        return bool(self.found)


def validation_failed(all_errors: list[Errors]) -> Reply:
    shown: list[dict[str, Any]] = [
        {"request_id": errors.request_id, "errors": errors.found} for errors in all_errors if errors
    ]
    return problem(400, "Request validation failed", **{"validation-errors": shown})
