"""From an account's row to a working connector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.db import models, transaction

from accounts.crm_settings import host_policy_for, options_for, rate_limiter_for
from accounts.models import Account
from accounts.tokens import AccountTokens
from connectors.auth import TokenStore
from connectors.base import Connector, Identity, Remote
from connectors.errors import OurMistake
from connectors.hosts import HostNotAllowed
from connectors.registry import connector_class


def connector_for(account: Account) -> Connector:
    """The connector of one account. Raises ``OurMistake`` where its host is none we may talk to."""
    store = AccountTokens(account.pk)
    return connector_at(account.crm, account.host, store, account.remote_id, account.facts)


def connector_at(
    kind: str, host: str, store: TokenStore, remote_id: str = "", facts: Mapping[str, Any] | None = None
) -> Connector:
    """A connector for an account that may not be stored yet."""
    cls, hosts = connector_class(kind), host_policy_for(kind)
    try:
        remote = Remote(hosts.base_url(host), remote_id, facts or {})
    except HostNotAllowed as exc:
        raise OurMistake(str(exc), code="host_not_allowed") from exc
    limiter = rate_limiter_for(kind, remote_id or host)
    return cls(remote, cls.auth_class(store), limiter, options_for(kind), hosts)


def learn(account: Account) -> None:
    """Ask the CRM who the account is and make there what deliveries rely on. Raises like any call.

    A repeat changes nothing but what changed in the CRM.
    """
    remember(account, connector_for(account).identify())
    keep_facts(account, connector_for(account).prepare())


def remember(account: Account, identity: Identity) -> None:
    """Store what the CRM says of the account and of who connected it."""
    known = ("name", "subdomain", "country", "user_id", "user_name", "user_email", "user_role", "user_group")
    told = {name: _fit(name, getattr(identity, name)) for name in known}
    told["subdomain"] = told["subdomain"] or account.subdomain
    Account.objects.filter(pk=account.pk).update(**told)
    for name, text in told.items():
        setattr(account, name, text)
    keep_facts(account, identity.facts)


def keep_facts(account: Account, facts: Mapping[str, Any]) -> None:
    """Merge ``facts`` into the account's; others may merge theirs at the same time."""
    if not facts:
        return
    with transaction.atomic():
        held = Account.objects.select_for_update().values_list("facts", flat=True).get(pk=account.pk)
        account.facts = {**held, **facts}
        Account.objects.filter(pk=account.pk).update(facts=account.facts)


def _fit(name: str, text: str) -> str:
    """A vendor's text as its column takes it."""
    column = cast("models.CharField", Account._meta.get_field(name))
    return text.replace("\x00", "")[: column.max_length]
