"""``Extra.Task``: the follow-up task of a rule, and of a route, over REST (``rules.mapping.follow_up``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import TaskSupport
from connectors.messages import message
from connectors.text import is_id
from rules.mapping.conditions import Malformed
from rules.mapping.follow_up import MOST_MINUTES, WHAT
from rules.mapping.responsible import read_shift
from rules.mapping.templates import LONGEST, read_text
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import absent, id_text, known, nobody, person_named, shown_id, spans, whole

TASK = "Task"
TEXT, MINUTES, PERFORMER, DEPARTMENT, TYPE = "Text", "Minutes", "PerformerID", "DepartmentID", "Type"
HOURS = "Hours"
KEYS = (TEXT, MINUTES, PERFORMER, DEPARTMENT, TYPE, HOURS)
SHIFT = ("Days", "From", "To")
NUMBERED = {DEPARTMENT: "departments", TYPE: "types"}


def task_schema(text: str, hours: Mapping[str, Any]) -> dict[str, Any]:
    """``text`` says what a template may be, ``hours`` how working hours are spelled."""
    return {
        "type": "object",
        "nullable": True,
        "description": "A task that is made on each new lead, where the CRM has tasks; in a route's `Then` "
        "null means none.",
        "required": [TEXT, MINUTES],
        "properties": {
            TEXT: {"type": "string", "maxLength": LONGEST, "description": f"What is to be done. {text}"},
            MINUTES: {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_MINUTES,
                "description": "Until when, from when the lead is made; within `Hours`, where there are any.",
            },
            PERFORMER: {"description": "Whose task it is, as in the rule; missing: the lead's responsible."},
            DEPARTMENT: {"description": "A department's instead, by its number (Envybox)."},
            TYPE: {"description": "The kind of task, by its number (amoCRM): 1 call, 2 meeting, your own."},
            HOURS: {**hours, "description": "Working hours by the account's clock, as in `Responsible`."},
        },
    }


def read_task(sent: Any, at: str, dialect: RuleDialect) -> dict[str, Any]:
    """As it is stored; empty for none. Raises ``Malformed``."""
    can = dialect.can.tasks
    if sent in (None, {}):
        return {}
    if not can:
        raise Malformed(at, can.refusal)
    said = known(sent, at, KEYS)
    text = read_text(said.get(TEXT), f"{at}.{TEXT}", WHAT).source
    if not text.strip():
        raise Malformed(f"{at}.{TEXT}", message("a text is needed: what is to be done"))
    minutes = whole(said.get(MINUTES), f"{at}.{MINUTES}", MOST_MINUTES)
    stored: dict[str, Any] = {"text": text, "minutes": minutes}
    if not nobody(said.get(PERFORMER), dialect):
        stored["performer"] = person_named(said[PERFORMER], f"{at}.{PERFORMER}", dialect)
    stored |= _numbers(said, at, can)
    if {"performer", "department"} <= stored.keys():
        raise Malformed(f"{at}.{DEPARTMENT}", message("a task is a person's or a department's, not both"))
    hours = spans(said.get(HOURS), f"{at}.{HOURS}", SHIFT, read_shift)
    return stored | ({"hours": hours} if hours else {})


def _numbers(said: Mapping[str, Any], at: str, can: TaskSupport) -> dict[str, str]:
    """What only some CRMs have, by its number."""
    found = {}
    for key, ability in NUMBERED.items():
        if absent(said.get(key)):
            continue
        needed = message("a number is needed, as the CRM has it")
        number = id_text(said[key], f"{at}.{key}", needed)
        if not getattr(can, ability):
            raise Malformed(f"{at}.{key}", message("tasks of this CRM have none"))
        if not is_id(number):
            raise Malformed(f"{at}.{key}", needed)
        found["department" if key == DEPARTMENT else "type"] = number
    return found


def shown_task(stored: Mapping[str, Any], dialect: RuleDialect) -> dict[str, Any] | None:
    """As it can be sent; None for none."""
    if not stored:
        return None
    ids = {PERFORMER: "performer", DEPARTMENT: "department", TYPE: "type"}
    return {
        TEXT: stored["text"],
        MINUTES: stored["minutes"],
        **{name: shown_id(stored[key], dialect) for name, key in ids.items() if key in stored},
        **({HOURS: stored["hours"]} if "hours" in stored else {}),
    }
