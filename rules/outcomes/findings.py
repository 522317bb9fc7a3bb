"""What a person can do about what a reconciliation found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts import db_clock
from connectors.messages import message
from rules.delivery import outbox
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery, Finding

Kind = Finding.Kind
REMEDIES = {
    Kind.MISSING: message(
        "Look for it in the CRM. If it is not there, send it again: it is looked for first, so that none is"
        " made twice."
    ),
    Kind.DELETED: message(
        "Somebody has deleted it there. If that was a mistake, restore it in the CRM, or send it again."
    ),
    Kind.DOUBLED: message(
        "Look at them in the CRM and keep one of them: nothing is merged by itself. One may be a copy that"
        " somebody made."
    ),
    Kind.FOUND: message("If it is the answer's lead, take it over: then nothing more is sent."),
    Kind.MOVED: message("Nothing, if somebody moved it on purpose."),
}
PURGED = message("Its content was erased, so that it can't be sent again.")
ERASED = message("The person asked to be forgotten: the CRM's customer erases the lead there.")
SENT_AGAIN, ADOPTED = message("Sent again."), message("Taken over as lead {lead}.")


def remedy_of(row: Finding) -> str:
    """What to do, in a sentence. The delivery and its answer are at hand."""
    if row.delivery.held_because == Delivery.Held.ERASED:
        return ERASED
    if row.kind in (Kind.MISSING, Kind.DELETED) and row.delivery.answer.purged_at:
        return PURGED
    return REMEDIES[Kind(row.kind)]


def deeds_of(row: Finding) -> list[str]:
    """Which deeds are possible now, by their keys in ``DEEDS``."""
    if not row.confirmed or row.done_at or row.delivery.held_because == Delivery.Held.ERASED:
        return []
    if row.kind in (Kind.MISSING, Kind.DELETED):
        again = row.delivery.state == Delivery.State.DELIVERED and not row.delivery.answer.purged_at
        again = again and not _made_since(row)
        return ["send_again"] if again else []
    return ["adopt"] if row.kind == Kind.FOUND and row.delivery.state == Delivery.State.HELD else []


def _made_since(row: Finding) -> bool:
    """Was it made anew after the run? Then the finding speaks of the lead before."""
    made = row.delivery.delivered_at
    return made is not None and made > row.reconciliation.created_at


def send_again(row: Finding) -> bool:
    """Make the lead anew. False where it is not delivered any more, was made anew since, or its content is
    gone."""
    return not _made_since(row) and _done(row, lambda: outbox.send_again(row.delivery_id), SENT_AGAIN)


def adopt(row: Finding) -> bool:
    """The lead that was found is the delivery's. False where it is not held any more."""
    lead = row.leads[0] if row.leads else ""
    return _done(row, lambda: outbox.arrived(row.delivery_id, lead), message(ADOPTED.text, lead=lead))


DEEDS: dict[str, Callable[[Finding], bool]] = {"send_again": send_again, "adopt": adopt}


def _done(row: Finding, do: Callable[[], bool], words: Any) -> bool:
    with transaction.atomic():
        if not do():
            return False
        Finding.objects.filter(pk=row.pk).update(deed=words, done_at=db_clock.now())
        transaction.on_commit(lambda: wake_lanes([row.delivery.account_id]))
    return True
