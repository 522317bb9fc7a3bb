"""Envybox's accounts on the wire, after Bitrix24's pattern; the key goes in and never comes out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Int64
from accounts.rest.views import rfc3339

State = Account.State


class ConnectEnvybox(serializers.Serializer):
    base_url = serializers.CharField(
        max_length=300, help_text="address of the customer's Envybox, such as https://example.envycrm.com"
    )
    api_key = serializers.CharField(
        max_length=200,
        write_only=True,
        help_text="the key from Settings - Integrations - API; it is never shown again",
    )


class EnvyboxAccount(serializers.Serializer):
    """An Envybox account."""

    id = Int64(help_text="account id in this service, primary key")
    accountID = serializers.CharField(help_text="account id on our side, the id from the token")
    envyboxID = serializers.CharField(help_text="id of the CRM in Envybox")
    name = serializers.CharField(help_text="what the CRM is called there")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")
    subdomain = serializers.CharField(help_text="subdomain, the whole host of a white-label address")
    stale = serializers.BooleanField(help_text="the key no longer works: connect again with a new one")


REQUEST, RESPONSE, TAG = ConnectEnvybox, EnvyboxAccount, "Account"
PORTAL = "base_url"
OPERATIONS = {
    "connect": "ConnectEnvyboxAccount",
    "show": "GetEnvyboxAccount",
    "remove": "DeleteEnvyboxAccount",
}


def write(account: Account) -> dict[str, Any]:
    """Nothing is ever missing or null (D11)."""
    return {
        "id": account.pk,
        "accountID": account.account_id,
        "envyboxID": account.remote_id,
        "name": account.name,
        "deleted": account.deleted,
        "createdAt": rfc3339(account.created_at),
        "subdomain": account.subdomain,
        "stale": account.state in (State.CONNECTING, State.NEEDS_RECONNECT),
    }
