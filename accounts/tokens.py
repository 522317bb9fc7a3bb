"""Staying signed in: the stored pair of tokens, and its exchange, once per round over all processes.

The exchange is the one network call inside a transaction, on purpose: the lock holds one token row and
nothing else, and the new pair is stored before anybody can use it. What the exchange met is *returned*
through the transaction and raised behind it, so that what was written of a failure survives.

A connection to the database that breaks between the exchange and its commit would lose the new pair while the
old one is spent: the new one is then kept on a fresh connection, guarded by the old one. That an exchange was
begun is written down before it, so that even a pair that could not be kept is known to be spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from accounts import database, db_clock, pausing, states
from accounts.counters import counters
from accounts.crm_settings import host_policy_for, label_of, sign_in_for, subdomain_of
from accounts.database import given_back, patiently
from accounts.models import Account, Token
from accounts.secrets import WrongKey
from connectors.auth import Tokens
from connectors.base import Grant
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake, Stopped, TryLater
from connectors.hosts import HostNotAllowed
from connectors.messages import joined, message, minute, sentences
from connectors.registry import connector_class

log = structlog.stdlib.get_logger(__name__)

# Seconds until an exchange without an answer is repeated, with the same refresh token.
RETRY_AFTER = (60, 120, 300, 900, 1800)
SOONEST = 60
# The transaction waits for the CRM: its requests, their repeats and the look where the account has moved to.
EXCHANGE_MAY_LAST = "SET LOCAL idle_in_transaction_session_timeout = '5min'"
LATER = timedelta(hours=1)
DOUBT = message("An earlier renewal got no answer: the CRM may have counted the token as used.")
Read = TypeVar("Read")


@dataclass(slots=True)
class Round:
    """One call of ``rotate``. ``failures``: those before it; ``unended``: when an earlier exchange was begun
    whose end nobody wrote down. ``spent`` and ``grant``: the pair that this one exchanged, and for what."""

    account_id: int
    failures: int
    unended: datetime | None = None
    spent: Tokens | None = None
    grant: Grant | None = None


_unkept: dict[int, Round] = {}  # by account: pairs that this process could not write down yet


class AccountTokens:
    """The ``TokenStore`` of one account. Threads may share one.

    It is asked in a connector's own threads, between requests to the CRM: the database connection goes
    back to the pool at once, or a few slow CRMs would hold them all.
    """

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._host = ""

    def current(self) -> Tokens:
        """The stored pair. Raises ``NeedsReconnect`` where there is none."""
        rows = Token.objects.select_related("account").filter(account_id=self.account_id)
        with given_back():
            row = _open(rows.first)
        if row is None:
            raise not_connected()
        self._host = self._host or row.account.host
        return pair_of(row)

    def renew(self, stale: Tokens) -> Tokens:
        """A pair newer than ``stale``: another process's, or one exchanged now.

        Raises ``TryLater`` where the account has moved to another host: the connector in hand speaks to
        the old one, the next to be built will not.
        """
        with given_back():
            found = rotate(self.account_id, lambda row: row.access == stale.access)
            host = Account.objects.values_list("host", flat=True).get(pk=self.account_id)
        if self._host and host != self._host:
            words = message("The account has moved to {host}", host=host)
            raise TryLater(words, code="moved", after=1, account_wide=True, repeatable=False)
        return found


def rotate(account_id: int, is_stale: Callable[[Token], bool], *, wait: bool = True) -> Tokens:
    """Exchange the pair if it still is stale once the row is ours. Raises like ``SignIn.refresh``.

    Without ``wait`` a row that somebody else holds is left to them (``TryLater``). Who waited while another
    one's exchange failed shares its outcome: a queue of them would fail one after the other.
    """
    if (earlier := _unkept.get(account_id)) and isinstance(found := _keep_after_all(earlier), TryLater):
        raise found  # the stored pair is spent
    failures = Token.objects.filter(account_id=account_id).values_list("failures", flat=True).first()
    this = Round(account_id, failures or 0)
    _announce(this, is_stale, wait)
    try:
        with transaction.atomic(durable=True):
            database.run(EXCHANGE_MAY_LAST, ())
            rows = Token.objects.select_for_update(skip_locked=not wait)
            row = _open(lambda: rows.filter(account_id=account_id).first())
            outcome = _renewed(row, is_stale, this) if row else _nobody(account_id, wait)
    except (OperationalError, InterfaceError):
        if this.grant is None:
            raise
        outcome = _keep_after_all(this)
    if isinstance(outcome, ConnectorError):
        raise outcome
    return outcome


def _announce(this: Round, is_stale: Callable[[Token], bool], wait: bool) -> None:
    """Write down that an exchange is begun, for good, before it is."""
    with transaction.atomic(durable=True):
        rows = Token.objects.select_for_update(skip_locked=not wait)
        row = _open(lambda: rows.filter(account_id=this.account_id).first())
        if row is None or not is_stale(row):
            return
        this.unended = row.exchange_begun_at
        if row.refresh and this.unended is None:
            Token.objects.filter(pk=row.pk).update(exchange_begun_at=db_clock.now())


def _keep_after_all(this: Round) -> Tokens | ConnectorError:
    """The new pair, on a fresh connection: unless the stored pair is no longer the one that was exchanged.

    A database that stays away is asked again by this process's next exchange of the account.
    """
    _unkept[this.account_id] = this
    connection.close()
    try:
        found = patiently(partial(_keep, this))
    except (OperationalError, InterfaceError):
        log.error("a new pair of tokens could not be kept", account=this.account_id)
        words = message("The CRM gave new tokens, and the database is away: they are kept once it is back")
        return TryLater(words, code="pair_unkept", account_wide=True)
    _unkept.pop(this.account_id, None)
    return found


def _keep(this: Round) -> Tokens | ConnectorError:
    with transaction.atomic():
        rows = Token.objects.select_for_update().filter(account_id=this.account_id)
        row = _open(rows.first)
        if row is None:
            return not_connected()
        stored = pair_of(row)
        if this.grant is None or stored != this.spent:
            return stored
        account = Account.objects.get(pk=this.account_id)
        kept = _kept(row, account, this.grant)
        states.signed_in_after_all(account)
        return kept


def put(account: Account, tokens: Tokens) -> None:
    """Store a first or a whole new pair for an account. The caller holds the transaction."""
    Token.objects.update_or_create(
        account=account,
        defaults={
            "access": tokens.access,
            "refresh": tokens.refresh,
            "expires_at": expiry_of(tokens),
            "refresh_at": _refresh_at(account.crm, tokens),
            "refreshed_at": db_clock.now(),
            "failures": 0,
            "last_error": "",
        },
    )


def pair_of(row: Token) -> Tokens:
    """The stored pair as connectors know it."""
    return Tokens(row.access, row.refresh, row.expires_at.timestamp() if row.expires_at else 0.0)


def refresh_time(kind: str, tokens: Tokens, now: datetime) -> datetime | None:
    """When to renew: at two thirds of the life, or as often as the CRM wants; None for what never expires."""
    every = connector_class(kind).can.refresh_every
    if not tokens.refresh or not (every or tokens.expires_at):
        return None
    life = every or (tokens.expires_at - now.timestamp()) * 2 / 3
    return now + timedelta(seconds=max(life, SOONEST))


def _refresh_at(kind: str, tokens: Tokens) -> datetime | None:
    """As ``refresh_time``, by the database's clock: connectors say by this machine's when a pair expires."""
    here = timezone.now()
    found = refresh_time(kind, tokens, here)
    return found and db_clock.now() + (found - here)


def expiry_of(tokens: Tokens) -> datetime | None:
    return datetime.fromtimestamp(tokens.expires_at, UTC) if tokens.expires_at else None


def not_connected() -> NeedsReconnect:
    return NeedsReconnect(
        message("The account has no tokens"), code="no_tokens", remedy=message("Connect the account again.")
    )


def _open(read: Callable[[], Read]) -> Read:
    """A stored secret that our keys don't open is the operator's business, not the account's."""
    try:
        return read()
    except WrongKey as exc:
        log.error("tokens can't be opened", error=exc)
        raise OurMistake(str(exc), code="wrong_key") from exc


