"""Bitrix24's lists as its contract has them: names, order and types (D10, D11, D12, D32, D33).

Nothing outside an enum is sent: rows that the contract has no word for are left out (D38).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.schema import Component, Int32, Int64
from accounts.rest.values import BIGGEST_32, number, number_32, rfc3339, unix
from crm_cache import models
from crm_cache.serializers.shape import ListShape

ENTITY_TYPES = (1, 2, 3, 4, 5, 7, 8, 31)
FIELDS_OF = (
    "CRM_LEAD",
    "CRM_COMPANY",
    "CRM_CONTACT",
    "CRM_DEAL",
    "CRM_INVOICE",
    "CRM_SMART_INVOICE",
    "CRM_QUOTE",
    "CRM_REQUISITE",
)
FIELD_TYPES = (
    "string",
    "integer",
    "double",
    "boolean",
    "datetime",
    "enumeration",
    "iblock_section",
    "iblock_element",
    "employee",
    "crm_status",
    "crm",
    "address",
    "money",
    "url",
    "file",
    "crm_pena_tag",
)
SHOWN_AS = {"date": "datetime"}  # the enum has no word for a day


class IntegerEntityType(Component):
    component = "IntegerEntityType"
    schema = {"type": "integer", "format": "int32", "enum": list(ENTITY_TYPES)}


class FieldsType(Component):
    component = "FieldsType"
    schema = {"type": "string", "enum": list(FIELDS_OF)}


class CustomFieldsType(Component):
    component = "CustomFieldsType"
    schema = {"type": "string", "enum": list(FIELD_TYPES)}


class BitrixAccountUser(serializers.Serializer):
    id = Int64(help_text="id in our system, primary key")
    accountID = serializers.CharField(help_text="Bitrix24 portal id")
    bitrixUserID = serializers.CharField(help_text="user id in Bitrix24")
    name = serializers.CharField(help_text="first name")
    lastName = serializers.CharField(help_text="last name")
    secondName = serializers.CharField(help_text="patronymic")
    title = serializers.CharField(help_text="form of address, mostly empty")
    email = serializers.EmailField(help_text="e-mail, empty where our rights don't show it")
    uf_department = serializers.ListField(
        child=Int32(), help_text="ids of the departments, as Bitrix24 numbers them"
    )
    workPosition = serializers.CharField(help_text="position")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = serializers.DateTimeField(help_text="when it came into our system")


class PipelineBitrix(serializers.Serializer):
    ID = Int64(help_text="id in our system, primary key")
    bitrixID = Int32(help_text="pipeline id in Bitrix24; 0 is the general pipeline of deals")
    accountID = serializers.CharField(help_text="Bitrix24 portal id")
    name = serializers.CharField(help_text="name")
    entityTypeId = IntegerEntityType(help_text="type of its records, by number")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = Int64(help_text="when it came into our system, Unix seconds")


class StepBitrix(serializers.Serializer):
    ID = Int64(help_text="id in our system, primary key")
    accountID = serializers.CharField(help_text="Bitrix24 portal id")
    bitrixID = serializers.CharField(help_text="id of the entry in Bitrix24")
    entityID = serializers.CharField(
        help_text="the directory, such as STATUS, SOURCE, DEAL_TYPE or DEAL_STAGE_3"
    )
    statusID = serializers.CharField(help_text="the code by which rules name the entry")
    name = serializers.CharField(help_text="name")
    nameInit = serializers.CharField(help_text="name that it came with")
    color = serializers.CharField(help_text="colour")
    pipelineID = Int32(help_text="pipeline id in Bitrix24; 0 also outside of pipelines")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = Int64(help_text="when it came into our system, Unix seconds")


class BitrixField(serializers.Serializer):
    ID = Int64(help_text="id in our system, primary key")
    accountID = serializers.CharField(help_text="Bitrix24 portal id")
    bitrixID = serializers.CharField(help_text="field id in Bitrix24")
    entityID = FieldsType(help_text="type of record")
    fieldName = serializers.CharField(help_text="name that goes into the request")
    editFromLabel = serializers.CharField(help_text="the field's title")
    fieldType = CustomFieldsType(help_text="type of value; a day shows as datetime")
    deleted = serializers.BooleanField(help_text="soft deletion flag")
    createdAt = Int64(help_text="when it came into our system, Unix seconds")


class BitrixListResp(serializers.Serializer):
    count = Int64(help_text="how many there are in all")


class UserListBitrixResp(BitrixListResp):
    items = BitrixAccountUser(many=True, help_text="the rows of this page")


class UserBitrixListPipelinesResp(BitrixListResp):
    items = PipelineBitrix(many=True, help_text="the rows of this page")


class UserListBitrixStepsResp(BitrixListResp):
    items = StepBitrix(many=True, help_text="the rows of this page")


class UserListBitrixFieldsResp(BitrixListResp):
    items = BitrixField(many=True, help_text="the rows of this page")


def user(row: models.CrmUser, account: Account) -> dict[str, Any]:
    said = row.details
    return {
        "id": row.pk,
        "accountID": account.remote_id,
        "bitrixUserID": row.remote_id,
        "name": _text(said, "NAME"),
        "lastName": _text(said, "LAST_NAME"),
        "secondName": _text(said, "SECOND_NAME"),
        "title": _text(said, "TITLE"),
        "email": row.email,
        "uf_department": _departments(said.get("UF_DEPARTMENT")),
        "workPosition": _text(said, "WORK_POSITION"),
        "deleted": row.deleted,
        "createdAt": rfc3339(row.created_at),
    }


def pipeline(row: models.Pipeline, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "bitrixID": number_32(row.remote_id),
        "accountID": account.remote_id,
        "name": row.name,
        "entityTypeId": number(row.entity),
        "deleted": row.deleted,
        "createdAt": unix(row.created_at),
    }


def step(row: models.Step, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "accountID": account.remote_id,
        "bitrixID": _text(row.details, "ID"),
        "entityID": row.entity,
        "statusID": row.remote_id,
        "name": row.name,
        "nameInit": _text(row.details, "NAME_INIT"),
        "color": row.color,
        "pipelineID": number_32(row.pipeline_id),
        "deleted": row.deleted,
        "createdAt": unix(row.created_at),
    }


def custom_field(row: models.Field, account: Account) -> dict[str, Any]:
    return {
        "ID": row.pk,
        "accountID": account.remote_id,
        "bitrixID": row.remote_id,
        "entityID": row.entity,
        "fieldName": row.code,
        "editFromLabel": row.name,
        "fieldType": SHOWN_AS.get(row.type, row.type),
        "deleted": row.deleted,
        "createdAt": unix(row.created_at),
    }


def _text(said: Mapping[str, Any], name: str) -> str:
    """A text of the vendor's row; whatever else stands there is no text (D11)."""
    value = said.get(name)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _departments(said: Any) -> list[int]:
    found = [number(one) for one in said] if isinstance(said, list) else []
    return [one for one in found if 0 < one <= BIGGEST_32]


def _list(
    what: str,
    item: Callable[[Any, Account], dict[str, Any]],
    answer: type[serializers.Serializer],
    **more: Any,
) -> ListShape:
    """A list of this contract: a bad page is the first one (D5)."""
    word = what.capitalize()
    ids = (f"GetBitrix{word}", f"RefreshBitrix{word}")
    return ListShape(what, item, answer, *ids, tag=word, lenient=True, **more)


USERS = _list("users", user, UserListBitrixResp, reads=("details",))
PIPELINES = _list(
    "pipelines",
    pipeline,
    UserBitrixListPipelinesResp,
    only={"entity__in": tuple(map(str, ENTITY_TYPES))},
    missing="No pipelines found",
)
STEPS = _list("steps", step, UserListBitrixStepsResp, reads=("details",), missing="No steps found")
FIELDS = _list(
    "fields",
    custom_field,
    UserListBitrixFieldsResp,
    only={"entity__in": FIELDS_OF, "type__in": (*FIELD_TYPES, *SHOWN_AS)},
    missing="No fields found",
)
LISTS = (USERS, PIPELINES, STEPS, FIELDS)
