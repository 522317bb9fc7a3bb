"""A connected account is stored: all or nothing, whichever way it was connected (``oauth``, ``keys``).

A CRM account has one row for each quiz account, which is found again when it is connected again.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import QuerySet

from accounts import states, task_queue, tokens
from accounts.access import connector_for, keep_facts, remember
from accounts.crm_settings import subdomain_of
from accounts.history import Actor
from accounts.models import Account, Token, live_accounts
from connectors.auth import Tokens
from connectors.base import Grant, Identity
from connectors.errors import ConnectorError, NeedsReconnect
from connectors.messages import message

log = structlog.stdlib.get_logger(__name__)

# An answer of a shape that nobody expected: a sentence for the person, the trace for us.
NONSENSE = (LookupError, TypeError, ValueError, AttributeError)


class Held:
    """A ``TokenStore`` for secrets that aren't stored (yet)."""

    def __init__(self, pair: Tokens) -> None:
        self.pair = pair

    def current(self) -> Tokens:
        return self.pair

    def renew(self, stale: Tokens) -> Tokens:
        raise NeedsReconnect(
            message("The CRM refuses a token that it has just given out"), code="token_refused"
        )


class AnotherAccount(Exception):
    """The owner chose another CRM account than the connected one."""

    def __init__(self, connected: Account, chosen: Identity) -> None:
        self.connected = connected
        self.chosen_name = chosen.name or chosen.host or chosen.remote_id
        self.connected_name = connected.name or connected.host or connected.remote_id
        if self.chosen_name == self.connected_name:  # told apart by their addresses alone
            self.chosen_name += f", {chosen.host or chosen.remote_id}"
            self.connected_name += f", {connected.host or connected.remote_id}"
        super().__init__(
            message(
                "Another account was chosen: {chosen_name} ({remote_id})",
                chosen_name=self.chosen_name,
                remote_id=chosen.remote_id,
            )
        )


def lock_live(owner: str, kind: str) -> Account | None:
    """The account of this CRM that is connected or on its way, ours until the transaction ends."""
    states.one_at_a_time(owner, kind)
    return _locked(live_accounts(account_id=owner, crm=kind))


def store(
    owner: str, kind: str, live: Account | None, grant: Grant, identity: Identity, how: str, actor: Actor
) -> Account:
    """The row of this CRM account, active with these secrets: the one it always had, or its first.

    ``live`` is what ``lock_live`` found. Raises ``AnotherAccount`` where that is another CRM account, which
    goes on as it was.
    """
    if live and not live.pending and live.remote_id != identity.remote_id:
        raise AnotherAccount(live, identity)
    same = Account.objects.filter(account_id=owner, crm=kind, remote_id=identity.remote_id)
    own = _locked(same.exclude(remote_id=""))
    account = pending_row(owner, kind, live, own, actor)
    point(account, grant.host, identity.remote_id)
    remember(account, identity)
    keep_facts(account, grant.facts)
    tokens.put(account, grant.tokens)
    states.activate(account, how, actor)
    transaction.on_commit(lambda: _begin_work(account.pk))
    return account


def pending_row(owner: str, kind: str, live: Account | None, own: Account | None, actor: Actor) -> Account:
    """The live row that is to be connected: ``own`` where the CRM account has a row already.

    A pending row that was made for it gives way, and its attempts go on with the one that is returned; one
    that belongs to another CRM account is disconnected again. The caller has ``lock_live``.
    """
    if own is None and live and not live.remote_id:
        return live
    if own and not own.deleted:
        return own
    if live and live.remote_id:
        states.disconnect(live, message("Another account was chosen"), actor)
    account = own or Account.objects.create(account_id=owner, crm=kind)
    if live:
        live.attempts.update(account=account)
        if not live.remote_id:
            live.events.update(account=account)
            live.delete()
    if own:
        states.revive(own, actor)
    return account


def _locked(rows: QuerySet[Account]) -> Account | None:
    """The token first, then the account (``states``)."""
    list(Token.objects.select_for_update(of=("self",)).filter(account__in=rows).values_list("pk"))
    return rows.select_for_update().first()


def nonsense(account: Account, exc: Exception) -> str:
    """What to say of an answer that can't even be read (``NONSENSE``)."""
    crm, name = account.get_crm_display(), type(exc).__name__
    return message("{crm} answered something unexpected ({name})", crm=crm, name=name)


def point(account: Account, host: str, remote_id: str = "") -> None:
    """Where the account lives from now on."""
    account.host, account.remote_id, account.subdomain = host, remote_id, subdomain_of(account.crm, host)
    account.save(update_fields=["host", "remote_id", "subdomain"])


def prepare(account: Account) -> None:
    """What deliveries rely on is made at once if it can be; if not, the next sync makes it."""
    try:
        keep_facts(account, connector_for(account).prepare())
    except ConnectorError as exc:
        log.warning(
            "the account is not prepared",
            account=account.pk,
            crm=account.crm,
            code=exc.code,
            error=exc.message,
        )
    except NONSENSE:
        log.exception("the CRM answered something unexpected", account=account.pk, crm=account.crm)


def _begin_work(account_pk: int) -> None:
    """Lists are fetched and notices asked for; both are due in the database, so a dead broker only delays."""
    task_queue.ask("crm_cache.tasks.sync_account", account_pk)
    task_queue.ask("accounts.tasks.subscribe", account_pk)
