"""Webhook endpoints on the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from accounts.events import endpoints
from accounts.events.models import EventType
from accounts.rest.paging import cursor
from accounts.rest.writing import writer

HOURS = int(endpoints.LONGEST_OVERLAP / timedelta(hours=1))
USUAL_HOURS = int(endpoints.OVERLAP / timedelta(hours=1))


class EndpointIn(serializers.Serializer[Any]):
    """Where events are posted, and which."""

    url = serializers.CharField(max_length=500, help_text="https, and a host of the public internet.")
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices),
        required=False,
        help_text="Only these; an empty list means all.",
    )
    accountID = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Only this quiz account's; empty means all.",
    )
    enabled = serializers.BooleanField(
        required=False, help_text="false: nothing is posted, and nothing is missed once it is true again."
    )

    def validate_url(self, url: str) -> str:
        try:
            endpoints.check_url(url)
        except ValueError as exc:
            raise serializers.ValidationError(str(exc.args[0])) from exc
        return url


class EndpointOut(EndpointIn):
    """An endpoint and how it is."""

    id = serializers.IntegerField(help_text="For its own path.")
    next = serializers.CharField(help_text="The cursor of the feed behind which it goes on.")
    putAside = serializers.IntegerField(help_text="Events that it did not take, and that are tried again.")
    lastSuccessAt = serializers.DateTimeField(allow_null=True, help_text="When it last took an event.")
    failingSince = serializers.DateTimeField(allow_null=True, help_text="Since when it takes none.")
    nextTryAt = serializers.DateTimeField(allow_null=True, help_text="null: with the next event.")
    disabledAt = serializers.DateTimeField(
        allow_null=True, help_text="When we gave up on it; `enabled: true` begins again where it stood."
    )
    lastError = serializers.CharField(help_text="What its server said last, if it was no success.")
    formerSecretUntil = serializers.DateTimeField(
        allow_null=True, help_text="Until then the former secret signs, too."
    )
    createdAt = serializers.DateTimeField(help_text="Events from then on are posted.")
    updatedAt = serializers.DateTimeField(help_text="When somebody last changed it.")


class EndpointListOut(serializers.Serializer[Any]):
    items = EndpointOut(many=True, help_text="The newest first.")


class EndpointSecretOut(EndpointOut):
    """The same with its new secret, which is shown this once."""

    secret = serializers.CharField(help_text="whsec_..., for the Standard Webhooks library of the receiver.")


class RotateIn(serializers.Serializer[Any]):
    overlapHours = serializers.IntegerField(
        min_value=0,
        max_value=HOURS,
        required=False,
        help_text=f"For how long the former secret signs, too: {USUAL_HOURS} unless given; 0: no longer.",
    )


class ReplayIn(serializers.Serializer[Any]):
    after = serializers.CharField(
        allow_blank=True,
        help_text="A cursor of the feed: what stands behind it is posted again. Empty: all that is kept.",
    )


write_endpoint = writer(
    EndpointOut,
    accountID="owner",
    next=lambda row: cursor(row.place),
    putAside=lambda row: row.retries.count(),
    lastSuccessAt="delivered_at",
    nextTryAt="due_at",
    lastError="error",
    formerSecretUntil="former_until",
)
