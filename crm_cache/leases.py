"""Leases on work in a CRM's account: taken and let go by single statements, over when their time runs out.

Quiz accounts that are connected to the same account of a CRM have lanes of their own, so that a lane's lease
can't keep them apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import connection

from accounts import db_clock
from accounts.models import Account
from crm_cache.models import Lease


def take(account: Account, wanted: Mapping[str, str], length: timedelta) -> frozenset[str]:
    """Which of the keys of ``{key: holder}`` are their holders' now. Whoever holds a key prolongs it so."""
    if not wanted:
        return frozenset()
    now = db_clock.now()
    keys = sorted(wanted)  # one order everywhere: two that want the same keys never wait in a ring
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE, [account.crm, account.remote_id, now + length, keys, [wanted[key] for key in keys], now]
        )
        return frozenset(key for (key,) in cursor.fetchall())


TAKE = """
INSERT INTO crm_cache_lease AS mine (crm, crm_account, key, holder, until)
SELECT %s, %s, t.key, t.holder, %s FROM unnest(%s::text[], %s::text[]) AS t(key, holder)
ON CONFLICT (crm, crm_account, key) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
WHERE mine.until < %s OR mine.holder = EXCLUDED.holder
RETURNING key
"""


def let_go(holders: Collection[str]) -> None:
    """Whatever these holders have is free."""
    if holders:
        Lease.objects.filter(holder__in=list(holders)).delete()


def drop_old() -> None:
    """Leases whose holders died."""
    Lease.objects.filter(until__lt=db_clock.now() - timedelta(hours=1)).delete()
