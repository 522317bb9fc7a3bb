"""Connecting an account of a CRM that is opened by keys: they are tried before they are stored."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from django.db import transaction

from accounts import history
from accounts.access import connector_at
from accounts.connected import NONSENSE, AnotherAccount, Held, lock_live, prepare, store
from accounts.crm_settings import label_of, portal_host
from accounts.history import OWNER, Actor
from accounts.models import Account
from accounts.rest.errors import ApiError, Conflict
from connectors.auth import Tokens
from connectors.base import Grant, Identity
from connectors.errors import ConnectorError, NeedsReconnect, OurMistake
from connectors.hosts import HostNotAllowed
from connectors.messages import joined, message, sentences
from connectors.registry import connector_class

log = structlog.stdlib.get_logger(__name__)
ADDRESS = "base_url"  # the field that an error is about, unless it is a credential


def connect_by_key(
    account_id: str, kind: str, base_url: str, credentials: Mapping[str, str], actor: Actor = OWNER
) -> Account:
    """The account that these credentials open, connected: active, its sync under way.

    ``credentials`` by the names of ``can.credentials``. Nothing is stored before the CRM has said whose they
    are; new ones for the same CRM account replace the old. Raises ``ApiError`` naming the field, a credential
    or ``base_url``: 400, or 409 while another CRM account is connected.
    """
    names = connector_class(kind).can.credentials
    if not names:
        raise ApiError(_bad(message("{crm} is not connected by a key", crm=label_of(kind))), code="no_keys")
    host, pair = _host(kind, base_url), _pair(names, credentials)
    identity = _tried(kind, host, pair, names)
    try:
        with transaction.atomic():
            live = lock_live(account_id, kind)
            account = store(
                account_id, kind, live, Grant(pair, host), identity, message("Its keys were given"), actor
            )
    except AnotherAccount as exc:
        history.note_refused(exc.connected, str(exc), actor)
        raise _conflict(exc) from exc
    log.info("account connected", account=account.pk, crm=kind)
    prepare(account)
    return account


def _conflict(exc: AnotherAccount) -> ApiError:
    return Conflict(
        joined(
            ": ",
            "Conflict",
            ADDRESS,
            message(
                "these keys open “{chosen}”, but “{connected}” is connected. Nothing was changed; to use"
                " “{chosen}” instead, disconnect the connected one first.",
                chosen=exc.chosen_name,
                connected=exc.connected_name,
            ),
        ),
        code="another_account",
        field=ADDRESS,
    )


def _host(kind: str, base_url: str) -> str:
    try:
        return portal_host(kind, base_url)
    except HostNotAllowed as exc:
        raise ApiError(_bad(ADDRESS, str(exc)), code="host_not_allowed", field=ADDRESS) from exc


def _pair(names: tuple[str, ...], credentials: Mapping[str, str]) -> Tokens:
    """The first is kept as ``access``, the second, where there is one, as ``refresh``."""
    given = {name: str(credentials.get(name) or "").strip() for name in names}
    for name, secret in given.items():
        if not secret or not secret.isascii() or not secret.isprintable():
            raise ApiError(_bad(name, message("it is missing or no key")), code="bad_key", field=name)
    access, refresh, *_ = (*given.values(), "")
    return Tokens(access, refresh)


def _tried(kind: str, host: str, pair: Tokens, names: tuple[str, ...]) -> Identity:
    """Whose they are, in the CRM's words."""
    crm, keys = label_of(kind), " and ".join(names)
    try:
        return connector_at(kind, host, Held(pair)).identify()
    except NeedsReconnect as exc:
        words = _bad(keys, joined(" ", sentences(exc.message), exc.remedy))
        raise ApiError(words, code="credentials_refused", field=names[0]) from exc
    except OurMistake as exc:
        log.error("the CRM refuses our settings", crm=kind, code=exc.code, error=exc.message)
        raise ApiError(
            _bad(message("{crm} can't be connected just now", crm=crm)), code="ours", field=ADDRESS
        ) from exc
    except ConnectorError as exc:
        words = _bad(
            ADDRESS,
            message("{crm} does not answer there ({said}); nothing was stored", crm=crm, said=exc.message),
        )
        raise ApiError(words, code="no_answer", field=ADDRESS) from exc
    except NONSENSE as exc:
        log.exception("the CRM answered something unexpected", crm=kind)
        raise ApiError(
            _bad(ADDRESS, message("this does not answer as {crm}", crm=crm)), code="no_answer", field=ADDRESS
        ) from exc


def _bad(*parts: str) -> str:
    """What a program reads; a person reads the last part."""
    return joined(": ", "Bad Request", *parts)
