"""``Extra.Options``: which option of the CRM each option of the quiz means.

    [{"Record": "lead", "Question": "when", "Field": 5000, "Map": {"Прямо сейчас": 901, "Не знаю": null}}]

``null`` keeps a text in the note alone. What is called alike needs no entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.coercion import plain_choice
from connectors.messages import message
from rules.mapping.conditions import Malformed
from rules.mapping.option_map import LONGEST_OPTION
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import by_text, field_named, id_text, known, listed, record_of, shown_id

OPTIONS, RECORD, QUESTION, FIELD, MAP = "Options", "Record", "Question", "Field", "Map"
MOST_MAPS, MOST_TEXTS = 200, 500
SCHEMA: dict[str, Any] = {
    "type": "array",
    "maxItems": MOST_MAPS,
    "description": "Which option of the CRM the quiz's options mean, by question and field. Options that are "
    "called alike, but for case and typography, need no entry.",
    "items": {
        "type": "object",
        "required": [RECORD, QUESTION, FIELD, MAP],
        "properties": {
            RECORD: {"type": "string", "description": "lead, contact, company ..., as in `FieldsRule`."},
            QUESTION: {"type": "string", "description": "The question's id."},
            FIELD: {"description": "As in `FieldsRule`."},
            MAP: {
                "type": "object",
                "additionalProperties": {},
                "description": "From the quiz's text to the CRM's id of the option; null: the text stays in "
                "the note and is no loss.",
            },
        },
    },
}


def read_options(sent: Any, dialect: RuleDialect) -> list[dict[str, Any]]:
    """As they are stored (``rules.mapping.option_map``). Raises ``Malformed``."""
    stored: list[dict[str, Any]] = []
    for number, one in enumerate(listed(sent, OPTIONS, MOST_MAPS)):
        at = f"{OPTIONS}[{number}]"
        said = known(one, at, (RECORD, QUESTION, FIELD, MAP))
        record = record_of(said.get(RECORD), f"{at}.{RECORD}", dialect.mapped)
        needed = message("a question's id is needed")
        question = id_text(said.get(QUESTION), f"{at}.{QUESTION}", needed, signed=True)
        named = field_named(said.get(FIELD), f"{at}.{FIELD}")
        if any((one["record"], one["question"], one["field"]) == (record, question, named) for one in stored):
            raise Malformed(at, message("this question and field come twice"))
        meant = _map(said.get(MAP), f"{at}.{MAP}")
        stored.append({"record": record, "question": question, "field": named, "map": meant})
    return stored


def write_options(stored: Sequence[Mapping[str, Any]], dialect: RuleDialect) -> list[dict[str, Any]]:
    """As they can be sent."""
    return [
        {
            RECORD: one["record"],
            QUESTION: one["question"],
            FIELD: shown_id(one["field"], dialect),
            MAP: {
                text: None if option is None else shown_id(option, dialect)
                for text, option in one["map"].items()
            },
        }
        for one in stored
    ]


def _map(sent: Any, at: str) -> dict[str, str | None]:
    needed = message("an option of the field is needed, by its id, or null for the note alone")
    return {
        text: None if option is None else id_text(option, place, needed, signed=True)
        for text, place, option in by_text(sent, at, MOST_TEXTS, LONGEST_OPTION, plain_choice)
    }
