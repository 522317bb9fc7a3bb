"""A statement that is prepared, and whose values go to PostgreSQL beside it.

Django writes values into the statement's text, which for a document of many rows costs more than the
statement does; and parsing and planning a long statement costs more than running it. Whether statements are
prepared at all says ``DATABASE_PREPARED``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from django.db import connection


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


_encoder = msgspec.json.Encoder(enc_hook=str.__str__)  # messages are texts with more to them
