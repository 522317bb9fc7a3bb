"""When a CRM's contacts are to be walked: where that costs less than to search for each person.

A walk asks for 250 contacts at a time, a search for one person. So it pays where a week's leads are more than
a 250th of the contacts, or where many wait; small accounts' contacts are never walked.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import connection

from accounts import db_clock
from accounts.models import Account
from connectors.base import Connector
from connectors.errors import ConnectorError
from crm_cache import directory, walks
from crm_cache.models import ContactDirectory
from rules.models import Delivery

log = structlog.stdlib.get_logger(__name__)
WEEK = timedelta(days=7)
FEWEST = 100  # a week's leads from which the question is asked
MOST = 4000  # ... that are counted: they pay for a million contacts
PAGE = 250  # contacts that a walk reads at a time
BACKLOG = 500
ASK_AGAIN = timedelta(hours=6)
AFTER_A_REFUSAL = timedelta(days=30)


def consider(account: Account, connector: Connector) -> None:
    """Have the contacts walked if that pays by now. Asked whenever a lane is taken, so it costs little."""
    if not (connector.can.directory and directory.is_allowed(account)):
        return
    row = directory.status_of(account)
    if row and (row.wanted or _was_refused(row)):
        return
    if _waiting(account) >= BACKLOG or (_is_asked(account, row) and _pays(account, connector)):
        directory.begin(account)
        walks.start(account)


def _was_refused(row: ContactDirectory) -> bool:
    return bool(row.error and row.considered_at and row.considered_at > db_clock.now() - AFTER_A_REFUSAL)


def _is_asked(account: Account, row: ContactDirectory | None) -> bool:
    """Once in a while, by one of those who ask."""
    if row and row.considered_at and row.considered_at > db_clock.now() - ASK_AGAIN:
        return False
    directory.note_considered(account)
    return True


def _pays(account: Account, connector: Connector) -> bool:
    newest = Delivery.objects.filter(account=account).order_by("-pk").values_list("created_at", flat=True)
    leads = sum(at > db_clock.now() - WEEK for at in newest[:MOST])
    if leads < FEWEST:
        return False
    connection.close()  # the CRM may take its time
    try:
        return not connector.has_more_contacts_than(leads * PAGE)
    except ConnectorError as error:  # the leads will meet it, too
        log.info("contacts were not counted", account=account.pk, code=error.code)
        return False


def _waiting(account: Account) -> int:
    due = Delivery.objects.filter(account=account, state=Delivery.State.WAITING, due_at__lte=db_clock.now())
    return due.values("pk")[:BACKLOG].count()
