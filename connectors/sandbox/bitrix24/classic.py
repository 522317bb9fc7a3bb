"""crm.{lead,deal,contact,company}.{add,get,list,update,delete,fields} (reference 4.1, 2.6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from connectors.sandbox.bitrix24 import records
from connectors.sandbox.bitrix24.call import PAGE, Call, Outcome
from connectors.sandbox.bitrix24.errors import access_denied, not_found, plain
from connectors.sandbox.bitrix24.listing import Condition, condition, find, split_key
from connectors.sandbox.bitrix24.specs import MULTIFIELDS, Spec, has_multifields
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.bitrix24.views import classic_names, classic_row, specs_of
from connectors.sandbox.php import to_int

Handler = Callable[[Call], Any]


def methods(kind: str) -> dict[str, Handler]:
    return {
        f"crm.{kind}.{verb}": partial(work, kind=kind)
        for verb, work in (
            ("add", add), ("get", get), ("list", listing), ("update", update), ("delete", delete),
            ("fields", fields),
        )
    }  # fmt: skip


def add(call: Call, kind: str) -> int:
    given = _upper(call.required_array("fields"))
    if call.user.crm != "all":
        raise access_denied()
    made = records.draft(call, kind, given)
    records.need_mandatory(call, kind, made)
    record = records.create(call, kind, made)
    if kind == "lead":
        call.box.lead_added(call.portal, record, call.auth)
    return record.id


def _upper(given: dict[str, Any]) -> dict[str, Any]:
    return {str(name).upper(): value for name, value in given.items()}


def one(call: Call, kind: str) -> Record:
    """ID is not defined or invalid; Not found; Access denied: all 400 without a code (2.3)."""
    number = call.number("id")
    if number <= 0:
        raise plain("ID is not defined or invalid.")
    if call.user.crm == "none":
        raise access_denied()
    record = call.portal.tables[kind].get(number)
    if record is None:
        raise not_found()
    return record


def get(call: Call, kind: str) -> dict[str, Any]:
    multi = MULTIFIELDS if has_multifields(kind) else ()
    return classic_row(call, one(call, kind), classic_names(call.portal, kind, ["*", "UF_*", *multi]))


def update(call: Call, kind: str) -> bool:
    record = one(call, kind)
    given = _upper(call.required_array("fields"))
    if call.user.crm != "all":
        raise access_denied()
    records.update(call, record, records.draft(call, kind, given))
    return True


def delete(call: Call, kind: str) -> bool:
    record = one(call, kind)
    if call.user.crm != "all":
        raise access_denied()
    records.remove(call, record)
    return True


def listing(call: Call, kind: str) -> Outcome:
    """`start` is floored to a page of 50; -1 counts nothing."""
    if call.user.crm == "none":
        return Outcome([], 0)
    tests = _filter(call, kind)
    start = to_int(call.param("start"))
    start = start // PAGE * PAGE if start >= 0 else -1
    page, outcome = find(call, call.portal.tables[kind], tests, _order(call, kind), start)
    names = classic_names(call.portal, kind, call.names("select"))
    outcome.result = [classic_row(call, record, names) for record in page]
    return outcome


def _filter(call: Call, kind: str) -> list[Condition]:
    """Unknown keys are dropped silently, and then everything comes back (5.2)."""
    known = _filterable(call, kind)
    found = []
    for key, raw in call.array("filter").items():
        sign, name = split_key(key)
        if name.upper() in known:
            found.append(condition(call, sign, known[name.upper()], raw))
    return found


def _filterable(call: Call, kind: str) -> dict[str, Spec]:
    known = {name: spec for name, spec in specs_of(call.portal, kind).items() if "x" not in spec.flags}
    if has_multifields(kind):
        known |= {name: Spec(name, "crm_multifield", multiple=True) for name in MULTIFIELDS}
    return known


def _order(call: Call, kind: str) -> list[tuple[str, bool]]:
    known, given = specs_of(call.portal, kind), call.array("order")
    asked = [(str(name).upper(), str(way).upper() == "DESC") for name, way in given.items()]
    return [(name, way) for name, way in asked if name in known] or [("ID", False)]


def fields(call: Call, kind: str) -> dict[str, Any]:
    """Labels without asking for a language: a handy fallback (3.4)."""
    found = {
        name: _described(spec) for name, spec in specs_of(call.portal, kind).items() if not spec.is_user_field
    }
    for row in call.portal.user_fields(kind).values():
        shown = _described(row.spec) | {"title": row.name, "listLabel": row.label, "formLabel": row.label}
        shown["type"] = row.type.split("_", 2)[2] if row.type.startswith("rest_") else row.type
        shown["isRequired"] = row.mandatory
        if row.options:
            shown["items"] = [{"ID": str(option.id), "VALUE": option.value} for option in row.options]
        found[row.name] = shown
    if has_multifields(kind):
        found |= {
            name: _described(Spec(name, "crm_multifield", multiple=True, title=name)) for name in MULTIFIELDS
        }
    return found


def _described(spec: Spec) -> dict[str, Any]:
    shown = {
        "type": spec.type,
        "isRequired": False,
        "isReadOnly": "r" in spec.flags,
        "isImmutable": "i" in spec.flags,
        "isMultiple": spec.multiple,
        "isDynamic": spec.is_user_field,
        "title": spec.title,
    }
    return shown | ({"statusType": spec.status} if spec.status else {})
