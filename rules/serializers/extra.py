"""``Extra``: what a rule says beyond its contract, the same in every CRM; left out where it says nothing.

    {"SendIf": condition, "Routes": [{"Name": "Москва", "If": condition, "Then": {"PipelineID": ..., ...}}],
     "Title": text, "Note": text, "Sum": text, "Values": [{"Record": "lead", "Field": 5000, "Value": text}]}

Conditions are spelled as ``rules.mapping.conditions`` says, texts as ``rules.mapping.templates``
does. ``Then`` has keys of the CRM's own rule, and only what differs there. Stored are the same parts by
lower-case names (``send_if``, ``routes``, ``title`` ...), of ``then`` by the columns of ``Rule``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from accounts.rest.schema import Component
from connectors.messages import message
from rules.mapping.conditions import Malformed, read_condition, unknown_key
from rules.mapping.rule_snapshot import is_wish
from rules.mapping.templates import LONGEST, WHAT, read_text, value_word
from rules.models import Rule
from rules.serializers.dialect import RuleDialect

EXTRA = "Extra"
SEND_IF, ROUTES = "SendIf", "Routes"
NAME, IF, THEN = "Name", "If", "Then"
TEXTS = {"Title": "title", "Note": "note", "Sum": "sum"}
VALUES, RECORD, FIELD, VALUE = "Values", "Record", "Field", "Value"
KEYS = (SEND_IF, ROUTES, *TEXTS, VALUES)
TAGS = "TagsToAdd"
MOST_ROUTES, MOST_VALUES, LONGEST_NAME = 50, 100, 100
TEXT = (
    "`{{ contact.name }}`, `{{ answer.area | number }}`, `{{ utm.source | default('-') }}`, "
    "`{{ quiz.title }}`, `{{ date }}`, `{% if ... %}`; filters are default, upper, lower, capitalize, title, "
    "trim, number, date and digits. Without gaps it is a constant."
)
CONDITION = (
    "`{all: [...]}`, `{any: [...]}`, `{not: {...}}`, or `{value: name}` with one of `equals`, `oneOf`, "
    "`contains`, `between` and `empty`; names are `answer.<questionID>`, `contact.<part>`, `utm.<mark>`, "
    "`sum`, `hour`, `weekday`, `page`, `referrer` and `result`."
)
OBJECT = {"type": "object", "additionalProperties": {}}


class RuleExtra(Component):
    """Checked by ``read_extra``, which knows the CRM's rule."""

    component = "RuleExtra"
    schema = {
        "type": "object",
        "description": "What a rule says beyond its contract; sent, it replaces all that was there.",
        "properties": {
            SEND_IF: {**OBJECT, "description": f"Answers that do not fit are left out. {CONDITION}"},
            ROUTES: {
                "type": "array",
                "maxItems": MOST_ROUTES,
                "description": "The first that fits says where the lead goes; none: the rule itself does.",
                "items": {
                    "type": "object",
                    "required": [IF, THEN],
                    "properties": {
                        NAME: {
                            "type": "string",
                            "maxLength": LONGEST_NAME,
                            "description": "What people call it; a delivery tells its route by it.",
                        },
                        IF: {**OBJECT, "description": CONDITION},
                        THEN: {
                            **OBJECT,
                            "description": "Keys of the rule with what counts instead; `TagsToAdd` is added.",
                        },
                    },
                },
            },
            "Title": {"type": "string", "maxLength": LONGEST, "description": f"The lead's title. {TEXT}"},
            "Note": {"type": "string", "maxLength": LONGEST, "description": f"Above the note. {TEXT}"},
            "Sum": {"type": "string", "maxLength": LONGEST, "description": f"Instead of the price. {TEXT}"},
            VALUES: {
                "type": "array",
                "maxItems": MOST_VALUES,
                "items": {
                    "type": "object",
                    "required": [RECORD, FIELD, VALUE],
                    "properties": {
                        RECORD: {"type": "string", "description": "lead, contact, company ..."},
                        FIELD: {"description": "As in `FieldsRule`."},
                        VALUE: {"type": "string", "maxLength": LONGEST, "description": TEXT},
                    },
                },
            },
        },
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"help_text": "which answers go, and where; missing: all, by the rule itself"} | options
        )

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def extra_changes(sent: Mapping[str, Any], dialect: RuleDialect) -> dict[str, Any]:
    """The changes of a request that has ``Extra``, by model field. Raises DRF's ``ValidationError``."""
    if EXTRA not in sent:
        return {}
    try:
        return {"extra": read_extra(sent[EXTRA], dialect)}
    except Malformed as error:
        raise ValidationError({f"{EXTRA}.{error.at}".strip("."): [error.message]}) from error


def read_extra(sent: Any, dialect: RuleDialect) -> dict[str, Any]:
    """As it is stored. Raises ``Malformed`` with the place below ``Extra``, and DRF's ``ValidationError`` for
    what the CRM's own rule would not take, either."""
    said = _known(sent, "", KEYS)
    stored: dict[str, Any] = {}
    if said.get(SEND_IF) not in (None, {}):
        read_condition(said[SEND_IF], SEND_IF)
        stored["send_if"] = said[SEND_IF]
    if said.get(ROUTES) not in (None, []):
        stored["routes"] = _routes(said[ROUTES], dialect)
    for name, key in TEXTS.items():
        if said.get(name) not in (None, ""):
            stored[key] = read_text(said[name], name, WHAT[key]).source
    if said.get(VALUES) not in (None, []):
        stored["values"] = _values(said[VALUES], dialect)
    return stored


