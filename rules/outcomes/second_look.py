"""A second look at leads that ever were unclear: is one there twice?

A worker may be frozen after its last look at its lease and before the first byte of a request; it sends when
it wakes, and another one has sent the same lead meanwhile. No CRM refuses the second of them. So some minutes
after such a lead has arrived the CRM is asked for all that carry its external id. What is found is told on
the delivery; nothing is merged by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection
from django.db.models import QuerySet

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.counters import counters
from accounts.models import Account, live_accounts
from connectors.base import Connector
from connectors.errors import ConnectorError, NeedsReconnect
from connectors.messages import message
from rules.delivery.concurrency import looks
from rules.delivery.queueing import ask_to_look_again
from rules.models import Delivery

log = structlog.stdlib.get_logger(__name__)
ACCOUNTS, AT_ONCE = 500, 20  # accounts of a round; leads of one look
LATER = timedelta(hours=1)
DOUBLED = "doubled"
REMEDY = message("Look at them in the CRM and keep one of them: nothing is merged by itself.")


def look_again_due() -> None:
    """Queue a look for every account with something to look at."""
    active = live_accounts(state=Account.State.ACTIVE)
    due = _due().filter(account__in=active).order_by().values_list("account_id", flat=True)
    for account_id in due.distinct()[:ACCOUNTS]:
        ask_to_look_again(account_id)


def look_again(account_id: int) -> int:
    """Look at what is due of an account; how many deliveries are doubled. Never raises for what the CRM does.

    None where others have their turn: beat asks again.
    """
    with looks.take() as ours:
        account = live_accounts(pk=account_id, state=Account.State.ACTIVE).first() if ours else None
        rows = list(_due().filter(account=account_id).order_by("look_again_at")[:AT_ONCE]) if account else []
        return _look(account, rows) if account and rows else 0


def _due() -> QuerySet[Delivery]:
    return Delivery.objects.filter(look_again_at__lte=db_clock.now(), state=Delivery.State.DELIVERED)


def _look(account: Account, rows: Sequence[Delivery]) -> int:
    try:
        found = _found(connector_for(account), rows)
    except Exception as error:
        if isinstance(error, NeedsReconnect):
            states.park(account, error)
        if isinstance(error, ConnectorError):
            log.warning("the second look waits", account=account.pk, code=error.code)
        else:
            log.exception("the second look broke", account=account.pk)
        mine = Delivery.objects.filter(pk__in=[row.pk for row in rows])
        mine.update(look_again_at=db_clock.now() + LATER)
        return 0
    return sum(_tell(row, found.get(row.uid, ())) for row in rows)


def _found(connector: Connector, rows: Sequence[Delivery]) -> Mapping[str, Sequence[str]]:
    """Where the CRM can't be asked, nothing: what late workers told of their leads is known all the same."""
    if not connector.can.find_by_external_id:
        return {}
    connection.close()  # the CRM may think for a while
    return connector.find_all([row.uid for row in rows])


def _tell(row: Delivery, leads: Iterable[str]) -> bool:
    """Is the lead there more than once? Told on the delivery, unless that was moved meanwhile."""
    there = dict.fromkeys([row.remote_id, *leads, *row.also_made])
    others = [lead for lead in there if lead and lead != row.remote_id]
    changes: dict[str, Any] = {"look_again_at": None}
    if others:
        words = message("The CRM has this lead more than once: {leads}", leads=", ".join(filter(None, there)))
        changes |= {"error_code": DOUBLED, "error": words, "remedy": REMEDY, "also_made": others}
        counters.count("doubles_found", crm=row.account.crm)
        log.warning("a lead is doubled", delivery=row.pk, account=row.account_id, leads=list(there))
    known = {"look_again_at": row.look_again_at, "state": row.state}
    return bool(Delivery.objects.filter(pk=row.pk, **known).update(**changes) and others)
