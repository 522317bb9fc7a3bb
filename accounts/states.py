"""The only place that moves ``Account.state``.

Every move is a conditional update: it says whether it took place, and a repeat changes nothing. Deliveries
of a parked account are held and released by ``rules``. Locks are taken in one order: token, then account.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.kinds import pace_for
from accounts.models import Account, Hook, Token
from connectors.errors import NeedsReconnect, Stopped

log = logging.getLogger(__name__)
State = Account.State
LIVE = (State.CONNECTING, State.ACTIVE, State.NEEDS_RECONNECT, State.PAUSED)


def activate(account: Account) -> bool:
    """The owner has signed in: requests may be sent, and the lists are due for a sync."""
    now = timezone.now()
    return _move(account, State.ACTIVE, "", LIVE, connected_at=now, next_sync_at=now)


def needs_reconnect(account: Account, reason: str) -> bool:
    """The CRM no longer knows us: the account waits for its owner.

    Whoever read the account before it was connected again speaks of tokens long gone and is not heard.
    """
    known = {"connected_at": account.connected_at}
    return _move(account, State.NEEDS_RECONNECT, reason, (State.ACTIVE, State.PAUSED), only=known)


def park(account: Account, error: NeedsReconnect, why: str = "") -> bool:
    """Its CRM hears us no more: until the owner signs in again, or until a person resumes it.

    ``why`` is told where it says more than the error's own message.
    """
    return (pause if isinstance(error, Stopped) else needs_reconnect)(account, why or error.message)


def pause(account: Account, reason: str) -> bool:
    """Stop sending for an active account until a person resumes it."""
    return _move(account, State.PAUSED, reason, (State.ACTIVE,))


def resume(account: Account) -> bool:
    """Send again for a paused account, and take down the stop sign that its CRM may have put up."""
    moved = _move(account, State.ACTIVE, "", (State.PAUSED,))
    if not account.deleted:
        pace_for(account.crm, account.remote_id or account.host).resume()
    return moved


def disconnect(account: Account) -> bool:
    """Soft-delete the account and erase its secrets; its history stays."""
    with transaction.atomic():
        Token.objects.filter(account_id=account.pk).delete()
        Hook.objects.filter(account_id=account.pk).delete()
        return _move(account, State.DISCONNECTED, "", LIVE, deleted=True)


def _move(
    account: Account,
    to: str,
    reason: str,
    allowed: Iterable[str],
    only: dict[str, Any] | None = None,
    **more: Any,
) -> bool:
    before = account.state
    changes = {"state": to, "state_reason": reason, "state_since": timezone.now(), **more}
    rows = Account.objects.filter(pk=account.pk, deleted=False, state__in=list(allowed), **(only or {}))
    if not rows.update(**changes):
        return False
    for name, value in changes.items():
        setattr(account, name, value)
    log.info("account=%s crm=%s became=%s before=%s why=%r", account.pk, account.crm, to, before, reason)
    return True
