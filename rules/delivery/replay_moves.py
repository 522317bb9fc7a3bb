"""How a replay moves its delivery, beside the moves of ``rules.delivery.outbox``: from wherever it is, though
nothing is being sent, to waiting; and back, where nobody wants it any more."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts import db_clock
from rules.delivery import outbox
from rules.delivery.holds import CANCELLED
from rules.models import Delivery, Replay

State = Delivery.State


def begin(row: Delivery, replay: Replay, revision: int) -> None:
    """Its lane carries it out. The caller has locked the row and knows that it is not being sent."""
    Delivery.objects.filter(pk=row.pk).update(**outbox.released(), replay=replay, revision=revision)


def give_up(rows: QuerySet[Delivery], why: str) -> int:
    """What waits to be replayed is not; leads that are there stay as they are. How many of these."""
    with transaction.atomic():
        found = rows.filter(replay__isnull=False, state__in=[State.WAITING, State.HELD])
        locked = dict(found.select_for_update(of=("self",)).values_list("pk", "delivered_at"))
        there = [pk for pk, at in locked.items() if at]
        Replay.objects.filter(delivery__in=locked, state=Replay.State.OPEN).update(
            state=Replay.State.FAILED, error=why, done_at=db_clock.now()
        )
        Delivery.objects.filter(pk__in=locked).update(replay=None)
        Delivery.objects.filter(pk__in=there).update(
            state=State.DELIVERED, held_because="", error_code="", error="", remedy=""
        )
    return len(there)


def cancel(rows: QuerySet[Delivery]) -> int:
    """A person says that these are not to be sent (``outbox.cancel``), or not once more."""
    return give_up(rows, CANCELLED.error) + outbox.cancel(rows)
