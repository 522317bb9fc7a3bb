"""What amoCRM's contract says about accounts: the names are the contract's, letter by letter."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.values import number, unix


class Number(serializers.IntegerField):
    """A remote id as an integer, 0 where there is none (D11)."""

    def to_representation(self, value: Any) -> int:
        return number(value)


class Moment(serializers.IntegerField):
    """Unix seconds (D10)."""

    def to_representation(self, value: Any) -> int:
        return unix(value)


class ConnectAccountResp(serializers.Serializer):
    link = serializers.CharField(help_text="link for authorising in amoCRM")


class CurrentAccount(serializers.Serializer):
    """The whole of ``User``, and what ``GetCurrentAccountResp`` has beside it (D20)."""

    ID = serializers.IntegerField(source="pk", help_text="account id in this service, primary key")
    AccountID = serializers.CharField(source="account_id", help_text="the id from the token")
    AmocrmID = Number(source="remote_id", help_text="the amoCRM account's id")
    AmoID = Number(source="user_id", help_text="amoCRM id of the user who connected the integration")
    AmoUserID = Number(source="user_id", help_text="amoCRM id of the user who connected the integration")
    Amoiserid = Number(source="user_id", help_text="amoCRM id of the user who connected the integration")
    Name = serializers.CharField(source="name", help_text="account name in amoCRM")
    Email = serializers.CharField(source="user_email", help_text="e-mail of the user who connected")
    Role = serializers.CharField(source="user_role", help_text="role of the user who connected")
    Group = Number(source="user_group", help_text="group of the user who connected")
    Deleted = serializers.BooleanField(source="deleted", help_text="soft deletion flag")
    CreatedAt = Moment(source="created_at", help_text="timestamp of creation in our system")
    Subdomain = serializers.CharField(source="subdomain", help_text="the organisation's subdomain")
    Country = serializers.CharField(source="country", help_text="country from the account's settings")
