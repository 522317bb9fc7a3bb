"""``Repeated`` of ``Extra``: ``{"Do": "note", "WithinDays": 30, "Task": true}``; kept by lower-case names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messages import message
from connectors.repeated import NOTE
from rules.mapping.conditions import Malformed
from rules.mapping.repeated import MOST_DAYS, NEW, USUAL_DAYS, WAYS
from rules.serializers.extra_parts import flag, known, one_of, whole

REPEATED, DO, DAYS, TASK = "Repeated", "Do", "WithinDays", "Task"
KEYS = (DO, DAYS, TASK)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What to do where the person has an open lead in that pipeline already; CRMs that "
    "can't be asked for one have `new` alone.",
    "required": [DO],
    "properties": {
        DO: {
            "type": "string",
            "enum": list(WAYS),
            "description": "`new`: another lead, as without this. `note`: the whole answer goes into a note "
            "on the open one. `link`: the delivery leads to the open one, which only gets a mention of it.",
        },
        DAYS: {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_DAYS,
            "description": f"How old leads may be that are joined; {USUAL_DAYS} where it is missing.",
        },
        TASK: {
            "type": "boolean",
            "description": "Whether the rule's own task, if it has one, is made on the open lead, too, for "
            "whoever looks after it; only with `note`. No where it is missing.",
        },
    },
}


def read_repeated(sent: Any, joins: bool) -> dict[str, Any]:
    """As it is stored; nothing for ``new``. ``joins``: the CRM can. Raises ``Malformed``."""
    said = known(sent, REPEATED, KEYS)
    do = one_of(said.get(DO), f"{REPEATED}.{DO}", WAYS)
    days = whole(said.get(DAYS, USUAL_DAYS), f"{REPEATED}.{DAYS}", MOST_DAYS)
    task = flag(said.get(TASK), f"{REPEATED}.{TASK}")
    if task and do != NOTE:
        raise Malformed(f"{REPEATED}.{TASK}", message("true is possible only with note"))
    if do == NEW:
        return {}
    if not joins:
        words = message(
            "this CRM shows no open leads of a person, nor takes notes on them: only new is possible"
        )
        raise Malformed(f"{REPEATED}.{DO}", words)
    return {"repeated": {"do": do, "days": days, **({"task": True} if task else {})}}


def shown_repeated(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As it can be sent."""
    return {DO: stored["do"], DAYS: stored["days"], **({TASK: True} if stored.get("task") else {})}
