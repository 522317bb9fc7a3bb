"""Giving the database connection back to the pool while somebody else, a CRM mostly, thinks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def give_back() -> None:
    """Unless a transaction around us still needs it."""
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def given_back() -> Iterator[None]:
    """At the end of the block."""
    try:
        yield
    finally:
        give_back()
