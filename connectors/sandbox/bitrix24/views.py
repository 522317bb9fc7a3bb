"""Records as classic methods show them (strings) and as universal ones do (typed, camelCase) (2.2)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.model import Portal
from connectors.sandbox.bitrix24.specs import MULTIFIELDS, Spec, camel, has_multifields, standard
from connectors.sandbox.bitrix24.store import Record

HAS = {"HAS_PHONE": "PHONE", "HAS_EMAIL": "EMAIL"}


def specs_of(portal: Portal, kind: str) -> dict[str, Spec]:
    """Standard fields, then the user's own."""
    own = portal.user_fields(kind).values()
    return standard(kind) | {row.name: row.spec for row in own}


def spec_of(portal: Portal, kind: str, name: str) -> Spec | None:
    """One field without building them all: adding records is a hot path."""
    own = portal.user_fields(kind).get(name)
    return own.spec if own is not None else standard(kind).get(name)


def value_of(record: Record, name: str) -> Any:
    if name in HAS:
        return bool(record.communications(HAS[name]))
    return record.get(name)


# -- classic ------------------------------------------------------------------------------------------


def classic_names(portal: Portal, kind: str, select: list[str]) -> list[str]:
    """`*` is the standard fields, `UF_*` the user's own; multifields come only by name (7)."""
    known = {name: spec for name, spec in specs_of(portal, kind).items() if "x" not in spec.flags}
    wanted = [name.upper() for name in select] or ["*"]
    own = [name for name, spec in known.items() if spec.is_user_field]
    groups = {"*": [name for name in known if name not in own], "UF_*": own}
    chosen = [name for asked in wanted for name in groups.get(asked, [asked])]
    multi = MULTIFIELDS if has_multifields(kind) else ()
    return [
        "ID",
        *(name for name in dict.fromkeys(chosen) if name != "ID" and (name in known or name in multi)),
    ]


def classic_row(call: Call, record: Record, names: list[str]) -> dict[str, Any]:
    specs = specs_of(call.portal, record.kind)
    row: dict[str, Any] = {}
    for name in names:
        if name in specs:
            row[name] = _classic(call, specs[name], value_of(record, name))
        elif any(item["TYPE_ID"] == name for item in record.multi):
            row[name] = [item for item in record.multi if item["TYPE_ID"] == name]
    return row


def _classic(call: Call, spec: Spec, value: Any) -> Any:
    if spec.multiple:
        return [_scalar(spec, one) for one in value] if value else call.switches["empty_multiple"]
    return _scalar(spec, value)


def _scalar(spec: Spec, value: Any) -> Any:
    if value is None:
        return "0" if spec.type in ("crm_company", "crm_contact") else None
    if isinstance(value, bool):
        return ("1" if value else "0") if spec.type == "boolean" else ("Y" if value else "N")
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, dict):
        url = f"/bitrix/components/bitrix/crm.file/show.php?fileId={value['id']}"
        return {"id": value["id"], "showUrl": url, "downloadUrl": f"{url}&download=Y"}
    return value if spec.multiple and isinstance(value, int) else str(value)


# -- universal ----------------------------------------------------------------------------------------


def item_key(spec: Spec, kind: str, original: bool) -> str:
    return spec.name if spec.is_user_field and original else camel(spec.name, kind)


def item_row(call: Call, record: Record, select: list[str], original: bool) -> dict[str, Any]:
    """Multifields come as `fm`, and only when asked for together with `*` (4.3)."""
    kind, row = record.kind, {}
    wanted = set(select) or {"*"}
    for spec in specs_of(call.portal, kind).values():
        key = item_key(spec, kind, original)
        if "*" in wanted or key in wanted or key == "id":
            row[key] = _typed(spec, value_of(record, spec.name))
    if {"*", "fm"} <= wanted and has_multifields(kind):
        row["fm"] = [_communication(item) for item in record.multi]
    return row


def _communication(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": int(item["ID"]),
        "typeId": item["TYPE_ID"],
        "valueType": item["VALUE_TYPE"],
        "value": item["VALUE"],
    }


def _typed(spec: Spec, value: Any) -> Any:
    if spec.multiple:
        return [_typed_one(one) for one in value or ()]
    return _typed_one(value)


def _typed_one(value: Any) -> Any:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, dict):
        url = f"/bitrix/services/main/ajax.php?action=crm.controller.item.getFile&file_id={value['id']}"
        return {"id": value["id"], "url": url, "urlMachine": url}
    return value
