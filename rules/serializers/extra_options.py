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
from rules.mapping.rule_snapshot import is_wish
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import known, listed, shown_id

OPTIONS, RECORD, QUESTION, FIELD, MAP = "Options", "Record", "Question", "Field", "Map"
MOST_MAPS, MOST_TEXTS, LONGEST_ID = 200, 500, 100
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
        record = str(said.get(RECORD) or "").lower()
        if record not in dialect.mapped:
            names = ", ".join(sorted(dialect.mapped))
            raise Malformed(f"{at}.{RECORD}", message("one of {names} is needed", names=names))
        question = _text(said.get(QUESTION), f"{at}.{QUESTION}", message("a question's id is needed"))
        where = message("a field is needed, by its id or code")
        named = _text(said.get(FIELD), f"{at}.{FIELD}", where)
        if is_wish(named):
            raise Malformed(f"{at}.{FIELD}", where)
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
    if not isinstance(sent, Mapping) or not sent or len(sent) > MOST_TEXTS:
        raise Malformed(at, message("an object of at most {most} texts is needed", most=MOST_TEXTS))
    meant: dict[str, str | None] = {}
    plain: set[str] = set()
    for key, option in sent.items():
        text = str(key).strip()
        if not text or len(text) > LONGEST_OPTION:
            raise Malformed(
                f"{at}.{key[:LONGEST_OPTION]}",
                message("a text of at most {most} characters is needed", most=LONGEST_OPTION),
            )
        if plain_choice(text) in plain:
            raise Malformed(f"{at}.{text}", message("this text comes twice, but for case or typography"))
        plain.add(plain_choice(text))
        needed = message("an option of the field is needed, by its id, or null for the note alone")
        meant[text] = None if option is None else _text(option, f"{at}.{text}", needed)
    return meant


def _text(sent: Any, at: str, needed: str) -> str:
    """An id that came as a number or a text."""
    text = "" if isinstance(sent, bool) or not isinstance(sent, (int, str)) else str(sent).strip()
    if not text or len(text) > LONGEST_ID:
        raise Malformed(at, needed)
    return text
