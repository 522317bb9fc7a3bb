"""A connected account is stored: all or nothing, whichever way it was connected (``oauth``, ``keys``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import transaction

from accounts import states, tokens
from accounts.access import connector_for, keep_facts, remember
from accounts.kinds import subdomain_of
from accounts.models import Account, Token
from connectors.auth import Tokens
from connectors.base import Identity
from connectors.errors import ConnectorError, NeedsReconnect

log = logging.getLogger(__name__)

# An answer of a shape that nobody expected: a sentence for the person, the trace for us.
NONSENSE = (LookupError, TypeError, ValueError, AttributeError)


class Held:
    """A ``TokenStore`` for secrets that aren't stored (yet)."""

    def __init__(self, pair: Tokens) -> None:
        self.pair = pair

    def current(self) -> Tokens:
        return self.pair

    def renew(self, stale: Tokens) -> Tokens:
        raise NeedsReconnect("The CRM refuses a token that it has just given out", code="token_refused")


def store(
    account: Account, host: str, pair: Tokens, identity: Identity, facts: Mapping[str, Any] | None = None
) -> Account:
    """The same CRM account gets new secrets, another one replaces it (D17). The caller holds the transaction.

    Locks are taken in one order: token, then account. Raises ``Account.DoesNotExist`` for a deleted one.
    """
    Token.objects.select_for_update().filter(account_id=account.pk).first()
    account = Account.objects.select_for_update().get(pk=account.pk, deleted=False)
    if account.remote_id and account.remote_id != identity.remote_id:
        states.disconnect(account)
        account = Account.objects.create(account_id=account.account_id, crm=account.crm)
    point(account, host, identity.remote_id)
    remember(account, identity)
    keep_facts(account, facts or {})
    tokens.put(account, pair)
    states.activate(account)
    transaction.on_commit(lambda: _begin_work(account.pk))
    return account


def point(account: Account, host: str, remote_id: str = "") -> None:
    """Where the account lives from now on."""
    account.host, account.remote_id, account.subdomain = host, remote_id, subdomain_of(account.crm, host)
    account.save(update_fields=["host", "remote_id", "subdomain"])


def prepare(account: Account) -> None:
    """What deliveries rely on is made at once if it can be; if not, the next sync makes it."""
    try:
        keep_facts(account, connector_for(account).prepare())
    except ConnectorError as exc:
        log.warning("account=%s crm=%s prepare=%s %s", account.pk, account.crm, exc.code, exc.message)
    except NONSENSE:
        log.exception("account=%s crm=%s answered something unexpected", account.pk, account.crm)


def _begin_work(account_pk: int) -> None:
    """Lists are fetched and notices asked for; both are due in the database, so a dead broker only delays."""
    try:
        current_app.send_task("crm_cache.tasks.sync_account", [account_pk])
        current_app.send_task("accounts.tasks.subscribe", [account_pk])
    except Exception as exc:
        log.warning("account=%s work could not be queued: %s", account_pk, type(exc).__name__)
