"""Custom fields: listing, creating, changing, deleting (reference 3.4 and 4.7)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.amocrm.errors import Errors, validation_failed
from connectors.sandbox.amocrm.filters import texts_of
from connectors.sandbox.amocrm.hal import Call, hal, page, problem, refuse
from connectors.sandbox.amocrm.model import Enum, Field
from connectors.sandbox.amocrm.values import TYPES
from connectors.sandbox.amocrm.writes import customers_open, request_id
from connectors.sandbox.core import Reply

WITH_ENUMS = {"select", "multiselect", "radiobutton"}
NOT_ON_CUSTOMERS = {"smart_address", "birthday", "legal_entity"}
ONLY_CATALOGUES = {"price", "category", "items", "linked_entity"}
KEYS: dict[str, type] = {
    "name": str, "type": str, "code": str, "sort": int, "group_id": str, "is_api_only": bool, "enums": list,
    "required_statuses": list, "remind": str, "currency": str, "search_in": str, "nested": list,
}  # fmt: skip
CHANGEABLE = KEYS.keys() - {"type"} | {"id", "request_id"}


def listing(call: Call) -> Reply:
    customers_open(call)
    found = sorted(call.account.fields[call.kind], key=_order(call), reverse=_backwards(call))
    if types := texts_of(call.filter.get("type")):
        found = [field for field in found if field.type in types]
    cap = call.box.switches["fields_page_cap"]
    return page(call, "custom_fields", found, lambda field: view(call, field), total=len(found), cap=cap)


def _order(call: Call) -> Any:
    return (lambda field: field.id) if "id" in call.order else (lambda field: (field.sort, field.id))


def _backwards(call: Call) -> bool:
    return "desc" in call.order.values()


def one(call: Call) -> Reply:
    return hal(view(call, _known(call)))


def _known(call: Call) -> Field:
    field = call.account.fields[call.kind].by_id.get(call.id)
    if field is None:
        raise refuse(404, "Not Found")
    return field


def view(call: Call, field: Field) -> dict[str, Any]:
    """The key set differs by entity (reference 3.4)."""
    kind = call.kind
    body: dict[str, Any] = {"id": field.id, "name": field.name, "type": field.type}
    body |= {"account_id": call.account.id, "code": field.code, "sort": field.sort}
    body |= {"group_id": field.group_id, "is_deletable": field.is_deletable, "entity_type": kind}
    body |= {"enums": _enums(field), "remind": field.remind}
    if kind != "customers":
        body |= {"is_api_only": field.is_api_only, "required_statuses": field.required_statuses}
    if kind == "leads":
        body |= {"is_computed": False, "hidden_statuses": [], "tracking_callback": None}
    if kind in ("contacts", "companies"):
        body["is_predefined"] = field.is_predefined
    if kind in ("leads", "customers"):
        body["chained_lists"] = None
    if field.type == "monetary":
        body["currency"] = field.currency
    return body | {"_links": call.href(f"/api/v4/{kind}/custom_fields/{field.id}")}


def _enums(field: Field) -> list[dict[str, Any]] | None:
    if field.enums is None:
        return None
    code = {} if field.type == "multitext" else {"code": True}
    return [
        {"id": enum.id, "value": enum.value, "sort": enum.sort} | ({"code": enum.code} if code else {})
        for enum in field.enums
    ]


# -- creating: 201, never idempotent -----------------------------------------------------------------


def add(call: Call) -> Reply:
    call.admin_only()
    customers_open(call)
    single = isinstance(call.payload(), dict) and call.box.switches["single_field_object"]
    rows = [call.payload()] if single else call.rows()
    all_errors = [Errors(request_id(row, index)) for index, row in enumerate(rows)]
    for row, errors in zip(rows, all_errors, strict=True):
        _check(call, row, errors)
    if any(all_errors):
        return validation_failed(all_errors)
    made = [
        view(call, _create(call, row)) | {"request_id": errors.request_id}
        for row, errors in zip(rows, all_errors, strict=True)
        if "id" not in row  # an id in a create silently creates nothing (I#392)
    ]
    if single and made:
        return hal(made[0], 201)
    links = call.href(call.request.path)
    return hal({"_total_items": len(made), "_links": links, "_embedded": {"custom_fields": made}}, 201)


def _check(call: Call, row: dict[str, Any], errors: Errors) -> None:
    for key in ("name", "type"):
        if not row.get(key):
            errors.add("FieldMissing", "This field is missing.", key)
    for key, value in row.items():
        if key not in KEYS and key not in ("id", "request_id"):
            errors.add("FieldNotExpected", "This field was not expected.", key)
        elif key in KEYS and value is not None and not isinstance(value, KEYS[key]):
            errors.add("InvalidType", f"This value should be of type {KEYS[key].__name__}.", key)
    kind = row.get("type")
    if kind is not None and (kind not in TYPES or kind in ONLY_CATALOGUES or not _allowed(call.kind, kind)):
        errors.no_choice("type")
    if kind in WITH_ENUMS and not row.get("enums"):
        errors.add("FieldMissing", "This field is missing.", "enums")
    if kind == "monetary" and not row.get("currency"):
        errors.add("FieldMissing", "This field is missing.", "currency")


def _allowed(kind: str, field_type: str) -> bool:
    if field_type == "tracking_data":
        return kind == "leads"
    if field_type == "multitext":
        return kind in ("contacts", "companies")
    return kind != "customers" or field_type not in NOT_ON_CUSTOMERS


def _create(call: Call, row: dict[str, Any]) -> Field:
    enums = None
    if row["type"] in WITH_ENUMS:
        enums = [_enum(call, item, index) for index, item in enumerate(row["enums"])]
    names = ("code", "sort", "group_id", "is_api_only", "required_statuses", "remind", "currency")
    given = {name: row[name] for name in names if row.get(name) is not None}
    new = Field(call.box.ids.next("fields"), call.kind, row["name"], row["type"], enums=enums, **given)
    return call.account.fields[call.kind].add(new)


def _enum(call: Call, item: dict[str, Any], index: int) -> Enum:
    number = call.box.ids.next("enums")
    return Enum(number, str(item.get("value", "")), item.get("sort") or index + 1, item.get("code"))


# -- changing and deleting ---------------------------------------------------------------------------


def change(call: Call) -> Reply:
    call.admin_only()
    field, row = _known(call), call.object()
    errors = Errors("0")
    for key in row.keys() - CHANGEABLE:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    if errors:
        return validation_failed([errors])
    if "enums" in row and field.enums is not None:
        _replace_enums(call, field, row["enums"])
    for name in ("name", "sort", "group_id", "is_api_only", "required_statuses", "remind"):
        if name in row:
            setattr(field, name, row[name])
    return hal(view(call, field))


def _replace_enums(call: Call, field: Field, rows: list[dict[str, Any]]) -> None:
    """Entries without their ids are new, with new ids: stored values lose them (reference 4.7)."""
    known = {enum.id: enum for enum in field.enums or []}
    kept = []
    for index, row in enumerate(rows):
        enum = known.get(row.get("id", 0)) or _enum(call, row, index)
        enum.value = str(row.get("value", enum.value))
        kept.append(enum)
    field.enums = kept


def delete(call: Call) -> Reply:
    call.admin_only()
    if not _known(call).is_deletable:
        return problem(400, "The field cannot be deleted")
    call.account.fields[call.kind].remove(call.id)
    return Reply(204)


def groups(call: Call) -> Reply:
    found = [
        {"id": "statistic", "name": "Статистика", "is_predefined": True, "type": "tracking_data", "sort": 2}
    ]
    if call.kind != "leads":
        found = []
    links = call.href(call.request.path)
    return hal({"_total_items": len(found), "_links": links, "_embedded": {"custom_field_groups": found}})
