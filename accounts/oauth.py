"""Connecting an account on its CRM's consent page: the way there (``begin``) and back (``finish``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import transaction

from accounts import consent, history
from accounts.access import connector_at
from accounts.connected import NONSENSE, AnotherAccount, Held, lock_live, pending_row, point, prepare, store
from accounts.consent import ConnectError
from accounts.crm_settings import label_of, portal_host, sign_in_for
from accounts.history import OWNER, Actor
from accounts.models import Account, ConnectAttempt
from connectors.base import Callback, Grant, Identity
from connectors.errors import BadCallback, ConnectorError, OurMistake, TryLater
from connectors.hosts import HostNotAllowed
from connectors.messages import message, sentences

log = structlog.stdlib.get_logger(__name__)


def begin(
    account_id: str, kind: str, portal: str = "", return_url: str = "", actor: Actor = OWNER
) -> tuple[Account, str]:
    """The account that the consent page will connect, and the link to that page.

    A live account works on until the browser comes back; without one the account of this portal that was
    disconnected is pending again, or a new one is (D18). Raises ``HostNotAllowed`` for a portal that is none
    of the CRM's, ``ConnectError`` for a return address that isn't listed.
    """
    portal = portal_host(kind, portal) if portal else ""
    if return_url and return_url != _own_page(kind) and not _is_listed(return_url):
        raise ConnectError("return_url", label_of(kind))
    with transaction.atomic():
        account = lock_live(account_id, kind)
        if account is None or account.pending:
            account = pending_row(account_id, kind, account, _of_portal(account_id, kind, portal), actor)
            if portal and not account.remote_id:
                point(account, portal)
        state = consent.issue(account, portal, return_url)
    return account, sign_in_for(kind).authorize_url(state, portal)


def _of_portal(account_id: str, kind: str, portal: str) -> Account | None:
    """The account that was connected at this portal, pending or disconnected."""
    rows = Account.objects.filter(account_id=account_id, crm=kind, host=portal).exclude(remote_id="")
    return rows.order_by("deleted", "-state_since").first() if portal else None


def default_return_url(kind: str) -> str:
    """Where a browser goes on to when nobody says otherwise: the first listed address, else a page of ours.

    For CRMs whose contract promises a redirect; without any return address the browser is answered at once.
    """
    return settings.RETURN_URLS[0] if settings.RETURN_URLS else _own_page(kind)


def finish(query: Mapping[str, str]) -> tuple[Account, str]:
    """The connected account, and the return address of its attempt (mostly empty).

    Nothing is stored before the CRM has said, with the new tokens, whose they are. Raises ``ConnectError``.
    """
    attempt = consent.claim(query)
    try:
        account = _connect(attempt, query)
    except ConnectError as exc:
        consent.close(attempt, f"{exc.code} {exc.detail}".strip())
        exc.back = attempt.return_url
        log.info("account not connected", account=attempt.account_id, crm=attempt.account.crm, code=exc.code)
        raise
    consent.close(attempt, consent.CONNECTED)
    prepare(account)
    return account, attempt.return_url


def _connect(attempt: ConnectAttempt, query: Mapping[str, str]) -> Account:
    crm = label_of(attempt.account.crm)
    if attempt.account.deleted:
        raise ConnectError("account_gone", crm)
    with _in_words(crm, refused="denied" if query.get("error") else "refused"):
        callback = sign_in_for(attempt.account.crm).read_callback(query, attempt.portal)
    grant = _exchange(attempt, callback, crm)
    with _in_words(crm):
        identity = _identify(attempt.account.crm, grant)
    return _store(attempt, grant, identity)


def _exchange(attempt: ConnectAttempt, callback: Callback, crm: str) -> Grant:
    try:
        with _in_words(crm, unanswered="busy"):
            return sign_in_for(attempt.account.crm).exchange(callback)
    except ConnectError as exc:
        if exc.code == "busy":
            consent.release(attempt)
        raise


def _identify(kind: str, grant: Grant) -> Identity:
    """A stop sign would keep the owner out for good, and nobody resumes what waits to be connected: one
    request shows whether the CRM still blocks us, and puts the sign up again."""
    connector = connector_at(kind, grant.host, Held(grant.tokens), grant.remote_id, grant.facts)
    connector.limiter.resume()
    return connector.identify()


def _store(attempt: ConnectAttempt, grant: Grant, identity: Identity) -> Account:
    owner, kind = attempt.account.account_id, attempt.account.crm
    try:
        with transaction.atomic():
            live = lock_live(owner, kind)
            # Asked again under the lock: another consent may have moved the attempt to the account's own row.
            asked_for = ConnectAttempt.objects.values_list("account_id", flat=True).get(pk=attempt.pk)
            if live is None or live.pk != asked_for:
                raise ConnectError("account_gone", label_of(kind))
            return store(
                owner, kind, live, grant, identity, message("Its owner agreed on the consent page"), OWNER
            )
    except AnotherAccount as exc:
        history.note_refused(exc.connected, str(exc), OWNER)
        names = {"chosen": exc.chosen_name, "connected": exc.connected_name}
        raise ConnectError("another_account", label_of(kind), names=names) from exc


def _own_page(kind: str) -> str:
    """``portals.ConnectedView``."""
    return f"/connected/{kind}"


def _is_listed(url: str) -> bool:
    """A listed address, or one below it."""
    below = tuple(start for known in settings.RETURN_URLS for start in (f"{known.rstrip('/')}/", f"{known}?"))
    return url in settings.RETURN_URLS or url.startswith(below)


@contextmanager
def _in_words(crm: str, refused: str = "refused", unanswered: str = "lost") -> Iterator[None]:
    """Every way in which a CRM can fail, as a ``ConnectError``."""
    try:
        yield
    except (BadCallback, HostNotAllowed) as exc:
        raise ConnectError(refused, crm, "" if refused == "denied" else str(exc)) from exc
    except TryLater as exc:
        raise ConnectError(unanswered, crm) from exc
    except OurMistake as exc:
        log.error("the CRM refuses our settings", crm=crm, code=exc.code, error=exc.message)
        raise ConnectError("ours", crm) from exc
    except ConnectorError as exc:
        raise ConnectError("refused", crm, sentences(exc.message, exc.remedy)) from exc
    except NONSENSE as exc:
        log.exception("the CRM answered something unexpected", crm=crm)
        raise ConnectError("lost", crm) from exc
