"""The database past Django's ORM: prepared statements, connections given back, and patience while it is away.

Django writes values into a statement's text, which for a document of many rows costs more than the statement
does; and parsing and planning a long statement costs more than running it. So those on the path of an answer
are prepared, and their values go to PostgreSQL beside them; with ``DATABASE_PREPARED`` off none is prepared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import psycopg
from django.db import InterfaceError, OperationalError, connection

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds; a PostgreSQL that crashed has replayed its log by then
Done = TypeVar("Done")
_encoder = msgspec.json.Encoder(enc_hook=str.__str__)  # messages are texts with more to them


def run(statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Its rows, none where it returns none. Raises Django's errors, as its own cursors do."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, prepare=True)
        # Whether there are any says ``description``, too, which makes an object of each column first.
        return [] if cursor.rownumber is None else cursor.fetchall()


def document(rows: Any) -> str:
    """Many rows as one value, of which a statement reads them by PostgreSQL's functions for JSON."""
    return _encoder.encode(rows).decode()


def give_back() -> None:
    """The connection to the pool, while somebody else thinks; not where a transaction around us needs it."""
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def given_back() -> Iterator[None]:
    """At the end of the block."""
    try:
        yield
    finally:
        give_back()


def patiently(act: Callable[[], Done]) -> Done:
    """Do what may be done twice, outside any transaction. Raises the last error of the database.

    One that is away for a moment must not take with it what a CRM has just told us: a lead that arrived would
    end unclear, and be looked up, or wait for a person to look.
    """
    for pause in PAUSES:
        try:
            return act()
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(pause)
    return act()
