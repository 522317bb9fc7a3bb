"""When accounts are reconciled: at night by the clock of their people, each at a minute of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zlib import crc32

from django.conf import settings

from accounts import db_clock
from accounts.models import Account, live_accounts
from rules.mapping.rule_snapshot import zone_of
from rules.outcomes.reconciling import ask_to_reconcile, begin

FIRST_HOUR, HOURS = 1, 4  # the night begins at 01:00, the last account at 05:00
LATE = timedelta(hours=3)  # where beat was away at night, the next night is soon enough
ACCOUNTS = 500  # of a round


def next_night(account: Account, now: datetime) -> datetime:
    """The next moment at which this account begins; accounts are spread over the night by their keys."""
    here = now.astimezone(zone_of(account))
    spread = timedelta(seconds=crc32(str(account.pk).encode()) % (HOURS * 3600))
    tonight = here.replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0) + spread
    return (tonight if tonight > here else tonight + timedelta(days=1)).astimezone(UTC)


def begin_due() -> int:
    """Begin with accounts whose hour has come, and give those an hour that have none; how many were begun."""
    if not settings.RECONCILE_NIGHTLY:
        return 0
    now, begun = db_clock.now(), 0
    switched_on = live_accounts(state=Account.State.ACTIVE, reconcile=True)
    for account in switched_on.filter(reconcile_at=None)[:ACCOUNTS]:
        _plan(account, now)
    for account in switched_on.filter(reconcile_at__lte=now).order_by("reconcile_at")[:ACCOUNTS]:
        late = account.reconcile_at is None or account.reconcile_at < now - LATE
        if _plan(account, now) and not late and (run := begin(account)):
            ask_to_reconcile(run.pk)
            begun += 1
    return begun


def _plan(account: Account, now: datetime) -> bool:
    """False where somebody else has."""
    mine = Account.objects.filter(pk=account.pk, reconcile_at=account.reconcile_at)
    return bool(mine.update(reconcile_at=next_night(account, now)))
