"""What Bitrix24's contract says about accounts: names, order, types (D18, D19, D32, D33)."""

from __future__ import annotations

from functools import partial

from rest_framework import serializers

from accounts.rest.schema import Int64
from accounts.serializers.dialect import AccountDialect, written


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
    write=partial(written, id_name="bitrixID"),
)
