"""crm.duplicate.findbycomm: whose phone or e-mail is it (reference 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.bitrix24.call import Call
from connectors.sandbox.bitrix24.errors import Refused, access_denied
from connectors.sandbox.bitrix24.store import Record
from connectors.sandbox.php import as_array, values_of

MOST = 20
ENTITIES = {"LEAD": "lead", "CONTACT": "contact", "COMPANY": "company"}
_EXTENSION = re.compile(r"(?:[;,#]|ext|доб|x)\D*\d*\s*$", re.IGNORECASE)
Key = tuple[str, str]


def normal(kind: str, value: str, switches: Mapping[str, Any]) -> str:
    """Phones without punctuation and extension, e-mails trimmed and lower-cased."""
    if kind == "EMAIL":
        return value.strip().lower()
    digits = re.sub(r"\D", "", _EXTENSION.sub("", value) if re.search(r"\d{5}", value) else value)
    if switches["phone_eight_is_seven"] and len(digits) == 11 and digits.startswith("8"):
        return "7" + digits[1:]
    return digits


class Communications:
    """From a normalised phone or e-mail to ids by kind, in the order of adding."""

    def __init__(self, switches: Mapping[str, Any]) -> None:
        self._switches = switches
        self._found: dict[Key, dict[str, dict[int, None]]] = {}

    def _keys(self, record: Record) -> set[Key]:
        rows = (row for row in record.multi if row["TYPE_ID"] in ("PHONE", "EMAIL"))
        return {(row["TYPE_ID"], normal(row["TYPE_ID"], row["VALUE"], self._switches)) for row in rows}

    def add(self, record: Record) -> None:
        for key in self._keys(record):
            self._found.setdefault(key, {}).setdefault(record.kind, {})[record.id] = None

    def remove(self, record: Record) -> None:
        for key in self._keys(record):
            self._found.get(key, {}).get(record.kind, {}).pop(record.id, None)

    def of(self, key: Key, kind: str) -> list[int]:
        return list(self._found.get(key, {}).get(kind, ()))


def find_by_comm(call: Call) -> Any:
    """Up to 20 values in, up to 20 ids a type out; 20 hits of one type hide the other types."""
    if call.user.crm == "none":
        raise access_denied()
    kind = str(call.param("type") or "").upper()
    if kind not in ("PHONE", "EMAIL"):
        raise Refused(400, "", "Communication type is not defined.")
    values = [value for value in values_of(call.param("values")) if isinstance(value, str)][:MOST]
    if not values:
        raise Refused(400, "", "Communication values is not defined.")
    found = _by_type(call, kind, values, _asked_entities(call))
    return as_array({name: ids for name, ids in found.items() if ids})


def _asked_entities(call: Call) -> list[str]:
    name = str(call.param("entity_type") or "").upper()
    if name and name not in ENTITIES:
        raise Refused(400, "", f"Entity type '{name}' is not supported in current context.")
    return [name] if name else list(ENTITIES)


def _by_type(call: Call, kind: str, values: list[str], names: list[str]) -> dict[str, list[int]]:
    book = call.box.communications(call.portal)
    found: dict[str, list[int]] = {}
    for name in names:
        numbers: dict[int, None] = {}
        for value in values:
            key = kind, normal(kind, value, call.switches)
            numbers |= dict.fromkeys(book.of(key, ENTITIES[name]) if key[1] else ())
        found[name] = sorted(numbers)[:MOST]
        if len(found[name]) == MOST:
            break
    return found