def _nobody(account_id: int, wait: bool) -> ConnectorError:
    if not wait and Token.objects.filter(account_id=account_id).only("pk").exists():
        return TryLater(message("Somebody else renews the tokens just now"), code="locked", after=1)
    return not_connected()


def _renewed(row: Token, is_stale: Callable[[Token], bool], this: Round) -> Tokens | ConnectorError:
    if not is_stale(row):
        return pair_of(row)
    account = Account.objects.get(pk=row.account_id)
    if row.failures > this.failures:
        return TryLater(row.last_error, code="no_answer", account_wide=True)
    if account.state == Account.State.NEEDS_RECONNECT:
        return _refused_before(row, account)
    if mistake := pausing.why(account.crm):
        return OurMistake(mistake, code="refresh_paused")
    found = _asked(row, account, this)
    counters.count(
        "token_refreshes", crm=account.crm, outcome="renewed" if isinstance(found, Tokens) else found.code
    )
    return found


def _asked(row: Token, account: Account, this: Round) -> Tokens | ConnectorError:
    try:
        this.spent, this.grant = pair_of(row), _exchange(row, account)
        return _kept(row, account, this.grant)
    except Stopped as exc:
        states.pause(account, _sentence(exc))
        return _postponed(row, exc, LATER)
    except NeedsReconnect as exc:
        return _refused(row, account, exc, this.unended)
    except OurMistake as exc:
        return _postponed(row, exc, pausing.FOR)
    except ConnectorError as exc:
        return _unanswered(row, exc)


