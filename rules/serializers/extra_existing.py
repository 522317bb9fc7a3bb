"""``Extra.Existing``: what a rule writes into contacts and companies that the CRM has already.

{"Contact": {"Mode": "fill", "Append": true, "Fields": {"5000": "overwrite"}}, "Company": {...}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed
from rules.mapping.existing import MODES, USUAL
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import LONGEST_ID, by_text, field_named, flag, known, one_of

EXISTING, MODE, APPEND, FIELDS = "Existing", "Mode", "Append", "Fields"
RECORDS = {"Contact": "contact", "Company": "company"}
MOST_FIELDS = 200
MODE_SCHEMA = {"type": "string", "enum": list(MODES)}
RECORD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        MODE: {
            "type": "string",
            "enum": list(USUAL),
            "description": "For each field that `Fields` does not name: left as it is, or filled where the "
            "CRM has nothing there. `leave` where it is missing.",
        },
        APPEND: {
            "type": "boolean",
            "description": "Phones, e-mails and messengers that it lacks are added to those it has.",
        },
        FIELDS: {
            "type": "object",
            "additionalProperties": MODE_SCHEMA,
            "maxProperties": MOST_FIELDS,
            "description": "By the field's id or code, `name` for its name. Phones, e-mails and messengers "
            "(PHONE, EMAIL, IM) are added and never replaced.",
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What is written into a contact or company that was in the CRM before; what was there "
    "is told with the delivery (`formerValues`). What is not written stands in the note. Without it "
    "they stay as they are, but for CRMs in which only the deal makes or finds the client: there what the "
    "rule names is written into either.",
    "properties": {
        name: {**RECORD_SCHEMA, "description": f"A {record} that was there before."}
        for name, record in RECORDS.items()
    },
}
WHY_NOT = {
    "contact": message("This CRM's API cannot change a contact that is there already"),
    "company": message("Companies that are there already are not looked for in this CRM"),
}


def read_existing(sent: Any, dialect: RuleDialect) -> dict[str, Any]:
    """As it is stored, by our words. Raises ``Malformed``."""
    stored: dict[str, Any] = {}
    if sent is None:
        return stored
    for name, said in known(sent, EXISTING, tuple(RECORDS)).items():
        if one := _read(said, f"{EXISTING}.{name}"):
            if RECORDS[name] not in dialect.can.existing:
                raise Malformed(f"{EXISTING}.{name}", WHY_NOT[RECORDS[name]])
            stored[RECORDS[name]] = one
    return stored


def _read(sent: Any, at: str) -> dict[str, Any]:
    said = known(sent, at, (MODE, APPEND, FIELDS))
    stored: dict[str, Any] = {}
    if (mode := said.get(MODE)) is not None:
        stored["mode"] = one_of(mode, f"{at}.{MODE}", USUAL)
    if (append := said.get(APPEND)) is not None:
        stored["append"] = flag(append, f"{at}.{APPEND}")
    if said.get(FIELDS) not in (None, {}):
        stored["fields"] = {
            field_named(key, place): one_of(mode, place, MODES)
            for key, place, mode in by_text(said[FIELDS], f"{at}.{FIELDS}", MOST_FIELDS, LONGEST_ID)
        }
    return stored


def shown_existing(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As it can be sent."""
    names = {MODE: "mode", APPEND: "append", FIELDS: "fields"}
    return {
        name: {key: stored[record][part] for key, part in names.items() if part in stored[record]}
        for name, record in RECORDS.items()
        if record in stored
    }
