"""crm.*.userfield.* and userfieldconfig.list (reference 3.4, 4.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome, paged
from connectors.sandbox.bitrix24.errors import Refused, access_denied, core_error, not_found, plain
from connectors.sandbox.bitrix24.listing import split_key
from connectors.sandbox.bitrix24.model import Option, UserField
from connectors.sandbox.bitrix24.specs import camel
from connectors.sandbox.php import to_int, truthy, values_of

ENTITIES = ("lead", "deal", "contact", "company", "quote", "requisite", "invoice")
TYPES = (
    "string", "integer", "double", "boolean", "enumeration", "date", "datetime", "money", "url", "address",
    "file", "employee", "crm_status", "iblock_section", "iblock_element", "crm", "resourcebooking",
)  # fmt: skip
LABELS = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL")
_CODE = re.compile(r"^[A-Z0-9_]+$")
MOST = 50  # letters of a code with its prefix

Handler = Callable[[Call], Any]


def methods(entity: str) -> dict[str, Handler]:
    owner = f"CRM_{entity.upper()}"
    return {
        f"crm.{entity}.userfield.{verb}": partial(work, owner=owner)
        for verb, work in (
            ("list", listing),
            ("get", get),
            ("add", add),
            ("update", update),
            ("delete", delete),
        )
    }


# -- reading ------------------------------------------------------------------------------------------


def listing(call: Call, owner: str) -> Outcome:
    """All of them in one answer; labels only when filter.LANG is given."""
    if call.user.crm == "none":
        raise access_denied()
    asked = {split_key(key)[1].upper(): value for key, value in call.array("filter").items()}
    rows = list(call.portal.fields[owner].values())
    for name, way in FILTERS.items():
        if name in asked:
            wanted = [str(value) for value in values_of(asked[name])]
            rows = [row for row in rows if way(row) in wanted]
    return Outcome([view(row, labels="LANG" in asked) for row in rows], len(rows))


FILTERS: dict[str, Callable[[UserField], str]] = {
    "ID": lambda row: str(row.id),
    "FIELD_NAME": lambda row: row.name,
    "USER_TYPE_ID": lambda row: short_type(row),
    "MULTIPLE": lambda row: _yes(row.multiple),
}


def _yes(value: bool) -> str:
    return "Y" if value else "N"


def short_type(row: UserField) -> str:
    """An app's type loses its prefix, so a short code alone is ambiguous (3.4)."""
    return row.type.split("_", 2)[2] if row.type.startswith("rest_") else row.type


def view(row: UserField, labels: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ID": str(row.id),
        "ENTITY_ID": row.entity_id,
        "FIELD_NAME": row.name,
        "USER_TYPE_ID": short_type(row),
        "XML_ID": row.xml_id,
        "SORT": str(row.sort),
        "MULTIPLE": _yes(row.multiple),
        "MANDATORY": _yes(row.mandatory),
        "SHOW_FILTER": "N",
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": row.settings or [],
    }
    if row.type.startswith("rest_"):
        shown["USER_TYPE_OWNER"] = row.owner
    if labels:
        shown |= dict.fromkeys(LABELS, row.label)
    if row.type == "enumeration":
        shown["LIST"] = [_option(option) for option in row.options]
    return shown


def _option(option: Option) -> dict[str, str]:
    row = {"ID": str(option.id), "SORT": str(option.sort), "VALUE": option.value}
    return row | {"DEF": _yes(option.default), "XML_ID": option.xml_id}


def one(call: Call, owner: str) -> UserField:
    number = call.number("id")
    found = next((row for row in call.portal.fields[owner].values() if row.id == number), None)
    if found is None:
        raise not_found()
    return found


def get(call: Call, owner: str) -> dict[str, Any]:
    """Labels come by language."""
    row = one(call, owner)
    return view(row, labels=False) | {name: {"ru": row.label} for name in LABELS}


# -- writing ------------------------------------------------------------------------------------------


def add(call: Call, owner: str) -> int:
    """The code is upper-cased and prefixed; only an administrator may (4.6)."""
    call.need_admin()
    given = {str(name).upper(): value for name, value in call.required_array("fields").items()}
    name, kind = _code(given.get("FIELD_NAME")), str(given.get("USER_TYPE_ID") or "")
    if not kind:
        raise plain("The 'USER_TYPE_ID' field is not found.")
    kind = _full_type(call, kind)
    if name in call.portal.fields[owner]:
        raise core_error(f"Поле {name} для объекта {owner} уже существует.")
    made = UserField(call.portal.next("field"), owner, name, kind, _label(given) or name)
    made.settings = given["SETTINGS"] if isinstance(given.get("SETTINGS"), dict) else {}
    made.owner = call.auth.client_id if kind.startswith("rest_") else ""
    _flags(made, given)
    for row in values_of(given.get("LIST")) if kind == "enumeration" else ():
        _add_option(call, made, row, xml_id=False)
    call.portal.fields[owner][name] = made
    call.box.happened(call.portal, f"ON{owner.replace('_', '')}USERFIELDADD", made.id, call.auth)
    return made.id


