"""What is sent to PostgreSQL: by Django's cursors, and past them by ``accounts.database``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread
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


@contextmanager
def broken_at(number: int, *, behind: bool, for_good: bool = False) -> Iterator[list[str]]:
    """The connection breaks once, at the statement or commit with this number: before it, or ``behind`` it,
    when it is done and nobody hears so. What was said so far: less where it did not come to that.
    ``for_good``: no connection says anything from then on, as where the process is killed there.
    """
    said: list[str] = []
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def breaking(words: str, of: psycopg.Connection[Any], act: Callable[[], Any]) -> Any:
        if not words or current_thread().name.startswith("pool-"):  # the pool looks whether connections live
            return act()
        said.append(words)
        breaks = len(said) == number or (for_good and len(said) > number)
        done = None if breaks and not (behind and len(said) == number) else act()
        if breaks:
            of.close()
            raise psycopg.OperationalError("the connection is lost")
        return done

    def run(cursor: psycopg.Cursor[Any], query: Any, *values: Any, **options: Any) -> Any:
        return breaking(str(query), cursor.connection, lambda: execute(cursor, query, *values, **options))

    def end(lost: psycopg.Connection[Any]) -> Any:
        return breaking("COMMIT", lost, lambda: commit(lost))

    with (
        mock.patch.object(psycopg.Cursor, "execute", run),
        mock.patch.object(psycopg.Connection, "commit", end),
    ):
        yield said
