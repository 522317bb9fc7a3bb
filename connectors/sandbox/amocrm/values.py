"""Custom field values: what each type takes and how it is kept (reference 4.8).

One small function a type: it gets the value item and returns what is stored, or raises Bad.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.amocrm.errors import Bad, Errors
from connectors.sandbox.amocrm.model import Account, Enum, Field
from connectors.sandbox.core import Switches

Stored = dict[str, Any]
MULTIPLE = {"multiselect", "multitext", "smart_address", "linked_entity", "items", "chained_list", "payer"}
ELEMENT_KEYS = {"field_id", "field_code", "field_name", "field_type", "is_computed", "values"}
ADDRESS_PARTS = ("address_line_1", "address_line_2", "city", "state", "zip", "country")
NOT_A_CHOICE = "The value you selected is not a valid choice."


class Context:
    """What a conversion may look at besides the item."""

    def __init__(self, account: Account, field: Field, switches: Switches) -> None:
        self.field, self.switches = field, switches
        self.zone = ZoneInfo(account.timezone)


def only(item: Stored, *keys: str) -> None:
    for key in item:
        if key not in keys:
            raise Bad("FieldNotExpected", "This field was not expected.", key)


def needed(item: Stored, *types: type) -> Any:
    if "value" not in item:
        raise Bad("FieldMissing", "This field is missing.", "value")
    value = item["value"]
    if value is None:
        raise Bad("NotNullable", "This value should not be null.", "value")
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise Bad("InvalidType", f"This value should be of type {_NAMES[types[0]]}.", "value")
    return value


_NAMES = {str: "string", int: "int", bool: "bool", dict: "array"}


def too_long(text: str, limit: int) -> str:
    if limit and len(text) > limit:
        raise Bad("TooLong", f"This value is too long. It should have {limit} characters or less.", "value")
    return text


def text(item: Stored, context: Context) -> Stored:
    only(item, "value")
    value = too_long(needed(item, str), context.switches["text_limit"])
    return {"value": _emoji(value, context.switches["emoji"])}


def _emoji(value: str, rule: str) -> str:
    """In 2021 a four-byte character cut the string when it was read; today UNCONFIRMED."""
    if rule == "keep":
        return value
    return next((value[:at] for at, letter in enumerate(value) if ord(letter) > 0xFFFF), value)


def textarea(item: Stored, context: Context) -> Stored:
    only(item, "value")
    return {"value": too_long(needed(item, str), context.switches["textarea_limit"])}


def number(item: Stored, context: Context) -> Stored:
    only(item, "value")
    value = needed(item, str, int, float)
    try:
        float(value)
    except ValueError:
        raise Bad("InvalidType", "This value should be of type numeric.", "value") from None
    return {"value": str(value)}


def checkbox(item: Stored, context: Context) -> Stored:
    only(item, "value")
    return {"value": needed(item, bool)}


def _moment(item: Stored, context: Context) -> datetime:
    only(item, "value")
    value = needed(item, int, str)
    try:
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=context.zone)
        return datetime.fromtimestamp(int(value), context.zone)
    except (ValueError, OverflowError, OSError):
        raise Bad("InvalidType", "This value should be of type int.", "value") from None


def date(item: Stored, context: Context) -> Stored:
    """Snaps to midnight of the account's timezone, so 00:00 UTC reads back as the evening before."""
    local = _moment(item, context).astimezone(context.zone)
    return {"value": int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())}


def date_time(item: Stored, context: Context) -> Stored:
    return {"value": int(_moment(item, context).timestamp())}


def _enum(item: Stored, context: Context) -> Enum:
    for key, attribute in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        if item.get(key) is not None:
            found = context.field.enum(attribute, item[key])
            if found is None:
                raise Bad("NotSupportedChoice", NOT_A_CHOICE, key)
            return found
    raise Bad("FieldMissing", "This field is missing.", "value")


def choice(item: Stored, context: Context) -> Stored:
    only(item, "value", "enum_id", "enum_code")
    found = _enum(item, context)
    return {"value": found.value, "enum_id": found.id, "enum_code": found.code}


def multitext(item: Stored, context: Context) -> Stored:
    only(item, "value", "enum_id", "enum_code")
    value = too_long(needed(item, str, int), context.switches["text_limit"]) if item else ""
    key, wanted = next(
        ((key, item[key]) for key in ("enum_id", "enum_code") if item.get(key) is not None),
        ("enum_code", context.switches["default_kind"]),
    )
    found = context.field.enum("id" if key == "enum_id" else "value", wanted)
    if found is None:
        raise Bad("NotSupportedChoice", NOT_A_CHOICE, key)
    return {"value": str(value), "enum_id": found.id, "enum_code": found.value}


