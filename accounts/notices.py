"""What CRMs tell of installations: notices that their servers post, and that we were removed (D22).

A posted notice is proven by a secret. That comes with the first one, which nothing proves but the tokens
beside it: they must work, and be those of the account that the notice names.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta

import structlog
from django.db.models import F, Value
from django.db.models.functions import Least

from accounts import db_clock, states
from accounts.access import connector_at, connector_for
from accounts.connected import Held
from accounts.crm_settings import label_of, sign_in_for
from accounts.history import CRM
from accounts.models import Account, InstallKey, Token, live_accounts
from connectors.base import Notice
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, Stopped
from connectors.messages import message

log = structlog.stdlib.get_logger(__name__)
LOOK_AGAIN = timedelta(minutes=2)


def take(kind: str, form: Mapping[str, str]) -> None:
    """Act on a notice; one of another kind is passed over.

    Raises ``BadCallback`` for one that isn't proven, also where the CRM can't be asked just now: then a
    removal shows later, when our tokens are refused.
    """
    notice = sign_in_for(kind).read_notice(form)
    if notice is None:
        return
    if notice.removed:
        _removed(kind, notice)
    else:
        _installed(kind, notice)


def _installed(kind: str, notice: Notice) -> None:
    if not _has_good_tokens(kind, notice):
        raise BadCallback("The notice is not proven")
    key, made = InstallKey.objects.update_or_create(
        crm=kind, remote_id=notice.remote_id, defaults={"secret": notice.secret}
    )
    log.info("install key kept", crm=kind, remote=key.remote_id, renewed=not made)


def _removed(kind: str, notice: Notice) -> None:
    key = InstallKey.objects.filter(crm=kind, remote_id=notice.remote_id).first()
    if key is None or not hmac.compare_digest(key.secret.encode(), notice.secret.encode()):
        raise BadCallback("The notice is not proven")
    forget(kind, notice.remote_id)


def _has_good_tokens(kind: str, notice: Notice) -> bool:
    """The CRM itself says whose the tokens are; what the notice says of that counts for nothing."""
    if notice.grant is None:
        return False
    try:
        identity = connector_at(
            kind, notice.grant.host, Held(notice.grant.tokens), facts=notice.grant.facts
        ).identify()
    except ConnectorError as exc:
        log.warning("the notice is not proven", crm=kind, remote=notice.remote_id, code=exc.code)
        return False
    return identity.remote_id == notice.remote_id


# -- removals ------------------------------------------------------------------------------------------------


def uninstall(kind: str, query: Mapping[str, str]) -> None:
    """Disconnect whatever is tied to the removed CRM account. Raises ``BadCallback`` for a false notice."""
    remote_id = sign_in_for(kind).read_uninstall(query)
    if not remote_id:
        raise BadCallback("The notice names no account")
    forget(kind, remote_id)


def forget(kind: str, remote_id: str) -> None:
    """Disconnect what is tied to a CRM account from which a genuine notice says that we were removed.

    Such notices have no date, so an old one could be sent again after a new install: it only counts where
    the CRM does refuse our tokens, and not for an account that is being connected again, or was meanwhile.
    """
    for account in live_accounts(crm=kind, remote_id=remote_id).exclude(state=Account.State.CONNECTING):
        if _is_refused(account):
            words, seen = (
                message("The integration was removed in {crm}", crm=label_of(kind)),
                account.connected_at,
            )
            states.disconnect(account, words, CRM, only={"connected_at": seen})
        else:
            _look_again(account)


def _is_refused(account: Account) -> bool:
    try:
        connector_for(account).identify()
    except Stopped:
        return False
    except NeedsReconnect:
        return True
    except ConnectorError as exc:
        log.warning("the notice of removal can't be verified", account=account.pk, code=exc.code)
    return False


def _look_again(account: Account) -> None:
    """The tokens work (or nobody answers): bring their renewal forward, which will tell."""
    log.warning(
        "the notice of removal is not confirmed, nothing changed", account=account.pk, crm=account.crm
    )
    soon = db_clock.now() + LOOK_AGAIN
    rows = Token.objects.filter(account_id=account.pk, refresh_at__isnull=False)
    rows.update(refresh_at=Least(F("refresh_at"), Value(soon)))
