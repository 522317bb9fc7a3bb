"""The feed: events get their places, are read behind a cursor, and are deleted when their time is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from accounts import db_clock
from accounts.events.models import Event, NewEvent
from accounts.worker_threads import worker

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 5000  # events of one transaction
MOST_SCANNED = 20_000  # events that one request looks at for the types it wants
NUMBERING = 7108  # the advisory lock of whoever gives places


def number() -> int:
    """Give places to the oldest events of the outbox; how many, ``AT_ONCE`` at most.

    Done by one transaction at a time, and only to what is committed. A place is given for good, so an event
    whose transaction was committed late comes behind those that were read before it. Whoever reads does it,
    so that the feed waits for no worker; none where somebody else is at it.
    """
    if not NewEvent.objects.exists():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [NUMBERING])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(NUMBER, [AT_ONCE])  # a statement of its own sees what the last holder committed
        return int(cursor.rowcount)


NUMBER = """
WITH moved AS (
    DELETE FROM accounts_newevent
    WHERE id = ANY (ARRAY(SELECT id FROM accounts_newevent ORDER BY id LIMIT %s)) RETURNING *
)
INSERT INTO accounts_event (owner, type, at, data) SELECT owner, type, at, data FROM moved ORDER BY id
"""


class Expired(Exception):
    """Events behind the cursor may have been deleted unread."""


@dataclass(frozen=True, slots=True)
class Part:
    """Events in their order; ``next`` is the place up to which all is read, ``more`` says there is more."""

    events: list[Event]
    next: int
    more: bool


def read(after: int | None, size: int, owner: str = "", types: Collection[str] = ()) -> Part:
    """Events behind a place, of one quiz account or of all, of some types or all. Raises ``Expired``.

    ``after`` is None for whoever begins: with the oldest that is kept.
    """
    number()
    ends = newest()
    if after is not None and may_be_gone(after):
        raise Expired
    after = after or 0
    rows, limit = chosen(after, ends, owner, types)
    found = list(rows[: size + 1])
    if len(found) > size:
        return Part(found[:size], found[size - 1].pk, more=True)
    return Part(found, max(limit, after), more=limit < ends)


def may_be_gone(after: int) -> bool:
    """``purge`` leaves the last of the old events: where the oldest is not old, none is gone."""
    oldest = Event.objects.order_by("id").first()
    return oldest is not None and oldest.at < _kept_from() and after + 1 < oldest.pk


def _kept_from() -> datetime:
    return db_clock.now() - timedelta(days=settings.EVENT_DAYS)


def newest() -> int:
    """The last place that was given, 0 where nothing is kept."""
    return Event.objects.aggregate(last=Max("id"))["last"] or 0


def chosen(
    after: int, ends: int, owner: str = "", types: Collection[str] = ()
) -> tuple[QuerySet[Event], int]:
    """(events behind ``after``, the place up to which they are looked for). That is ``ends``, or sooner where
    rare types would have to be looked for among many others."""
    rows = Event.objects.filter(id__gt=after, id__lte=ends).order_by("id")
    rows = rows.filter(owner=owner) if owner else rows
    if not types:
        return rows, ends
    limit = rows.values_list("id", flat=True)[MOST_SCANNED - 1 : MOST_SCANNED].first() or ends
    return rows.filter(id__lte=limit, type__in=types), limit


def purge() -> int:
    """Delete events past ``EVENT_DAYS``, the oldest first, in short transactions; how many.

    The last of them stays, by which it is known that there were others before it.
    """
    deleted = 0
    while not worker.ends.is_set() and number():
        pass  # where nobody reads
    while not worker.ends.is_set():
        first = Event.objects.order_by("id").values_list("id", "at")[:AT_ONCE]
        old = [pk for pk, at in takewhile(lambda row: row[1] < _kept_from(), first)]
        deleted += Event.objects.filter(id__in=old[:-1]).delete()[0]
        if len(old) < AT_ONCE:
            break
    if deleted:
        log.info("events deleted", count=deleted)
    return deleted
