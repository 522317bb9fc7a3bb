"""Reading an account's contacts into its directory: walked in portions, then looked after once an hour.

A walk goes on where the last portion ended, whoever broke off: its place is kept with each page. One process
at a time walks (``leases``). A walk of a directory that is complete already, which finds what no change told
of, leaves the account's deliveries the way.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta

import structlog
from django.db import connection

from accounts import db_clock, hooks, states, task_queue
from accounts.access import connector_for
from accounts.models import Account, Lane, live_accounts
from accounts.worker_threads import worker
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake, Refused, RuleNeedsFixing, TryLater
from crm_cache import directory, leases
from crm_cache.models import ContactDirectory

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
PORTION = 60.0  # seconds of a walk, then other accounts have a turn
LEASE = timedelta(minutes=2)
LOOK_AFTER = timedelta(hours=1)  # changes are followed so often where no lead does it
WALK_AGAIN = timedelta(days=7)
OUT_OF_THE_WAY = timedelta(minutes=1)
PAUSE = timedelta(minutes=1)
LONG_PAUSE = timedelta(hours=1)


def read_due() -> None:
    """Have directories read whose time has come; what was erased for good is cleared away."""
    for account in directory.due(db_clock.now(), AT_ONCE):
        start(account)
    directory.erase_unwanted()


def start(account: Account) -> None:
    """Beat does it where the broker is away."""
    task_queue.ask("crm_cache.tasks.read_contacts", account.pk)


def read(account_id: int) -> None:
    """One portion. Safe to call at any time and twice; never raises for what the CRM does."""
    account = live_accounts(pk=account_id, state=Account.State.ACTIVE).first()
    if account is None or not directory.is_allowed(account):
        return
    rows = ContactDirectory.objects.filter(crm=account.crm, crm_account=account.remote_id, wanted=True)
    row = rows.filter(due_at__lte=db_clock.now()).first()
    if row is None:
        return
    holder = secrets.token_hex(8)
    if not leases.take(account, {"contacts": holder}, LEASE):
        return
    try:
        due = _portion(account, row, holder)
        if rows.update(due_at=due):
            hooks.want_contacts(account.crm, account.remote_id, True)
        if due <= db_clock.now():
            start(account)
    finally:
        leases.let_go([holder])


def _portion(account: Account, row: ContactDirectory, holder: str) -> datetime:
    """Walk, or follow what changed; when to come again."""
    if row.key_id not in directory.listed_keys() or row.region != account.phone_region:
        directory.begin(account)
    elif not row.walking and (row.walked_at is None or row.walked_at < db_clock.now() - WALK_AGAIN):
        if row.key_id != next(iter(directory.listed_keys())):
            directory.begin(account)  # under the key that counts from now on
        else:
            ContactDirectory.objects.filter(pk=row.pk).update(walking=True)
    row.refresh_from_db()
    if row.walking and row.complete and _is_busy(account):
        return db_clock.now() + OUT_OF_THE_WAY
    try:
        return _read(account, row, holder)
    except NeedsReconnect as error:
        states.park(account, error)
        return db_clock.now() + states.ONCE_BACK
    except (Refused, RuleNeedsFixing) as error:
        log.warning("contacts can't be walked", account=account.pk, crm=account.crm, code=error.code)
        directory.give_up(account, error.message)
    except TryLater as error:
        log.info("contacts are walked later", account=account.pk, crm=account.crm, code=error.code)
        return db_clock.now() + max(PAUSE, timedelta(seconds=error.after or 0))
    except ConnectorError as error:
        log.warning("contacts were not walked", account=account.pk, crm=account.crm, code=error.code)
        if isinstance(error, OurMistake):
            return db_clock.now() + LONG_PAUSE
        return db_clock.now() + PAUSE
    except Exception:
        log.exception("walking the contacts broke", account=account.pk, crm=account.crm)
    return db_clock.now() + LONG_PAUSE


def _read(account: Account, row: ContactDirectory, holder: str) -> datetime:
    """Raises like any call of a connector."""
    connector = connector_for(account)
    connector.use_directory(directory.directory_for(account))
    until = time.monotonic() + PORTION

    def goes_on() -> bool:
        mine = bool(leases.take(account, {"contacts": holder}, LEASE))
        connection.close()
        return row.walking and mine and time.monotonic() < until and not worker.ends.is_set()

    rows, done = ContactDirectory.objects.filter(pk=row.pk), connector.walk_contacts(goes_on)
    if done:
        rows.filter(complete=True).update(walking=False, walked_at=db_clock.now())
        log.info("contacts are walked", account=account.pk, crm=account.crm)
    elif row.walking or rows.filter(complete=False).update(walking=True):
        return db_clock.now()
    return db_clock.now() + LOOK_AFTER


def _is_busy(account: Account) -> bool:
    """Are deliveries under way to this account of the CRM?"""
    accounts = Account.objects.filter(crm=account.crm, remote_id=account.remote_id)
    return Lane.objects.filter(account__in=accounts, lease_until__gt=db_clock.now()).exists()
