"""Work that beat asks for is done once at a time, however many of its messages are in the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import structlog
from django.db import connections

log = structlog.stdlib.get_logger(__name__)
TRY = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
LET_GO = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Are we the only one at it? False where somebody is at it already.

    The lock lives in a connection of its own: the work may give its own one back while it waits for a CRM. It
    ends with the connection, so that a process that dies leaves nothing behind.
    """
    keeper = connections.create_connection("default")
    try:
        with keeper.cursor() as cursor:
            cursor.execute(TRY, [f"task:{name}"])
            mine = bool(cursor.fetchone()[0])
            try:
                yield mine
            finally:
                if mine:
                    cursor.execute(LET_GO, [f"task:{name}"])
    finally:
        keeper.close()


def one_at_a_time(work: Callable[[], Any]) -> Callable[[], None]:
    """A periodic task's body: does nothing where the same one is under way elsewhere."""

    @wraps(work)
    def alone_or_not_at_all() -> None:
        with alone(work.__qualname__) as mine:
            if mine:
                work()
            else:
                log.info("it is under way already", work=work.__qualname__)

    return alone_or_not_at_all


def each_alone(*steps: Callable[[], Any]) -> None:
    """Every step is done once at a time and fails alone: what one can't do keeps no other from its work."""
    for step in steps:
        try:
            with alone(step.__qualname__) as mine:
                if mine:
                    step()
        except Exception:
            log.exception("a step failed, others go on", step=step.__qualname__)
