"""amoCRM's lists as its contract has them: names, order and types of every property (D11, D12, D20, D21).

Rows are built by plain functions, because lists are long; the classes only describe them in the schema.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.values import number, unix
from crm_cache import models
from crm_cache.serializers.shape import ListShape


class User(serializers.Serializer):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AccountID = serializers.CharField(help_text="quiz account, the id from the token")
    AmoID = serializers.IntegerField(help_text="user id in amoCRM")
    Name = serializers.CharField(help_text="user name in amoCRM")
    Email = serializers.CharField(help_text="user e-mail from amoCRM")
    Role = serializers.CharField(help_text="name of the user's role in amoCRM")
    Group = serializers.IntegerField(help_text="id of the user's group in amoCRM")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")
    Subdomain = serializers.CharField(help_text="the organisation's subdomain")
    Amoiserid = serializers.IntegerField(help_text="amoCRM id of the user who connected the integration")
    Country = serializers.CharField(help_text="country from the amoCRM account's settings")


class Pipeline(serializers.Serializer):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AmoID = serializers.IntegerField(help_text="pipeline id in amoCRM")
    AccountID = serializers.IntegerField(help_text="amoCRM account id")
    Name = serializers.CharField(help_text="pipeline name in amoCRM")
    IsArchive = serializers.BooleanField(help_text="whether the pipeline is archived in amoCRM")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")


class Step(serializers.Serializer):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AmoID = serializers.IntegerField(help_text="step id in amoCRM")
    PipelineID = serializers.IntegerField(help_text="pipeline id in amoCRM")
    AccountID = serializers.IntegerField(help_text="amoCRM account id")
    Name = serializers.CharField(help_text="step name in amoCRM")
    Color = serializers.CharField(help_text="colour of the step in amoCRM")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")


class Field(serializers.Serializer):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AmoID = serializers.IntegerField(help_text="custom field id in amoCRM")
    Code = serializers.CharField(help_text="code word in amoCRM")
    AccountID = serializers.IntegerField(help_text="amoCRM account id")
    Name = serializers.CharField(help_text="field name in amoCRM")
    EntityType = serializers.CharField(help_text="leads, contacts, companies or customers")
    Type = serializers.CharField(help_text="amoCRM's own field type")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")


class Tag(serializers.Serializer):
    ID = serializers.IntegerField(help_text="id in our system, primary key")
    AmoID = serializers.IntegerField(help_text="tag id in amoCRM")
    AccountID = serializers.IntegerField(help_text="amoCRM account id")
    Entity = serializers.CharField(help_text="leads, contacts, companies or customers")
    Name = serializers.CharField(help_text="tag name in amoCRM")
    Color = serializers.CharField(help_text="tag colour in amoCRM")
    Deleted = serializers.BooleanField(help_text="soft deletion flag")
    CreatedAt = serializers.IntegerField(help_text="when it came into our system, Unix seconds")


class CachedListResp(serializers.Serializer):
    count = serializers.IntegerField(help_text="how many there are in all")


class UserListResp(CachedListResp):
    items = User(many=True, help_text="the rows of this page")


class UserListPipelinesResp(CachedListResp):
    items = Pipeline(many=True, help_text="the rows of this page")


class UserListStepsResp(CachedListResp):
    items = Step(many=True, help_text="the rows of this page")


class UserListFieldsResp(CachedListResp):
    items = Field(many=True, help_text="the rows of this page")


class UserListTagsResp(CachedListResp):
    items = Tag(many=True, help_text="the rows of this page")


def user(row: models.CrmUser, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "AccountID": account.account_id,
        "AmoID": number(row.remote_id),
        "Name": row.name,
        "Email": row.email,
        "Role": row.role,
        "Group": number(row.group_id),
        "Deleted": row.deleted,
        "CreatedAt": unix(row.created_at),
        "Subdomain": account.subdomain,
        "Amoiserid": number(account.user_id),
        "Country": account.country,
    }


def pipeline(row: models.Pipeline, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "AmoID": number(row.remote_id),
        "AccountID": number(account.remote_id),
        "Name": row.name,
        "IsArchive": row.archived,
        "Deleted": row.deleted,
        "CreatedAt": unix(row.created_at),
    }


def step(row: models.Step, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "AmoID": number(row.remote_id),
        "PipelineID": number(row.pipeline_id),
        "AccountID": number(account.remote_id),
        "Name": row.name,
        "Color": row.color,
        "Deleted": row.deleted,
        "CreatedAt": unix(row.created_at),
    }


def custom_field(row: models.Field, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "AmoID": number(row.remote_id),
        "Code": row.code,
        "AccountID": number(account.remote_id),
        "Name": row.name,
        "EntityType": row.entity,
        "Type": row.type,
        "Deleted": row.deleted,
        "CreatedAt": unix(row.created_at),
    }


def tag(row: models.Tag, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "AmoID": number(row.remote_id),
        "AccountID": number(account.remote_id),
        "Entity": row.entity,
        "Name": row.name,
        "Color": row.color,
        "Deleted": row.deleted,
        "CreatedAt": unix(row.created_at),
    }


USERS = ListShape("users", user, UserListResp, "GettingUserWithPagination", "UpdateListUsers", "main")
PIPELINES = ListShape(
    "pipelines", pipeline, UserListPipelinesResp, "GetPipelinesWithPagination", "UpdateListPipelines", "main"
)
STEPS = ListShape(
    "steps",
    step,
    UserListStepsResp,
    "GetStepsWithPagination",
    "UpdateListSteps",
    "main",
    filters={"pipelineID": "pipeline_id"},
)
FIELDS = ListShape(
    "fields", custom_field, UserListFieldsResp, "GetFieldsWithPagination", "UpdateListCustom", "main"
)
TAGS = ListShape("tags", tag, UserListTagsResp, "GetTagsWithPagination", "UpdateListTags", "main")
LISTS = (USERS, PIPELINES, STEPS, FIELDS, TAGS)
