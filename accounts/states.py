"""The only place that moves ``Account.state``.

Every move is conditional: it says whether it took place, and a repeat changes nothing. Each is noted in the
account's history, in one transaction. Deliveries of a parked account are held and released by ``rules``,
which finds the account by its lane's ``review_at``.
Locks are taken in one order: ``one_at_a_time``, token, account.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.db import connection, transaction

from accounts import db_clock, history, task_queue
from accounts.crm_settings import rate_limiter_for
from accounts.events.writing import tell_move
from accounts.history import SERVICE, Actor
from accounts.models import Account, Checkup, Hook, Lane, Token, Unsubscription
from accounts.secrets import WrongKey
from connectors.errors import ConnectorError, NeedsReconnect, Stopped, TryLater
from connectors.messages import message
from connectors.registry import connector_class

log = structlog.stdlib.get_logger(__name__)
State = Account.State
# After an error that has parked the account: only active ones are asked, so soon is as soon as it is back.
ONCE_BACK = timedelta(minutes=1)
LIVE = (State.CONNECTING, State.ACTIVE, State.NEEDS_RECONNECT, State.PAUSED)


def activate(account: Account, how: str = "", actor: Actor = SERVICE) -> bool:
    """The owner has signed in, ``how`` says which way: requests may be sent, and the lists are due."""
    now = db_clock.now()
    with transaction.atomic():
        moved = _move(account, State.ACTIVE, "", LIVE, actor, said=how, connected_at=now, next_sync_at=now)
        if moved:
            Checkup.objects.update_or_create(account_id=account.pk, defaults={"ask_at": now})
            Hook.objects.filter(account_id=account.pk).update(ask_at=now)  # the CRM may have forgotten it
    return moved


def revive(account: Account, actor: Actor = SERVICE) -> bool:
    """A disconnected account is about to be connected again. ``connected_at`` stays: it says which of several
    accounts was connected last, should nobody finish this."""
    return _move(
        account,
        State.CONNECTING,
        "",
        (State.DISCONNECTED,),
        actor,
        said=message("It is being connected again"),
        only={"deleted": True},
        deleted=False,
    )


def needs_reconnect(account: Account, reason: str) -> bool:
    """The CRM no longer knows us: the account waits for its owner.

    Whoever read the account before it was connected again speaks of tokens long gone and is not heard.
    """
    known = {"connected_at": account.connected_at}
    return _move(account, State.NEEDS_RECONNECT, reason, (State.ACTIVE, State.PAUSED), only=known)


def signed_in_after_all(account: Account) -> bool:
    """The CRM had given us a pair that could not be written down in time, and now is."""
    known = {"connected_at": account.connected_at}
    said = message("The new tokens of an earlier renewal were kept after all")
    return _move(account, State.ACTIVE, "", (State.NEEDS_RECONNECT,), said=said, only=known)


def park(account: Account, error: NeedsReconnect, why: str = "") -> bool:
    """Its CRM hears us no more: until the owner signs in again, or until a person resumes it.

    ``why`` is told where it says more than the error's own message. Whoever met the stop sign before a person
    took it down is not heard: where the block stands, the next request says so.
    """
    if not isinstance(error, Stopped):
        return needs_reconnect(account, why or error.message)
    known = {"state_since": account.state_since}
    return _move(account, State.PAUSED, why or error.message, (State.ACTIVE,), only=known)


def pause_after(error: ConnectorError, *, silent: timedelta, refused: timedelta) -> timedelta:
    """Until the account's CRM is asked again for what ended in this error."""
    if isinstance(error, NeedsReconnect):
        return ONCE_BACK
    return silent if isinstance(error, TryLater) else refused


def pause(account: Account, reason: str, actor: Actor = SERVICE) -> bool:
    """Stop sending for an active account until a person resumes it."""
    return _move(account, State.PAUSED, reason, (State.ACTIVE,), actor)


def resume(account: Account, actor: Actor = SERVICE) -> bool:
    """Send again for a paused account, and take down the stop sign that its CRM may have put up."""
    moved = _move(account, State.ACTIVE, "", (State.PAUSED,), actor)
    if not account.deleted:
        rate_limiter_for(account.crm, account.remote_id or account.host).resume()
    return moved


def disconnect(
    account: Account, reason: str = "", actor: Actor = SERVICE, only: Mapping[str, Any] | None = None
) -> bool:
    """Soft-delete the account and erase its secrets; all else stays, and is there when it comes back.

    Its CRM is told soon after to post no more notices (``hooks.unsubscribe_due``). ``only``: columns that
    must still be so, for whoever judges by what the account was a moment ago.
    """
    with transaction.atomic():
        one_at_a_time(account.account_id, account.crm)
        if only and not Account.objects.filter(pk=account.pk, **only).exists():
            return False
        _keep_for_unsubscribing(account)
        Token.objects.filter(account_id=account.pk).delete()
        Hook.objects.filter(account_id=account.pk).delete()
        return _move(account, State.DISCONNECTED, reason, LIVE, actor, deleted=True)


def one_at_a_time(owner: str, kind: str) -> None:
    """Whoever connects or disconnects this CRM for this quiz account waits until our transaction ends.

    Locks of rows can't see to it: an account that is being connected may have neither row nor token yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"connect:{kind}:{owner}"])


def _keep_for_unsubscribing(account: Account) -> None:
    """Nothing is kept where nothing was subscribed, or where the CRM refuses our tokens."""
    try:
        token = Token.objects.select_for_update().filter(account_id=account.pk).first()
        hook = Hook.objects.filter(account_id=account.pk, asked_at__isnull=False).first()
    except WrongKey:
        log.warning("notices stay subscribed, our keys don't open their secrets", account=account.pk)
        return
    if token and hook and account.state != State.NEEDS_RECONNECT:
        now = db_clock.now()
        Unsubscription.objects.create(
            account=account, url=hook.url, access=token.access, ask_at=now, created_at=now
        )
        transaction.on_commit(partial(task_queue.ask, "accounts.tasks.unsubscribe_due"))


def expect_notices(account: Account) -> None:
    """The account has an address for its CRM's notices, which is due to be told there if it is new."""
    new = Hook(account=account, secret=secrets.token_urlsafe(32), ask_at=db_clock.now())
    Hook.objects.bulk_create([new], ignore_conflicts=True)


def _move(
    account: Account,
    to: State,
    reason: str,
    allowed: Iterable[State],
    actor: Actor = SERVICE,
    *,
    said: str = "",
    only: dict[str, Any] | None = None,
    **more: Any,
) -> bool:
    """``reason`` stays with the account while it is in this state; history has it, or what is ``said``."""
    changes = {"state": to, "state_reason": reason, "state_since": db_clock.now(), **more}
    rows = Account.objects.filter(
        pk=account.pk, state__in=list(allowed), **{"deleted": False, **(only or {})}
    )
    with transaction.atomic():
        before = rows.select_for_update().values_list("state", flat=True).first()
        if before is None:
            return False
        Account.objects.filter(pk=account.pk).update(**changes)
        rested: dict[str, Any] = {"failures": 0, "rests_until": None} if to == State.ACTIVE else {}
        Lane.objects.filter(pk=account.pk).update(review_at=db_clock.now(), **rested)
        if to == State.ACTIVE and connector_class(account.crm).can.hooks:
            expect_notices(account)
        history.note(account, before, to, said or reason, actor)
        tell_move(account, before, to)
    for name, value in changes.items():
        setattr(account, name, value)
    log.info(
        "account changed its state", account=account.pk, crm=account.crm, became=to, before=before, why=reason
    )
    return True
