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
from rules.serializers.extra_parts import known, listed, shown_id

TASK = "Task"
TEXT, MINUTES, PERFORMER, DEPARTMENT, TYPE = "Text", "Minutes", "PerformerID", "DepartmentID", "Type"
HOURS = "Hours"
KEYS = (TEXT, MINUTES, PERFORMER, DEPARTMENT, TYPE, HOURS)
SHIFT = ("Days", "From", "To")
MOST_SHIFTS = 20
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
    minutes = said.get(MINUTES)
    if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
        words = message("a whole number of 1 to {most} is needed", most=MOST_MINUTES)
        raise Malformed(f"{at}.{MINUTES}", words)
    stored: dict[str, Any] = {"text": text, "minutes": minutes}
    person = _text(said.get(PERFORMER))
    if person and not (person == "0" and dialect.lists_of_maps):  # contracts with numbers say 0 for nobody
        if person.startswith("-"):
            raise Malformed(f"{at}.{PERFORMER}", message("a user of the CRM is needed, by id"))
        stored["performer"] = person
    stored |= _numbers(said, at, can)
    if {"performer", "department"} <= stored.keys():
        raise Malformed(f"{at}.{DEPARTMENT}", message("a task is a person's or a department's, not both"))
    shifts = listed(said.get(HOURS) or [], f"{at}.{HOURS}", MOST_SHIFTS)
    rows = [known(row, f"{at}.{HOURS}[{number}]", SHIFT) for number, row in enumerate(shifts)]
    for number, row in enumerate(rows):
        read_shift(row, f"{at}.{HOURS}[{number}]")
    return stored | ({"hours": rows} if rows else {})


def _numbers(said: Mapping[str, Any], at: str, can: TaskSupport) -> dict[str, str]:
    """What only some CRMs have, by its number."""
    found = {}
    for key, ability in NUMBERED.items():
        number = _text(said.get(key))
        if number in ("", "0"):
            continue
        if not getattr(can, ability):
            raise Malformed(f"{at}.{key}", message("tasks of this CRM have none"))
        if not is_id(number):
            raise Malformed(f"{at}.{key}", message("a number is needed, as the CRM has it"))
        found["department" if key == DEPARTMENT else "type"] = number
    return found


def _text(said: Any) -> str:
    """An id as it is stored."""
    return "" if isinstance(said, bool) or not isinstance(said, (int, str)) else str(said).strip()[:100]


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
