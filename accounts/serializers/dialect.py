"""How one CRM's account is spelled over REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.serializers import Serializer

from accounts.models import Account
from accounts.rest.values import rfc3339


def written(account: Account, id_name: str, **own: Any) -> dict[str, Any]:
    """An account after Bitrix24's pattern, its CRM's own id under ``id_name``; nothing is ever missing or
    null (D11)."""
    return {
        "id": account.pk,
        "accountID": account.account_id,
        id_name: "" if account.pending else account.remote_id,
        **own,
        "deleted": account.deleted,
        "createdAt": rfc3339(account.created_at),
        "subdomain": account.subdomain,
        "stale": account.state in (Account.State.CONNECTING, Account.State.NEEDS_RECONNECT),
    }


@dataclass(frozen=True, slots=True)
class AccountDialect:
    """``request`` is what connecting takes, ``connecting`` what it answers where a consent page follows.

    ``portal`` is the property of ``request`` that names the customer's host, empty where the consent page
    asks for it. ``operations`` are operation ids by action (connect, show, remove), ``write`` an account as
    ``response`` describes it.
    """

    request: type[Serializer[Any]]
    response: type[Serializer[Any]]
    connecting: type[Serializer[Any]]
    portal: str
    operations: Mapping[str, str]
    write: Callable[[Account], dict[str, Any]]
