"""What Bitrix24's contract says about accounts: names, order, types (D18, D19, D32, D33)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Int64
from accounts.rest.values import rfc3339
from accounts.serializers.dialect import AccountDialect

State = Account.State


class ConnectBitrix(serializers.Serializer):
    client_bitrix_url = serializers.CharField(
        max_length=300, help_text="URL of the customer's Bitrix24, such as https://example.bitrix24.ru"
    )
    return_url = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text="where the browser goes on to after the authorisation; one of the listed addresses",
    )


class BitrixAccount(serializers.Serializer):
    """A Bitrix24 account."""

    id = Int64(help_text="account id in this service, primary key")
    accountID = serializers.CharField(help_text="account id on our side, the id from the token")
    bitrixID = serializers.CharField(help_text="portal id (member_id); empty until the account is authorised")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")
    subdomain = serializers.CharField(help_text="subdomain of a cloud portal, the whole host of another one")
    stale = serializers.BooleanField(help_text="no usable tokens: authorise, or authorise again")


class ConnectingBitrixAccount(BitrixAccount):
    link = serializers.CharField(help_text="link for authorising in Bitrix24")


def write(account: Account) -> dict[str, Any]:
    """The account as the contract has it; nothing is ever missing or null (D11)."""
    return {
        "id": account.pk,
        "accountID": account.account_id,
        "bitrixID": "" if account.pending else account.remote_id,
        "deleted": account.deleted,
        "createdAt": rfc3339(account.created_at),
        "subdomain": account.subdomain,
        "stale": account.state in (State.CONNECTING, State.NEEDS_RECONNECT),
    }


DIALECT = AccountDialect(
    request=ConnectBitrix,
    response=BitrixAccount,
    connecting=ConnectingBitrixAccount,
    portal="client_bitrix_url",
    operations={
        "connect": "ConnectBitrixAccount",
        "show": "GetBitrixAccount",
        "remove": "DeleteBitrixAccount",
    },
    write=write,
)
