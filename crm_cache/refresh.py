"""Refreshing an account's lists from its CRM: what waits, and what is due."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import DurationField, ExpressionWrapper, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Least, Random
from django.dispatch import Signal

from accounts import db_clock, states
from accounts.access import connector_for, learn
from accounts.database import give_back, patiently
from accounts.models import Account, live_accounts
from connectors.base import Connector
from connectors.errors import ConnectorError, NeedsReconnect, Refused, RuleNeedsFixing, TryLater
from connectors.messages import joined, message, sentences
from connectors.registry import connector_class
from crm_cache import contacts, leases, runs
from crm_cache.models import SyncRun
from crm_cache.sync import Walk

log = structlog.stdlib.get_logger(__name__)
lists_read = Signal()  # ``account_id``: lists of this account were walked just now

AT_ONCE = 500
FIRST_PAUSE = timedelta(minutes=1)
JITTER = 0.2
AWAY = {
    Account.State.CONNECTING: message("connecting"),
    Account.State.NEEDS_RECONNECT: message("needs reconnecting"),
    Account.State.PAUSED: message("paused"),
    Account.State.DISCONNECTED: message("disconnected"),
}


def run_waiting(account_id: int) -> None:
    """Walk every waiting list of an account, one after another; what another worker walks is left to it.

    All lists are asked for first where the account is due, as it is when it was just connected. Safe to
    call at any time and twice. Never raises for what the CRM does: the runs say what happened.
    """
    account = live_accounts(pk=account_id).first()
    if account is None:
        return runs.fail_waiting(account_id, message("The account was disconnected."))
    if not account.usable:
        return runs.explain_waiting(
            account_id,
            message(
                "Waits until the account can be used again ({state}).",
                state=AWAY.get(Account.State(account.state), ""),
            ),
        )
    _ask_due(live_accounts(pk=account_id), db_clock.now())
    walked = False
    while claim := runs.claim(account_id, connector_class(account.crm).can.lists):
        walked = True
        if not _refresh(account, claim):
            break
    if walked:
        lists_read.send_robust(sender=None, account_id=account_id)
    return None


def sync_due() -> None:
    """Ask for all lists of the accounts whose time has come, start again what was lost, and clear away."""
    now = db_clock.now()
    runs.start(sorted(runs.free_stale(now) | runs.lost(now) | _ask_due(live_accounts(), now)))
    leases.drop_old()
    contacts.forget_disconnected()


def _refresh(account: Account, claim: runs.Claim) -> bool:
    """Do one run to its end. False: nothing more can be done for this account now."""
    run = claim.run
    try:
        if claim.full:
            _learn(account)
        _walk(run, connector_for(account), connector_class(account.crm).can.observes)
    except runs.Superseded as exc:
        log.warning("list not synced", account=account.pk, list=run.what, error=exc)
    except ConnectorError as exc:
        return _settle(account, run, exc)
    except (OperationalError, InterfaceError) as exc:
        log.warning("the database went away under a sync", account=account.pk, list=run.what, error=str(exc))
        away = TryLater(message("The database was out of reach"), code="database_away")
        return patiently(partial(_settle, account, run, away))
    except Exception as exc:  # an answer that our code can't read, mostly
        log.exception("syncing the list broke", account=account.pk, list=run.what)
        words = message("The refresh broke on our side; the log of the worker has the details.")
        return _settle(account, run, TryLater(words, code=type(exc).__name__))
    return True


def _learn(account: Account) -> None:
    """Refresh what we know of the account itself. A refusal is no reason to go without the lists."""
    try:
        learn(account)
    except (Refused, RuleNeedsFixing) as exc:
        log.warning("the account's facts can't be read", account=account.pk, code=exc.code)


def _walk(run: SyncRun, connector: Connector, observes: bool) -> None:
    walk = Walk(run.account_id, run.what, observes)
    pages = _take_pages(run, walk, connector)
    if pages > 1 and walk.missing():
        # Pages are offsets: a row deleted in the CRM between two of them moves a living one out of sight.
        _take_pages(run, walk, connector)
    gone = runs.finish(run, walk)
    log.info("list synced", account=run.account_id, list=run.what, pages=pages, gone=gone)


def _take_pages(run: SyncRun, walk: Walk, connector: Connector) -> int:
    """Write page by page; a run that was taken from us meanwhile writes nothing."""
    pages = 0
    give_back()
    for page in connector.fetch(run.what):
        with transaction.atomic():
            runs.progress(run, walk.take(page, db_clock.now()))
        pages += 1
        give_back()
    return pages


def _settle(account: Account, run: SyncRun, error: ConnectorError) -> bool:
    """Say what happened and what follows. False where the other lists would meet the same fate."""
    sentence = joined(" ", sentences(error.message), error.remedy)
    refused = isinstance(error, (Refused, RuleNeedsFixing))
    runs.fail(run, sentence, refused)
    log.warning("list not synced", account=account.pk, list=run.what, code=error.code)
    if not refused:
        _try_soon(account, run, error)
    if isinstance(error, NeedsReconnect):  # soon means as soon as the account is back
        states.park(account, error, sentence)
        runs.explain_waiting(account.pk, message("Waits: {sentence}", sentence=sentence))
        return False
    if error.account_wide:
        runs.fail_waiting(account.pk, sentence, refused)
    return not error.account_wide


def _try_soon(account: Account, run: SyncRun, error: ConnectorError) -> None:
    asked = timedelta(seconds=error.after or 0)
    at = db_clock.now() + pause_after(runs.failures_in_a_row(run), asked)
    Account.objects.filter(pk=account.pk).update(next_sync_at=Least("next_sync_at", Value(at)))


def pause_after(failures: int, asked: timedelta = timedelta()) -> timedelta:
    """How long to wait after so many failures in a row: longer each time, never all accounts at once."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(failures - 1, 16), settings.SYNC_EVERY)
    return max(pause, asked) * random.uniform(1, 1 + 2 * JITTER)  # noqa: S311 - no secret


def _ask_due(accounts: QuerySet[Account], now: datetime) -> set[int]:
    """Queue all lists of those accounts that are due and set their next time, each its own."""
    due = accounts.filter(state=Account.State.ACTIVE, next_sync_at__lte=now).order_by("next_sync_at")
    with transaction.atomic():
        # Whoever is second passes by: asked again after the first walk began, lists would be walked twice.
        crms = dict(due.select_for_update(skip_locked=True).values_list("pk", "crm")[:AT_ONCE])
        wanted = [(pk, what) for pk, crm in crms.items() for what in connector_class(crm).can.lists]
        runs.queue(wanted, now)
        Account.objects.filter(pk__in=crms).update(next_sync_at=_next_time(now))
    return set(crms)


def _next_time(now: datetime) -> Combinable:
    """``SYNC_EVERY`` from now, give or take a fifth: the dice fall once for each row."""
    every = settings.SYNC_EVERY
    spread = ExpressionWrapper(Random() * Value(2 * JITTER * every), output_field=DurationField())
    return Value(now + (1 - JITTER) * every) + spread
