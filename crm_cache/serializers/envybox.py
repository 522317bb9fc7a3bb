"""Envybox's lists on the wire, after Bitrix24's pattern: ours to name, as no contract does."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Int64
from accounts.rest.views import rfc3339
from crm_cache import models
from crm_cache.serializers.shape import list_of

OWN_ID = "id in our system, primary key"


class EnvyboxRow(serializers.Serializer):
    id = Int64(help_text=OWN_ID)
    accountID = serializers.CharField(help_text="id of the CRM in Envybox")
    envyboxID = serializers.CharField(help_text="id in Envybox")
    name = serializers.CharField(help_text="name")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")


class EnvyboxUser(EnvyboxRow):
    """Somebody who can be responsible; 0 is the administrator."""

    email = serializers.CharField(help_text="e-mail")
    role = serializers.CharField(help_text="profession")


class EnvyboxPipeline(EnvyboxRow):
    entity = serializers.CharField(help_text="deal or lead; rules name pipelines of deals")
    isMain = serializers.BooleanField(help_text="where leads go whose rule names none")


class EnvyboxStep(EnvyboxRow):
    """A stage of a pipeline, or a kind of incoming request (entity inbox_type, no pipeline)."""

    pipelineID = serializers.CharField(help_text="envyboxID of the pipeline, empty outside of pipelines")
    entity = serializers.CharField(help_text="deal, lead or inbox_type")
    kind = serializers.CharField(help_text="open, won or lost")
    color = serializers.CharField(help_text="colour")


class EnvyboxField(EnvyboxRow):
    entity = serializers.CharField(help_text="lead, deal or client")
    type = serializers.CharField(help_text="Envybox's number: 1 number, 2 text, 3 list, 9 money, others")
    code = serializers.CharField(help_text="crm_<id>")


class EnvyboxListResp(serializers.Serializer):
    count = Int64(help_text="how many there are in all")


class EnvyboxUsersResp(EnvyboxListResp):
    items = EnvyboxUser(many=True)


class EnvyboxPipelinesResp(EnvyboxListResp):
    items = EnvyboxPipeline(many=True)


class EnvyboxStepsResp(EnvyboxListResp):
    items = EnvyboxStep(many=True)


class EnvyboxFieldsResp(EnvyboxListResp):
    items = EnvyboxField(many=True)


def user(row: models.CrmUser, account: Account) -> dict[str, Any]:
    return {**_row(row, account), "email": row.email, "role": row.role}


def pipeline(row: models.Pipeline, account: Account) -> dict[str, Any]:
    return {**_row(row, account), "entity": row.entity, "isMain": row.is_main}


def step(row: models.Step, account: Account) -> dict[str, Any]:
    more = {"pipelineID": row.pipeline_id, "entity": row.entity, "kind": row.kind, "color": row.color}
    return {**_row(row, account), **more}


def custom_field(row: models.Field, account: Account) -> dict[str, Any]:
    return {**_row(row, account), "entity": row.entity, "type": row.type, "code": row.code}


def _row(row: Any, account: Account) -> dict[str, Any]:
    return {
        "id": row.pk,
        "accountID": account.remote_id,
        "envyboxID": row.remote_id,
        "name": row.name,
        "deleted": row.deleted,
        "createdAt": rfc3339(row.created_at),
    }


USERS = list_of("Envybox", "users", user, EnvyboxUsersResp)
PIPELINES = list_of("Envybox", "pipelines", pipeline, EnvyboxPipelinesResp)
STEPS = list_of("Envybox", "steps", step, EnvyboxStepsResp)
FIELDS = list_of("Envybox", "fields", custom_field, EnvyboxFieldsResp)
