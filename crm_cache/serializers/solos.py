"""solOS's lists on the wire, after Bitrix24's pattern: ours to name, as no contract does.

They hold what was observed in projects and what staff wrote; ``byHand`` tells which.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Int64
from accounts.rest.views import rfc3339
from crm_cache import models
from crm_cache.serializers.shape import list_of


class SolosRow(serializers.Serializer):
    id = Int64(help_text="id in our system, primary key")
    accountID = serializers.CharField(help_text="the host of this solOS")
    solosID = serializers.CharField(help_text="id in solOS; of a field, its code")
    name = serializers.CharField(help_text="as solOS or staff call it, else made up: Funnel 3")
    byHand = serializers.BooleanField(help_text="named or added by staff, and left alone by every refresh")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")


class SolosUser(SolosRow):
    email = serializers.CharField(help_text="e-mail, where staff wrote one")
    groupID = serializers.CharField(help_text="the group of a project that this user is responsible for")


class SolosPipeline(SolosRow):
    """A sales funnel."""


class SolosStep(SolosRow):
    """A stage; in the order in which projects seem to go through them."""

    pipelineID = serializers.CharField(help_text="solosID of the funnel")
    kind = serializers.CharField(help_text="open, won or lost, as staff say")


class SolosField(SolosRow):
    """A field of projects, its type guessed from values."""

    type = serializers.CharField(help_text="string, number, date, reference or list")


class SolosListResp(serializers.Serializer):
    count = Int64(help_text="how many there are in all")


class SolosUsersResp(SolosListResp):
    items = SolosUser(many=True)


class SolosPipelinesResp(SolosListResp):
    items = SolosPipeline(many=True)


class SolosStepsResp(SolosListResp):
    items = SolosStep(many=True)


class SolosFieldsResp(SolosListResp):
    items = SolosField(many=True)


def user(row: models.CrmUser, account: Account) -> dict[str, Any]:
    return {**pipeline(row, account), "email": row.email, "groupID": row.group_id}


def pipeline(row: models.CachedRow, account: Account) -> dict[str, Any]:
    return {
        "id": row.pk,
        "accountID": account.remote_id,
        "solosID": row.remote_id,
        "name": row.name,
        "byHand": row.by_hand,
        "deleted": row.deleted,
        "createdAt": rfc3339(row.created_at),
    }


def step(row: models.Step, account: Account) -> dict[str, Any]:
    return {**pipeline(row, account), "pipelineID": row.pipeline_id, "kind": row.kind}


def custom_field(row: models.Field, account: Account) -> dict[str, Any]:
    return {**pipeline(row, account), "type": row.type}


USERS = list_of("Solos", "users", user, SolosUsersResp)
PIPELINES = list_of("Solos", "pipelines", pipeline, SolosPipelinesResp)
STEPS = list_of("Solos", "steps", step, SolosStepsResp)
FIELDS = list_of("Solos", "fields", custom_field, SolosFieldsResp)