def write_extra(rule: Rule, dialect: RuleDialect) -> dict[str, Any]:
    """``{"Extra": ...}`` as it can be sent, or nothing."""
    shown: dict[str, Any] = {}
    if send_if := rule.extra.get("send_if"):
        shown[SEND_IF] = send_if
    if routes := rule.extra.get("routes"):
        shown[ROUTES] = [
            {NAME: one["name"], IF: one["if"], THEN: _shown(one["then"], rule, dialect)} for one in routes
        ]
    shown |= {name: rule.extra[key] for name, key in TEXTS.items() if key in rule.extra}
    if values := rule.extra.get("values"):
        shown[VALUES] = [
            {RECORD: one["record"], FIELD: _field_id(one["field"], dialect), VALUE: one["value"]}
            for one in values
        ]
    return {EXTRA: shown} if shown else {}


def _routes(sent: Any, dialect: RuleDialect) -> list[dict[str, Any]]:
    if not isinstance(sent, list) or len(sent) > MOST_ROUTES:
        raise Malformed(ROUTES, message("a list of at most {most} routes is needed", most=MOST_ROUTES))
    routes: list[dict[str, Any]] = []
    for number, one in enumerate(sent):
        at = f"{ROUTES}[{number}]"
        said = _known(one, at, (NAME, IF, THEN))
        name = str(said.get(NAME) or "").strip() or f"Route {number + 1}"
        if not isinstance(said.get(NAME, ""), str) or len(name) > LONGEST_NAME:
            raise Malformed(
                f"{at}.{NAME}", message("a text of at most {most} characters is needed", most=LONGEST_NAME)
            )
        if name in (route["name"] for route in routes):
            raise Malformed(f"{at}.{NAME}", message("another route has this name already"))
        read_condition(said.get(IF), f"{at}.{IF}")
        routes.append({"name": name, "if": said[IF], "then": _then(said.get(THEN), f"{at}.{THEN}", dialect)})
    return routes


def _values(sent: Any, dialect: RuleDialect) -> list[dict[str, str]]:
    if not isinstance(sent, list) or len(sent) > MOST_VALUES:
        raise Malformed(VALUES, message("a list of at most {most} values is needed", most=MOST_VALUES))
    records, values = {*dialect.mapped, "contact"}, []
    for number, one in enumerate(sent):
        at = f"{VALUES}[{number}]"
        said = _known(one, at, (RECORD, FIELD, VALUE))
        record, field = str(said.get(RECORD) or "").lower(), said.get(FIELD)
        if record not in records:
            raise Malformed(
                f"{at}.{RECORD}", message("one of {names} is needed", names=", ".join(sorted(records)))
            )
        if isinstance(field, bool) or not isinstance(field, (int, str)) or is_wish(str(field).strip()):
            raise Malformed(f"{at}.{FIELD}", message("a field is needed, by its id or code"))
        if len(str(field)) > LONGEST_NAME:
            raise Malformed(f"{at}.{FIELD}", message("longer than {most} characters", most=LONGEST_NAME))
        text = read_text(said.get(VALUE), f"{at}.{VALUE}", value_word(number))
        if not text.source.strip():
            raise Malformed(f"{at}.{VALUE}", message("a text or a number is needed"))
        values.append({"record": record, "field": str(field).strip(), "value": text.source})
    return values


def _field_id(field: str, dialect: RuleDialect) -> int | str:
    """In the type that this contract uses for field ids."""
    return int(field) if dialect.lists_of_maps and field.isdecimal() else field


def _then(sent: Any, at: str, dialect: RuleDialect) -> dict[str, Any]:
    """By model field, as the CRM's own rule reads them."""
    said = _known(sent, at, (*dialect.places, *dialect.choices, TAGS))
    if not said:
        raise Malformed(at, message("it says nothing: name what is to be another than the rule's own"))
    try:
        return dialect.read(said, partial=True)
    except ValidationError as error:
        raise ValidationError({f"{EXTRA}.{at}": error.detail}) from error


def _shown(then: Mapping[str, Any], rule: Rule, dialect: RuleDialect) -> dict[str, Any]:
    """Only what the route says, as the CRM's own rule spells it."""
    imagined = Rule(account=rule.account, quiz_id=rule.quiz_id, **then)
    whole = dialect.write(imagined)
    names = [name for name, column in dialect.places.items() if column in then]
    names += [name for name, key in dialect.choices.items() if key in then.get("choices", {})]
    names += [TAGS] if "tags_to_add" in then else []
    return {name: whole[name] for name in names}


def _known(sent: Any, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The object's keys as they are documented, whatever their case."""
    if not isinstance(sent, Mapping):
        raise Malformed(at, message("an object is needed, with keys out of {names}", names=", ".join(names)))
    spelled = {name.casefold(): name for name in names}
    for key in sent:
        if str(key).casefold() not in spelled:
            raise Malformed(f"{at}.{key}".strip("."), unknown_key(str(key), names))
    return {spelled[str(key).casefold()]: value for key, value in sent.items()}
