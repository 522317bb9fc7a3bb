"""Bitrix24's lists as its contract has them: names, order and types (D10, D11, D12, D32, D33).

Nothing outside an enum is sent: rows that the contract has no word for are left out (D38).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rest_framework.serializers import DateTimeField, EmailField, ListField

from accounts.rest.schema import Component, Int32, Int64
from accounts.rest.values import BIGGEST_32, number, number_32, rfc3339, unix
from crm_cache.serializers.shape import DELETED, ListShape, Property, list_shape, of_account, of_row

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


def _said(name: str) -> Callable[[Mapping[str, Any]], str]:
    """A text of the vendor's row; whatever else stands there is no text (D11)."""

    def text(details: Mapping[str, Any]) -> str:
        value = details.get(name)
        return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""

    return text


def _departments(details: Mapping[str, Any]) -> list[int]:
    said = details.get("UF_DEPARTMENT")
    found = [number(one) for one in said] if isinstance(said, list) else []
    return [one for one in found if 0 < one <= BIGGEST_32]


def _told(name: str, text: str) -> Property:
    return of_row("details", text, write=_said(name))


def _list(what: str, row: str, properties: Mapping[str, Property], answer: str, **more: Any) -> ListShape:
    """A list of this contract: a bad page is the first one (D5)."""
    word = what.capitalize()
    ids = (f"GetBitrix{word}", f"RefreshBitrix{word}")
    return list_shape(what, row, properties, answer, ids, word, count=Int64, lenient=True, **more)


ID = of_row("pk", "id in our system, primary key", Int64)
ACCOUNT = of_account("remote_id", "Bitrix24 portal id")
NAME = of_row("name", "name")
CREATED_AT = of_row("created_at", "when it came into our system, Unix seconds", Int64, unix)

USERS = _list(
    "users",
    "BitrixAccountUser",
    {
        "id": ID,
        "accountID": ACCOUNT,
        "bitrixUserID": of_row("remote_id", "user id in Bitrix24"),
        "name": _told("NAME", "first name"),
        "lastName": _told("LAST_NAME", "last name"),
        "secondName": _told("SECOND_NAME", "patronymic"),
        "title": _told("TITLE", "form of address, mostly empty"),
        "email": of_row("email", "e-mail, empty where our rights don't show it", EmailField),
        "uf_department": of_row(
            "details",
            "ids of the departments, as Bitrix24 numbers them",
            partial(ListField, child=Int32()),
            _departments,
        ),
        "workPosition": _told("WORK_POSITION", "position"),
        "deleted": DELETED,
        "createdAt": of_row("created_at", "when it came into our system", DateTimeField, rfc3339),
    },
    "UserListBitrixResp",
    reads=("details",),
)
PIPELINES = _list(
    "pipelines",
    "PipelineBitrix",
    {
        "ID": ID,
        "bitrixID": of_row(
            "remote_id", "pipeline id in Bitrix24; 0 is the general pipeline of deals", Int32, number_32
        ),
        "accountID": ACCOUNT,
        "name": NAME,
        "entityTypeId": of_row("entity", "type of its records, by number", IntegerEntityType, number),
        "deleted": DELETED,
        "createdAt": CREATED_AT,
    },
    "UserBitrixListPipelinesResp",
    only={"entity__in": tuple(map(str, ENTITY_TYPES))},
    missing="No pipelines found",
)
STEPS = _list(
    "steps",
    "StepBitrix",
    {
        "ID": ID,
        "accountID": ACCOUNT,
        "bitrixID": _told("ID", "id of the entry in Bitrix24"),
        "entityID": of_row("entity", "the directory, such as STATUS, SOURCE, DEAL_TYPE or DEAL_STAGE_3"),
        "statusID": of_row("remote_id", "the code by which rules name the entry"),
        "name": NAME,
        "nameInit": _told("NAME_INIT", "name that it came with"),
        "color": of_row("color", "colour"),
        "pipelineID": of_row(
            "pipeline_id", "pipeline id in Bitrix24; 0 also outside of pipelines", Int32, number_32
        ),
        "deleted": DELETED,
        "createdAt": CREATED_AT,
    },
    "UserListBitrixStepsResp",
    reads=("details",),
    missing="No steps found",
)
FIELDS = _list(
    "fields",
    "BitrixField",
    {
        "ID": ID,
        "accountID": ACCOUNT,
        "bitrixID": of_row("remote_id", "field id in Bitrix24"),
        "entityID": of_row("entity", "type of record", FieldsType),
        "fieldName": of_row("code", "name that goes into the request"),
        "editFromLabel": of_row("name", "the field's title"),
        "fieldType": of_row(
            "type",
            "type of value; a day shows as datetime",
            CustomFieldsType,
            lambda kind: SHOWN_AS.get(kind, kind),
        ),
        "deleted": DELETED,
        "createdAt": CREATED_AT,
    },
    "UserListBitrixFieldsResp",
    only={"entity__in": FIELDS_OF, "type__in": (*FIELD_TYPES, *SHOWN_AS)},
    missing="No fields found",
)
LISTS = (USERS, PIPELINES, STEPS, FIELDS)
