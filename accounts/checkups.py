"""Asking the CRMs of accounts whether we have the rights we need: soon after connecting, and daily."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.db.models import F, Q

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.connected import NONSENSE
from accounts.models import Account, Checkup, live_accounts
from accounts.secrets import WrongKey
from connectors.errors import ConnectorError, NeedsReconnect, TryLater
from connectors.messages import joined, message

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
SECONDS_A_ROUND = 25
AGAIN = timedelta(days=1)
SILENT_PAUSE = timedelta(minutes=30)
LEASE = timedelta(minutes=5)


def ask_due() -> int:
    """Ask the CRMs of active accounts that are due, or were connected since; how many answered."""
    now = db_clock.now()
    due = Q(checkup=None) | Q(checkup__ask_at__lte=now) | Q(checkup__asked_at__lt=F("connected_at"))
    rows = live_accounts(state=Account.State.ACTIVE).filter(due).order_by("pk")
    until, answered = time.monotonic() + SECONDS_A_ROUND, 0
    for account in rows[:AT_ONCE]:
        if time.monotonic() > until:  # a CRM that hangs must not keep a thread for ever
            break
        answered += ask(account)
    return answered


def ask(account: Account) -> bool:
    """Ask one account's CRM, and keep what it says; False where it could not be asked."""
    now = db_clock.now()
    Checkup.objects.update_or_create(account=account, defaults={"ask_at": now + LEASE})
    row = Checkup.objects.filter(account=account)
    try:
        found = connector_for(account).check()
    except ConnectorError as error:
        log.warning("the account was not checked", account=account.pk, crm=account.crm, code=error.code)
        if isinstance(error, NeedsReconnect):
            states.park(account, error)
        pause = SILENT_PAUSE if isinstance(error, TryLater) else AGAIN
        row.update(ask_at=now + pause, asked_at=now, error=joined(" ", error.message, error.remedy))
        return False
    except (WrongKey, *NONSENSE) as exc:
        log.exception("the account was not checked", account=account.pk, crm=account.crm)
        words = message(
            "{crm} answered something unexpected ({name})",
            crm=account.get_crm_display(),
            name=type(exc).__name__,
        )
        row.update(ask_at=now + AGAIN, asked_at=now, error=words)
        return False
    problems = [{"code": one.code, "message": one.message} for one in found]
    row.update(ask_at=now + AGAIN, asked_at=now, problems=problems, error="")
    return True