def smart_address(item: Stored, context: Context) -> Stored:
    only(item, "value", "enum_id", "enum_code")
    value, part = needed(item, str), item.get("enum_code")
    if isinstance(item.get("enum_id"), int) and 1 <= item["enum_id"] <= 6:
        part = ADDRESS_PARTS[item["enum_id"] - 1]
    if part not in ADDRESS_PARTS:
        raise Bad("NotSupportedChoice", NOT_A_CHOICE, "enum_code")
    return {"value": value, "enum_id": ADDRESS_PARTS.index(part) + 1, "enum_code": part}


def legal_entity(item: Stored, context: Context) -> Stored:
    only(item, "value")
    value = needed(item, dict)
    if not isinstance(value.get("name"), str) or not value["name"]:
        raise Bad("FieldMissing", "This field is missing.", "value.name")
    return {"value": value}


def file(item: Stored, context: Context) -> Stored:
    only(item, "value")
    value = needed(item, dict)
    if not isinstance(value.get("file_uuid"), str):
        raise Bad("FieldMissing", "This field is missing.", "value.file_uuid")
    return {"value": value}


def anything(item: Stored, context: Context) -> Stored:
    """Catalogue and paid kinds: kept as they come, the reference says nothing about their checks."""
    return dict(item)


TYPES: dict[str, Callable[[Stored, Context], Stored]] = {
    "text": text, "url": text, "streetaddress": textarea, "tracking_data": text, "textarea": textarea,
    "numeric": number, "price": number, "monetary": number, "checkbox": checkbox, "date": date,
    "birthday": date, "date_time": date_time, "select": choice, "radiobutton": choice, "category": choice,
    "multiselect": choice, "multitext": multitext, "smart_address": smart_address, "file": file,
    "legal_entity": legal_entity, "linked_entity": anything, "chained_list": anything, "items": anything,
    "payer": anything, "supplier": anything,
}  # fmt: skip


def parse_values(
    account: Account, kind: str, elements: Any, errors: Errors, switches: Switches
) -> dict[int, list[Stored] | None]:
    """`custom_fields_values` of one card: field id -> values, None where the field is to be cleared."""
    found: dict[int, list[Stored] | None] = {}
    if elements is None:
        return found
    if not isinstance(elements, list):
        errors.add("InvalidType", "This value should be of type array.", "custom_fields_values")
        return found
    for index, element in enumerate(elements):
        with errors.under("custom_fields_values", index):
            _element(account, kind, element, errors, switches, found)
    return found


def _element(
    account: Account,
    kind: str,
    element: Any,
    errors: Errors,
    switches: Switches,
    found: dict[int, list[Stored] | None],
) -> None:
    if not isinstance(element, dict):
        errors.add("InvalidType", "This value should be of type array.")
        return
    for key in element.keys() - ELEMENT_KEYS:
        errors.add("FieldNotExpected", "This field was not expected.", key)
    field = _field(account, kind, element, errors)
    if field is None:
        return
    if "values" not in element:
        errors.add("FieldMissing", "This field is missing.", "values")
    elif element["values"] is None or element["values"] == []:
        found[field.id] = None
    elif not isinstance(element["values"], list):
        errors.add("InvalidType", "This value should be of type array.", "values")
    else:
        found[field.id] = _items(Context(account, field, switches), element["values"], errors)


def _field(account: Account, kind: str, element: Stored, errors: Errors) -> Field | None:
    fields, number, code = account.fields[kind], element.get("field_id"), element.get("field_code")
    if number is not None:
        field, key = fields.by_id.get(number) if isinstance(number, int) else None, "field_id"
    else:
        field, key = fields.by_code.get(code) if isinstance(code, str) else None, "field_code"
    if number is None and code is None:
        errors.add("FieldMissing", "This field is missing.", "field_id")
    elif field is None:
        errors.add("NotSupportedChoice", NOT_A_CHOICE, key)
    return field


def _items(context: Context, items: list[Any], errors: Errors) -> list[Stored]:
    if len(items) > 1 and context.field.type not in MULTIPLE:
        # The documentation shows one item for these types; what more do is not written: refused.
        errors.add("InvalidType", "This collection should contain 1 element or less.", "values")
    kept = []
    for index, item in enumerate(items):
        with errors.under("values", index):
            if not isinstance(item, dict):
                errors.add("InvalidType", "This value should be of type array.")
                continue
            try:
                kept.append(TYPES[context.field.type](item, context))
            except Bad as bad:
                errors.add(bad.code, bad.detail, bad.key)
    return kept


def view(account: Account, kind: str, values: dict[int, list[Stored]]) -> list[Stored] | None:
    """How stored values are read; null when there are none. Deleted fields take their values along."""
    fields, shown = account.fields[kind].by_id, []
    for number, items in values.items():
        field = fields.get(number)
        if field is not None and items:
            head = {"field_id": field.id, "field_name": field.name, "field_code": field.code}
            computed = {"is_computed": False} if kind == "leads" else {}
            shown.append({**head, "field_type": field.type, **computed, "values": items})
    return shown or None
