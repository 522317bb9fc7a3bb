"""``Extra.Existing``: what a rule writes into contacts and companies that the CRM has already.

{"Contact": {"Mode": "fill", "Append": true, "Fields": {"5000": "overwrite"}}, "Company": {...}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed
from rules.mapping.existing import MODES, USUAL
from rules.mapping.rule_snapshot import is_wish
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import known

EXISTING, MODE, APPEND, FIELDS = "Existing", "Mode", "Append", "Fields"
RECORDS = {"Contact": "contact", "Company": "company"}
MOST_FIELDS, LONGEST_KEY = 200, 100
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
        stored["mode"] = _one_of(mode, USUAL, f"{at}.{MODE}")
    if (append := said.get(APPEND)) is not None:
        if not isinstance(append, bool):
            raise Malformed(f"{at}.{APPEND}", message("true or false is needed"))
        stored["append"] = append
    fields = said.get(FIELDS)
    if fields not in (None, {}):
        if not isinstance(fields, Mapping) or len(fields) > MOST_FIELDS:
            words = message("an object of at most {most} fields is needed", most=MOST_FIELDS)
            raise Malformed(f"{at}.{FIELDS}", words)
        for key in fields:
            if is_wish(str(key).strip()) or len(str(key)) > LONGEST_KEY:
                raise Malformed(f"{at}.{FIELDS}", message("a field is needed, by its id or code"))
        stored["fields"] = {
            str(key).strip(): _one_of(mode, MODES, f"{at}.{FIELDS}.{key}") for key, mode in fields.items()
        }
    return stored


def _one_of(said: Any, words: tuple[str, ...], at: str) -> str:
    if not isinstance(said, str) or said not in words:
        raise Malformed(at, message("one of {names} is needed", names=", ".join(words)))
    return said


def shown_existing(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As it can be sent."""
    names = {MODE: "mode", APPEND: "append", FIELDS: "fields"}
    return {
        name: {key: stored[record][part] for key, part in names.items() if part in stored[record]}
        for name, record in RECORDS.items()
        if record in stored
    }