def _code(raw: Any) -> str:
    text = str(raw or "").upper().strip()
    name = text if text.startswith("UF_CRM_") else f"UF_CRM_{text}"
    if not text or not _CODE.match(name) or len(name) > MOST or name == "UF_CRM_":
        raise core_error(
            "Код поля может содержать только латинские буквы, цифры и подчёркивание, до 50 знаков."
        )
    return name


def _full_type(call: Call, kind: str) -> str:
    if kind in TYPES or kind.startswith("rest_"):
        return kind
    known = {short_type(row): row.type for rows in call.portal.fields.values() for row in rows.values()}
    if kind not in known:
        raise core_error(f"Указан неверный пользовательский тип: {kind}")
    return known[kind]


def _label(given: dict[str, Any]) -> str:
    for name in ("EDIT_FORM_LABEL", "LABEL", "LIST_COLUMN_LABEL"):
        value = given.get(name)
        if isinstance(value, dict):
            value = value.get("ru") or next(iter(value.values()), "")
        if value:
            return str(value)
    return ""


def _flags(row: UserField, given: dict[str, Any]) -> None:
    if "MULTIPLE" in given:
        row.multiple = str(given["MULTIPLE"]).upper() == "Y"
    if "MANDATORY" in given:
        row.mandatory = str(given["MANDATORY"]).upper() == "Y"
    row.sort = to_int(given.get("SORT")) or row.sort
    row.xml_id = str(given["XML_ID"]) if given.get("XML_ID") else row.xml_id


def _add_option(call: Call, field: UserField, row: Any, xml_id: bool) -> None:
    """XML_ID is ignored by add and honoured by update (4.6)."""
    if not isinstance(row, dict) or not row.get("VALUE"):
        return
    made = Option(call.portal.next("option"), str(row["VALUE"]), to_int(row.get("SORT")) or 10)
    made.default, made.xml_id = row.get("DEF") == "Y", str(row.get("XML_ID", "")) if xml_id else ""
    field.options.append(made)


def update(call: Call, owner: str) -> bool:
    call.need_admin()
    row = one(call, owner)
    given = {str(name).upper(): value for name, value in call.required_array("fields").items()}
    row.label = _label(given) or row.label
    _flags(row, given)
    if row.type == "enumeration" and "LIST" in given:
        _change_options(call, row, [one for one in values_of(given["LIST"]) if isinstance(one, dict)])
    call.box.happened(call.portal, f"ON{owner.replace('_', '')}USERFIELDUPDATE", row.id, call.auth)
    return True


def _change_options(call: Call, field: UserField, rows: list[dict[str, Any]]) -> None:
    """With ID: edit or remove; without: new. Whether rows not mentioned stay is UNCONFIRMED."""
    known = {option.id: option for option in field.options}
    mentioned = {to_int(row.get("ID")): row for row in rows if to_int(row.get("ID")) in known}
    for number, row in mentioned.items():
        option = known[number]
        option.value, option.sort = (
            str(row.get("VALUE", option.value)),
            to_int(row.get("SORT")) or option.sort,
        )
        option.xml_id = str(row.get("XML_ID", option.xml_id))
    gone = {number for number, row in mentioned.items() if str(row.get("DEL", "")).upper() == "Y"}
    if call.switches["unmentioned_options"] == "go":
        gone |= known.keys() - mentioned.keys()
    field.options = [option for option in field.options if option.id not in gone]
    for row in rows:
        if to_int(row.get("ID")) not in known and not truthy(row.get("DEL")):
            _add_option(call, field, row, xml_id=True)


def delete(call: Call, owner: str) -> bool:
    call.need_admin()
    row = one(call, owner)
    del call.portal.fields[owner][row.name]
    call.box.happened(call.portal, f"ON{owner.replace('_', '')}USERFIELDDELETE", row.id, call.auth)
    return True


# -- userfieldconfig.list -----------------------------------------------------------------------------


def configs(call: Call) -> Outcome:
    """Smart invoices' fields come only this way; paged, needs crm as well (3.4)."""
    if "crm" not in call.auth.scopes or str(call.param("moduleId") or "") != "crm":
        raise Refused(400, "ACCESS_DENIED", "moduleId is required")
    wanted = str(call.array("filter").get("entityId") or "")
    rows = [
        row
        for owner, fields in call.portal.fields.items()
        if owner in (wanted or owner)
        for row in fields.values()
    ]
    rows = [row for row in rows if wanted in ("", row.entity_id)]
    page = paged(rows, call.number("start"))
    page.result = {"fields": [_config(row) for row in page.result]}
    return page


def _config(row: UserField) -> dict[str, Any]:
    names = ("ENTITY_ID", "FIELD_NAME", "USER_TYPE_ID", "XML_ID", "SORT", "MULTIPLE", "MANDATORY")
    shown = view(row, labels=False)
    return {"id": row.id, **{camel(name): shown[name] for name in names}, "sort": row.sort}
