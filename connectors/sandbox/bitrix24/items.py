"""crm.item.*: the universal methods, typed and camelCase (reference 4.3, 4.4)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24 import records
from connectors.sandbox.bitrix24.call import Call, Outcome
from connectors.sandbox.bitrix24.errors import Refused
from connectors.sandbox.bitrix24.listing import Condition, condition, find, split_key
from connectors.sandbox.bitrix24.specs import KINDS, MULTIFIELDS, Spec, has_multifields
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.bitrix24.views import item_key, item_row, specs_of
from connectors.sandbox.php import is_array, to_int, values_of

MOST_IMPORT = 20


def _refuse(code: str, text: str, status: int = 400) -> Refused:
    return Refused(status, code, text)


def kind_of(call: Call) -> str:
    if call.param("entityTypeId") is None:
        raise _refuse("100", "Could not find value for parameter {entityTypeId}")
    kind = KINDS.get(call.number("entityTypeId"))
    if kind is None:
        raise _refuse("NOT_FOUND", "Смарт-процесс не найден")
    return kind


def original(call: Call) -> bool:
    """With useOriginalUfNames user fields keep their codes both ways (3.4)."""
    value = call.param("useOriginalUfNames")
    return value is True or value in ("Y", "y", "true")


def keys(call: Call, kind: str) -> dict[str, Spec]:
    keep = original(call)
    return {item_key(spec, kind, keep): spec for spec in specs_of(call.portal, kind).values()}


def _need_rights(call: Call, writing: bool) -> None:
    if call.user.crm == "none" or (writing and call.user.crm != "all"):
        raise _refuse("ACCESS_DENIED", "Доступ запрещён")


def one(call: Call, writing: bool = False) -> Record:
    kind = kind_of(call)
    _need_rights(call, writing)
    record = call.portal.tables[kind].get(call.number("id"))
    if record is None:
        raise _refuse("NOT_FOUND", "Элемент не найден")
    return record


def _fields(call: Call, value: Any) -> dict[str, Any]:
    if not is_array(value):
        raise _refuse(
            "100", "Invalid value {fields} to match with parameter {fields}. Should be value of type array."
        )
    return value if isinstance(value, dict) else {}


def _draft(call: Call, kind: str, given: dict[str, Any]) -> records.Draft:
    """Keys that are not the item's are left out; `fm` holds the multifields (4.2)."""
    known = keys(call, kind)
    fields = {known[name].name: value for name, value in given.items() if name in known}
    made = records.draft(call, kind, fields, universal=True)
    if has_multifields(kind):
        made.multi += records.draft(call, kind, _multifields(given.get("fm"))).multi
    return made


def _multifields(fm: Any) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in values_of(fm):
        if isinstance(row, dict) and row.get("typeId") in MULTIFIELDS:
            entry = {"VALUE": row.get("value"), "VALUE_TYPE": row.get("valueType"), "ID": row.get("id", "")}
            found.setdefault(row["typeId"], []).append(entry)
    return dict(found)


def add(call: Call) -> dict[str, Any]:
    kind = kind_of(call)
    given = _fields(call, call.param("fields"))
    _need_rights(call, writing=True)
    made = _draft(call, kind, given)
    records.need_mandatory(call, kind, made)
    record = records.create(call, kind, made)
    if kind == "lead":
        call.box.lead_added(call.portal, record, call.auth)
    return {"item": item_row(call, record, ["*", "fm"] if "fm" in given else ["*"], original(call))}


def get(call: Call) -> dict[str, Any]:
    return {"item": item_row(call, one(call), ["*", "fm"], original(call))}


def update(call: Call) -> dict[str, Any]:
    record = one(call, writing=True)
    given = _fields(call, call.param("fields"))
    records.update(call, record, _draft(call, record.kind, given), universal=True)
    return {"item": item_row(call, record, ["*"], original(call))}


def delete(call: Call) -> list[Any]:
    records.remove(call, one(call, writing=True))
    return []


def listing(call: Call) -> Outcome:
    """The real offset; an unknown filter key is refused (2.6, 4.3)."""
    kind = kind_of(call)
    if call.user.crm == "none":
        return Outcome({"items": []}, 0)
    tests, order = _filter(call, kind), _order(call, kind)
    start = to_int(call.param("start"))
    page, outcome = find(call, call.portal.tables[kind], tests, order, max(start, -1))
    select = call.names("select") or ["*"]
    outcome.result = {"items": [item_row(call, record, select, original(call)) for record in page]}
    return outcome


def _filter(call: Call, kind: str) -> list[Condition]:
    known, found = keys(call, kind), []
    given = call.param("filter")
    for key, raw in given.items() if isinstance(given, dict) else ():
        sign, name = split_key(key)
        if name not in known:
            raise _refuse("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
        found.append(condition(call, sign, known[name], raw))
    return found


def _order(call: Call, kind: str) -> list[tuple[str, bool]]:
    known, given = keys(call, kind), call.param("order")
    pairs = given.items() if isinstance(given, dict) else ()
    asked = [(known[name].name, str(way).upper() == "DESC") for name, way in pairs if name in known]
    return asked or [("ID", False)]


def fields(call: Call) -> dict[str, Any]:
    kind = kind_of(call)
    own = call.portal.user_fields(kind)
    found = {}
    for key, spec in keys(call, kind).items():
        row = {"type": spec.type, "isRequired": False, "isReadOnly": "r" in spec.flags}
        row |= {
            "isImmutable": "i" in spec.flags,
            "isMultiple": spec.multiple,
            "isDynamic": spec.is_user_field,
        }
        row |= {"title": spec.title, "upperName": spec.name}
        row |= {"statusType": spec.status} if spec.status else {}
        if spec.is_user_field and own[spec.name].options:
            row["items"] = [{"ID": str(one.id), "VALUE": one.value} for one in own[spec.name].options]
        found[key] = row
    return {"fields": found}


# -- import (4.4): no robots, and the events are a switch ---------------------------------------------


def _imported(call: Call, kind: str, value: Any) -> Record:
    """Keys as in add, or PHONE and EMAIL holding classic rows."""
    given = _fields(call, value)
    made = _draft(call, kind, given)
    classic = {name: given[name] for name in MULTIFIELDS if name in given}
    made.multi += records.draft(call, kind, classic).multi
    records.need_mandatory(call, kind, made)
    return records.create(call, kind, made, events=call.switches["import_events"])


def import_one(call: Call) -> dict[str, Any]:
    kind = kind_of(call)
    _need_rights(call, writing=True)
    return {"item": {"id": _imported(call, kind, call.param("fields")).id}}


def import_batch(call: Call) -> dict[str, Any]:
    """Up to 20, each with its own outcome."""
    kind = kind_of(call)
    _need_rights(call, writing=True)
    rows = values_of(call.param("data"))
    if len(rows) > MOST_IMPORT:
        raise _refuse("MAX_IMPORT_BATCH_SIZE_EXCEEDED", "Не более 20 элементов за раз")
    return {"items": [_import_row(call, kind, row) for row in rows]}


def _import_row(call: Call, kind: str, row: Any) -> dict[str, Any]:
    try:
        return {"item": {"id": _imported(call, kind, row).id}}
    except Refused as refusal:
        return refusal.body()
