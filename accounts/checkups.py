"""Asking the CRMs of accounts whether we have the rights we need: soon after connecting, and daily."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F, Q

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.connected import NONSENSE, nonsense
from accounts.models import Account, Checkup, first_in_turn, live_accounts
from accounts.secrets import WrongKey
from accounts.worker_threads import in_time
from connectors.errors import ConnectorError, NeedsReconnect
from connectors.messages import joined

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
LOOKED_AT = 2000  # accounts of a round, in turns, for those that nobody has marked
SECONDS_A_ROUND = 25
AGAIN = timedelta(days=1)
SILENT_PAUSE = timedelta(minutes=30)
LEASE = timedelta(minutes=5)


def ask_due() -> int:
    """Ask the CRMs of active accounts that are due, or were connected since; how many answered.

    What is due is found by index, an account that was connected is marked then (``accounts.states``); should
    that have been missed, some accounts are looked at each minute.
    """
    now, active = db_clock.now(), live_accounts(state=Account.State.ACTIVE)
    due = active.filter(checkup__ask_at__lte=now).order_by("checkup__ask_at")
    first = first_in_turn(LOOKED_AT)
    unasked = Q(checkup=None) | Q(checkup__asked_at__lt=F("connected_at"))
    missed = active.filter(unasked, pk__gte=first, pk__lt=first + LOOKED_AT).order_by("pk")
    rows = {account.pk: account for account in (*due[:AT_ONCE], *missed[:AT_ONCE])}
    return sum(ask(account) for account in in_time(list(rows.values())[:AT_ONCE], SECONDS_A_ROUND))


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
        pause = states.pause_after(error, silent=SILENT_PAUSE, refused=AGAIN)
        row.update(ask_at=now + pause, asked_at=now, error=joined(" ", error.message, error.remedy))
        return False
    except (WrongKey, *NONSENSE) as exc:
        log.exception("the account was not checked", account=account.pk, crm=account.crm)
        row.update(ask_at=now + AGAIN, asked_at=now, error=nonsense(account, exc))
        return False
    problems = [{"code": one.code, "message": one.message} for one in found]
    row.update(ask_at=now + AGAIN, asked_at=now, problems=problems, error="")
    return True