def _exchange(row: Token, account: Account) -> Grant:
    if not connector_class(account.crm).can.oauth or not row.refresh:
        raise NeedsReconnect(
            message("{crm} no longer accepts the key", crm=label_of(account.crm)), code="key_refused"
        )
    try:
        host = host_policy_for(account.crm).allow(account.host)
    except HostNotAllowed as exc:
        log.error("tokens not renewed", account=account.pk, error=exc)
        raise OurMistake(str(exc), code="host_not_allowed") from exc
    try:
        return sign_in_for(account.crm).refresh(host, pair_of(row), account.facts)
    except OurMistake as exc:
        # It would meet every account of this CRM; none of them is to blame.
        pausing.start(account.crm, exc.message)
        raise


def _kept(row: Token, account: Account, grant: Grant) -> Tokens:
    new = grant.tokens
    kept = Tokens(new.access, new.refresh or row.refresh, new.expires_at)
    row.access, row.refresh, row.expires_at = kept.access, kept.refresh, expiry_of(kept)
    row.refresh_at, row.refreshed_at = _refresh_at(account.crm, kept), db_clock.now()
    row.failures, row.last_error, row.exchange_begun_at = 0, "", None
    row.save()
    _follow(account, grant)
    log.info("tokens renewed", account=account.pk, crm=account.crm)
    return kept


def _follow(account: Account, grant: Grant) -> None:
    """Keep what the exchange told of the account: a new host after a rename, new facts."""
    changes: dict[str, object] = {}
    if grant.host and grant.host != account.host:
        changes |= _move(account, grant.host)
    if grant.facts:
        held = Account.objects.select_for_update().values_list("facts", flat=True).get(pk=account.pk)
        changes["facts"] = {**held, **grant.facts}
    if changes:
        Account.objects.filter(pk=account.pk).update(**changes)


def _move(account: Account, host: str) -> dict[str, str]:
    """Nothing may be raised here: the new pair would be lost with the transaction."""
    try:
        allowed = host_policy_for(account.crm).allow(host)
    except HostNotAllowed as exc:
        log.error("account keeps its host", account=account.pk, error=exc)
        return {}
    log.info("account moved", account=account.pk, crm=account.crm, host=account.host, to=allowed)
    return {"host": allowed, "subdomain": subdomain_of(account.crm, allowed)}


def _refused(row: Token, account: Account, error: NeedsReconnect, unended: datetime | None) -> ConnectorError:
    unclear = DOUBT if row.failures else ""
    doubt = _spent(row, unended) if unended else unclear
    states.needs_reconnect(account, joined(" ", _sentence(error), doubt))
    row.refresh_at, row.last_error, row.exchange_begun_at = None, error.message, None
    row.save(update_fields=["refresh_at", "last_error", "exchange_begun_at"])
    return error


def _spent(row: Token, unended: datetime) -> str:
    """Which pair the CRM has counted as used, for all we know."""
    exchanged = minute(unended)
    if not row.refreshed_at:
        return message(
            "The tokens were exchanged on {exchanged} UTC, and the new ones could not be kept: the old ones"
            " are spent.",
            exchanged=exchanged,
        )
    return message(
        "The tokens of {since} UTC were exchanged on {exchanged} UTC, and the new ones could not be kept: the"
        " old ones are spent.",
        since=minute(row.refreshed_at),
        exchanged=exchanged,
    )


def _refused_before(row: Token, account: Account) -> NeedsReconnect:
    """The CRM has said no; only the owner can change that, asking again can't."""
    words = row.last_error or message("{crm} no longer accepts our sign-in", crm=label_of(account.crm))
    return NeedsReconnect(
        words,
        code="token_revoked",
        remedy=message("Connect {crm} again.", crm=label_of(account.crm)),
        account_wide=True,
    )


def _unanswered(row: Token, error: ConnectorError) -> ConnectorError:
    """No answer proves nothing: the same refresh token is sent again, soon."""
    wait = max(RETRY_AFTER[min(row.failures, len(RETRY_AFTER) - 1)], error.after or 0)
    row.failures += 1
    _postponed(row, error, timedelta(seconds=min(wait, LATER.total_seconds())))
    if isinstance(error, TryLater):
        return error
    return TryLater(error.message, code=error.code, account_wide=True, trace=error.trace)


def _postponed(row: Token, error: ConnectorError, pause: timedelta) -> ConnectorError:
    row.refresh_at, row.last_error = db_clock.now() + pause, error.message
    row.exchange_begun_at = None
    row.save(update_fields=["refresh_at", "last_error", "failures", "exchange_begun_at"])
    log.warning("tokens not renewed", account=row.account_id, code=error.code, error=error.message)
    return error


def _sentence(error: ConnectorError) -> str:
    return sentences(error.message, error.remedy)
