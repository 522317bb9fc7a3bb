"""What a portal makes of the values it is sent (reference 4.1, 4.3, 4.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.errors import Refused, core_error
from connectors.sandbox.bitrix24.moments import read_moment
from connectors.sandbox.bitrix24.specs import Spec
from connectors.sandbox.php import is_array, to_int, to_text, truthy, values_of

MONEY = re.compile(r"^-?\d+(?:\.\d+)?(?:\|[A-Z]{3})?$")
BINDING = re.compile(r"^(?:C|CO|D|L|SI|T[0-9a-f]+)_\d+$")
YES = (True, "true", "y", "Y")  # 1 and "1" are no for universal methods (4.3)


class Dropped(Exception):
    """A value that the portal silently leaves out."""


def read(call: Call, spec: Spec, raw: Any, universal: bool) -> Any:
    """The value to store. Dropped: leave the field alone. Refused: the whole call fails."""
    if raw is None or raw == "" or (raw is False and spec.type != "boolean"):
        return [] if spec.multiple else None
    if not spec.multiple:
        if isinstance(raw, list) and spec.type != "file":
            raise Dropped
        return _one(call, spec, raw, universal)
    found = []
    for item in values_of(raw):
        try:
            found.append(_one(call, spec, item, universal))
        except Dropped:
            continue
    return [item for item in found if item not in (None, "")]


def _one(call: Call, spec: Spec, raw: Any, universal: bool) -> Any:
    reader = READERS.get(spec.type, _text)
    return reader(call, spec, raw, universal)


def _text(call: Call, spec: Spec, raw: Any, universal: bool) -> str:
    if is_array(raw):
        raise Dropped
    return to_text(raw)


def _refuse(spec: Spec, universal: bool) -> Refused:
    text = f"Поле «{spec.title}» заполнено неверно"
    return Refused(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", text) if universal else core_error(text)


def _integer(call: Call, spec: Spec, raw: Any, universal: bool) -> int:
    return int(_double(call, spec, raw, universal))


def _double(call: Call, spec: Spec, raw: Any, universal: bool) -> float:
    """What is no number becomes 0 or is refused, by the portal's settings (UNCONFIRMED)."""
    if is_array(raw):
        return float(to_int(raw))
    try:
        return float(str(raw).strip().replace(",", "."))
    except ValueError:
        if call.switches["bad_number"] == "refuse":
            raise _refuse(spec, universal) from None
        return 0.0


def _number(call: Call, spec: Spec, raw: Any, universal: bool) -> int | None:
    """An id: cast, not looked up; a filled array casts to 1 (2.5)."""
    return to_int(raw) or None


def _char(call: Call, spec: Spec, raw: Any, universal: bool) -> bool:
    return raw in YES[1:] or raw is True if universal else raw is True or str(raw).upper() in ("Y", "1")


def _boolean(call: Call, spec: Spec, raw: Any, universal: bool) -> bool:
    """Classic methods go by PHP's truthiness, where "N" is true (2.2)."""
    if universal:
        return raw is True or (isinstance(raw, str) and raw in YES)
    if raw == "N" and not call.switches["uf_boolean_n"]:
        return False
    return truthy(raw)


def _date(call: Call, spec: Spec, raw: Any, universal: bool) -> str:
    moment = read_moment(call.portal, raw)
    if moment is None:
        raise Dropped
    return moment.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def _datetime(call: Call, spec: Spec, raw: Any, universal: bool) -> str:
    moment = read_moment(call.portal, raw)
    if moment is None:
        raise Dropped
    return moment.replace(microsecond=0).isoformat()


def _option(call: Call, spec: Spec, raw: Any, universal: bool) -> int:
    """An option's id, known or not; the text of an option is not matched (4.5)."""
    number = to_int(raw)
    if number == 0:
        raise Dropped
    return number


def _money(call: Call, spec: Spec, raw: Any, universal: bool) -> str:
    text = to_text(raw) if not is_array(raw) else ""
    if not MONEY.match(text):
        raise _refuse(spec, universal)
    return text if "|" in text else f"{text}|{call.portal.currency}"


def _binding(call: Call, spec: Spec, raw: Any, universal: bool) -> str:
    """C_12; a bare id where the field allows one type only (UNCONFIRMED)."""
    text = _text(call, spec, raw, universal)
    single = [kind for kind, allowed in spec.settings.items() if allowed == "Y"]
    if text.isdigit() and len(single) == 1 and call.switches["crm_bare_id"]:
        return text
    if not BINDING.match(text):
        raise Dropped
    return text


def _file(call: Call, spec: Spec, raw: Any, universal: bool) -> dict[str, Any]:
    """classic {"fileData": [name, base64]}, universal [name, base64]."""
    pair = raw if universal else raw.get("fileData") if isinstance(raw, dict) else None
    if not isinstance(pair, list) or len(pair) != 2:
        raise Dropped
    return {"id": call.portal.next("file"), "name": str(pair[0]), "size": len(str(pair[1])) * 3 // 4}


Reader = Callable[[Call, Spec, Any, bool], Any]
READERS: dict[str, Reader] = {
    "integer": _integer,
    "double": _double,
    "char": _char,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "enumeration": _option,
    "money": _money,
    "crm": _binding,
    "file": _file,
    **dict.fromkeys(("user", "employee", "crm_category", "iblock_section", "iblock_element"), _number),
    **dict.fromkeys(("crm_contact", "crm_company", "crm_lead", "crm_deal"), _number),
}
