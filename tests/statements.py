"""What is sent to PostgreSQL: by Django's cursors, and past them by ``accounts.db_statement``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import psycopg


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements of the block, in order, but those that ask for the time (``accounts.db_clock``)."""
    sent: list[str] = []
    real = psycopg.Cursor.execute

    def spy(cursor: psycopg.Cursor, query: Any, *values: Any, **options: Any) -> Any:
        if "clock_timestamp()" not in str(query):
            sent.append(str(query))
        return real(cursor, query, *values, **options)

    with mock.patch.object(psycopg.Cursor, "execute", spy):
        yield sent
