"""Accounts of CRMs without a contract on the wire: after Bitrix24's pattern, out of capabilities.

An address and keys go in where the CRM is opened by keys, and never come out; where it has a consent page,
a link to it comes out.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.keys import ADDRESS
from accounts.models import Account
from accounts.rest.derived import Described, described
from accounts.rest.schema import Int64
from accounts.serializers.dialect import AccountDialect, written
from connectors.registry import options_class


def dialect_for(kind: str) -> AccountDialect:
    """How an account of this CRM is spelled."""
    crm = described(kind)
    response = _account(crm)
    return AccountDialect(
        request=_request(crm),
        response=response,
        connecting=_connecting(crm, response),
        portal=ADDRESS if _names_address(crm) else "",
        operations={
            "connect": f"Connect{crm.word}Account",
            "show": f"Get{crm.word}Account",
            "remove": f"Delete{crm.word}Account",
        },
        write=lambda account: _write(crm, account),
    )


def _names_address(crm: Described) -> bool:
    return crm.can.portal_first or bool(crm.can.credentials)


class Keys(serializers.Serializer[Any]):
    """Of bodies that have secrets: a traceback or a debugger shows none of what was sent."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _request(crm: Described) -> type[serializers.Serializer[Any]]:
    properties: dict[str, Any] = {}
    if _names_address(crm):
        suffixes = options_class(crm.kind)().host_suffixes
        such_as = f", such as https://example.{suffixes[0]}" if suffixes else ""
        properties[ADDRESS] = serializers.CharField(
            max_length=300, help_text=f"address of the customer's {crm.label}{such_as}"
        )
    for name in crm.can.credentials:
        words = name.replace("_", " ")
        properties[name] = serializers.CharField(
            max_length=crm.rest.longest_secret,
            write_only=True,
            help_text=crm.text(f"the {words}; it is never shown again", f"Connect.{name}"),
        )
    if crm.can.oauth:
        properties["return_url"] = serializers.CharField(
            max_length=500,
            required=False,
            allow_blank=True,
            help_text="where the browser goes on to after the authorisation; one of the listed addresses",
        )
    return crm.component(f"Connect{crm.word}", properties, base=Keys)


def _account(crm: Described) -> type[serializers.Serializer[Any]]:
    own: dict[str, Any] = {
        "id": Int64(help_text="account id in this service, primary key"),
        "accountID": serializers.CharField(help_text="account id on our side, the id from the token"),
        crm.id_name: serializers.CharField(
            help_text=crm.text(f"id of the account in {crm.label}", f"Account.{crm.id_name}")
        ),
    }
    for column in crm.rest.account:
        own[column] = serializers.CharField(help_text=crm.text(column, f"Account.{column}"))
    for name in crm.rest.flags:
        own[name] = serializers.BooleanField(help_text=crm.text(name, f"Account.{name}"))
    end = "no usable sign-in: connect it again"
    own |= {
        "deleted": serializers.BooleanField(help_text="soft deletion flag"),
        "createdAt": serializers.DateTimeField(help_text="when it came into our system"),
        "subdomain": serializers.CharField(
            help_text=crm.text("subdomain, the whole host of an own address", "Account.subdomain")
        ),
        "stale": serializers.BooleanField(help_text=crm.text(end, "Account.stale")),
    }
    text = crm.text(f"An account of {crm.label}.", "Account")
    return crm.component(f"{crm.word}Account", own, text)


def _connecting(
    crm: Described, account: type[serializers.Serializer[Any]]
) -> type[serializers.Serializer[Any]]:
    link = serializers.CharField(help_text=f"link for authorising in {crm.label}")
    return crm.component(f"Connecting{crm.word}Account", {"link": link}, account.__doc__ or "", account)


def _write(crm: Described, account: Account) -> dict[str, Any]:
    columns = {column: getattr(account, column) for column in crm.rest.account}
    flags = {name: read(account.facts) for name, read in crm.rest.flags.items()}
    return written(account, crm.id_name, **columns, **flags)
