"""What beat does for accounts: renew tokens ahead of their expiry, tidy connections nobody finished."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog

from accounts import db_clock, pausing, states
from accounts.crm_settings import oauth_kinds
from accounts.models import Account, ConnectAttempt, Token
from accounts.tokens import rotate
from connectors.errors import ConnectorError, OurMistake, TryLater
from connectors.messages import message

log = structlog.stdlib.get_logger(__name__)

CHUNK = 500
SECONDS_A_ROUND = 25
SILENCE_IN_A_ROW = 3
AFTER_A_BUG = timedelta(minutes=10)
UNFINISHED = timedelta(days=1)
FORGET = timedelta(days=90)
KEPT_ALIVE = (Account.State.ACTIVE, Account.State.PAUSED)


def refresh_due() -> int:
    """Renew what is due, every CRM and every account on its own; how many were renewed.

    A CRM gets a slice of the round, and less of it once it is silent: what is left stays due.
    """
    return sum(_refresh_kind(kind) for kind in oauth_kinds() if not pausing.why(kind))


def _refresh_kind(kind: str) -> int:
    until, silent, renewed = time.monotonic() + SECONDS_A_ROUND, 0, 0
    for account_pk in _due(kind):
        try:
            renewed += _refresh(account_pk)
            silent = 0
        except TryLater as exc:
            silent += exc.code != "locked"
        except OurMistake:
            if pausing.why(kind):
                break
        if silent >= SILENCE_IN_A_ROW or time.monotonic() > until:
            break
    return renewed


def _refresh(account_pk: int) -> int:
    """1 for a renewed account, 0 for one that is lost. What others would meet too is raised."""
    try:
        rotate(account_pk, _is_due, wait=False)
    except (TryLater, OurMistake):
        raise
    except ConnectorError:
        return 0
    except Exception:
        log.exception("tokens could not be renewed", account=account_pk)
        later = db_clock.now() + AFTER_A_BUG
        Token.objects.filter(account_id=account_pk).update(refresh_at=later)
        return 0
    return 1


def _is_due(row: Token) -> bool:
    return row.refresh_at is not None and row.refresh_at <= db_clock.now()


def _due(kind: str) -> list[int]:
    rows = Token.objects.filter(
        refresh_at__lte=db_clock.now(),
        account__crm=kind,
        account__deleted=False,
        account__state__in=KEPT_ALIVE,
    )
    return list(rows.order_by("refresh_at").values_list("account_id", flat=True)[:CHUNK])


def expire_attempts() -> int:
    """Note the attempts that nobody came back from, and disconnect accounts that were not connected since."""
    now = db_clock.now()
    ConnectAttempt.objects.filter(expires_at__lt=now, used_at=None, outcome="").update(outcome="expired")
    ConnectAttempt.objects.filter(expires_at__lt=now - FORGET).delete()
    recent = ConnectAttempt.objects.filter(expires_at__gt=now - UNFINISHED).values("account_id")
    stale = Account.objects.filter(
        deleted=False, state=Account.State.CONNECTING, created_at__lt=now - UNFINISHED
    ).exclude(pk__in=recent)
    pending = {"state": Account.State.CONNECTING}
    return sum(
        states.disconnect(account, message("Nobody finished connecting it"), only=pending)
        for account in stale
    )
