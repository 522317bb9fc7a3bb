"""Writing events into the outbox, in the transaction of what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from accounts import db_clock
from accounts.events.models import EventType, NewEvent
from accounts.models import Account

State = Account.State
AWAY = (State.NEEDS_RECONNECT, State.PAUSED)


def write(account: Account, kind: EventType, **data: Any) -> None:
    """Tell something of this CRM account. The caller holds the transaction. ``data``: ids and states."""
    if settings.EVENT_DAYS:
        NewEvent.objects.create(
            owner=account.account_id, type=kind, at=db_clock.now(), data={**whose(account), **data}
        )


def whose(account: Account) -> Mapping[str, Any]:
    """Which CRM account an event is about."""
    return {"crm": account.crm, "crmAccountID": account.pk}


def tell_move(account: Account, before: str, after: str) -> None:
    """An account went from one state to another; moves that nobody waits for are not told."""
    if after == State.NEEDS_RECONNECT:
        write(account, EventType.NEEDS_RECONNECT)
    elif after == State.ACTIVE and before != State.ACTIVE:
        write(account, EventType.RECOVERED if before in AWAY else EventType.CONNECTED)
