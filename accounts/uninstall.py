"""A CRM's notice that the integration was removed there (D22)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from django.db.models import F, Value
from django.db.models.functions import Least

from accounts import db_clock, states
from accounts.access import connector_for
from accounts.crm_settings import label_of, sign_in_for
from accounts.history import CRM
from accounts.models import Account, Token, live_accounts
from connectors.errors import BadCallback, ConnectorError, NeedsReconnect, Stopped
from connectors.messages import message

log = structlog.stdlib.get_logger(__name__)
LOOK_AGAIN = timedelta(minutes=2)


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
