"""``Repeated`` of a rule's ``Extra``: ``{"Do": "note", "WithinDays": 30}``; stored as ``{"do", "days"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed
from rules.mapping.repeated import MOST_DAYS, NEW, USUAL_DAYS, WAYS
from rules.serializers.extra_parts import known

REPEATED, DO, DAYS = "Repeated", "Do", "WithinDays"
KEYS = (DO, DAYS)
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
    },
}


def read_repeated(sent: Any, joins: bool) -> dict[str, Any]:
    """As it is stored; nothing for ``new``. ``joins``: the CRM can. Raises ``Malformed``."""
    said = known(sent, REPEATED, KEYS)
    do, days = said.get(DO), said.get(DAYS, USUAL_DAYS)
    if do not in WAYS:
        raise Malformed(f"{REPEATED}.{DO}", message("one of {names} is needed", names=", ".join(WAYS)))
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        words = message("a whole number of 1 to {most} is needed", most=MOST_DAYS)
        raise Malformed(f"{REPEATED}.{DAYS}", words)
    if do == NEW:
        return {}
    if not joins:
        words = message(
            "this CRM shows no open leads of a person, nor takes notes on them: only new is possible"
        )
        raise Malformed(f"{REPEATED}.{DO}", words)
    return {"repeated": {"do": do, "days": days}}


def shown_repeated(stored: Mapping[str, Any]) -> dict[str, Any]:
    """As it can be sent."""
    return {DO: stored["do"], DAYS: stored["days"]}
