"""A CRM's notices about an installation, posted by its servers and provable by a secret alone.

The secret comes with the first notice, which nothing proves but the tokens beside it: they must work, and
be those of the account that the notice names. Every later notice must know the secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import structlog

from accounts.access import connector_at
from accounts.connected import Held
from accounts.crm_settings import sign_in_for
from accounts.models import InstallKey
from accounts.uninstall import forget
from connectors.base import Notice
from connectors.errors import BadCallback, ConnectorError

log = structlog.stdlib.get_logger(__name__)


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
