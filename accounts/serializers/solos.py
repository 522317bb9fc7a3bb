"""solOS's accounts on the wire, after Bitrix24's pattern; the pair of keys goes in and never comes out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Int64
from accounts.rest.views import rfc3339

State = Account.State


def key(help_text: str) -> serializers.CharField:
    return serializers.CharField(max_length=1000, write_only=True, help_text=help_text)


class ConnectSolos(serializers.Serializer):
    base_url = serializers.CharField(
        max_length=300, help_text="address of the customer's solOS, such as https://example.solos.pro"
    )
    token = key("the token from the settings of solOS; it is never shown again")
    secret = key("the secret that belongs to the token; it is never shown again")


class SolosAccount(serializers.Serializer):
    """A solOS account."""

    id = Int64(help_text="account id in this service, primary key")
    accountID = serializers.CharField(help_text="account id on our side, the id from the token")
    solosID = serializers.CharField(
        help_text="the host of this solOS, which is all that tells it from others"
    )
    readsProjects = serializers.BooleanField(
        help_text="projects can be read; without it leads are delivered, lists stay as staff write them"
    )
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")
    subdomain = serializers.CharField(help_text="subdomain, the whole host of an address of one's own")
    stale = serializers.BooleanField(help_text="the keys no longer work: connect again with new ones")


REQUEST, RESPONSE, TAG = ConnectSolos, SolosAccount, "Account"
PORTAL = "base_url"
OPERATIONS = {"connect": "ConnectSolosAccount", "show": "GetSolosAccount", "remove": "DeleteSolosAccount"}


def write(account: Account) -> dict[str, Any]:
    """Nothing is ever missing or null (D11)."""
    return {
        "id": account.pk,
        "accountID": account.account_id,
        "solosID": account.remote_id,
        "readsProjects": account.facts.get("api") == "v2",
        "deleted": account.deleted,
        "createdAt": rfc3339(account.created_at),
        "subdomain": account.subdomain,
        "stale": account.state in (State.CONNECTING, State.NEEDS_RECONNECT),
    }
