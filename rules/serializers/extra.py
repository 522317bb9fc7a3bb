"""``Extra``: what a rule says beyond its contract, the same in every CRM; left out where it says nothing.

    {"SendIf": condition, "Routes": [{"Name": "Москва", "If": condition, "Then": {"PipelineID": ..., ...}}],
     "Title": text, "Note": text, "Sum": text, "Values": [{"Record": "lead", "Field": 5000, "Value": text}],
     "Existing": {"Contact": {"Mode": "fill", "Append": true, "Fields": {"5000": "overwrite"}}},
     "Options": [{"Record": "lead", "Question": "when", "Field": 5000, "Map": {"Прямо сейчас": 901}}],
     "Repeated": {"Do": "note", "WithinDays": 30},
     "Responsible": {"Own": true, "By": "answer.city", "Map": {"Тула": 902},
                     "People": [{"PerformerID": 901}]},
     "Task": {"Text": text, "Minutes": 15, "PerformerID": 901}}

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
from rules.mapping.conditions import LONGEST_TEXT, Malformed, read_condition, same_text
from rules.mapping.responsible import MOST_WEIGHT, read_absence, read_shift
from rules.mapping.templates import LONGEST, WHAT, read_text, value_word
from rules.mapping.values import is_name
from rules.models import Rule
from rules.serializers import repeated
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_existing import EXISTING, read_existing, shown_existing
from rules.serializers.extra_existing import SCHEMA as EXISTING_SCHEMA
from rules.serializers.extra_options import OPTIONS, SCHEMA, read_options, write_options
from rules.serializers.extra_parts import (
    MOST_SPANS,
    by_text,
    field_named,
    flag,
    known,
    listed,
    person_named,
    record_of,
    shown_id,
    spans,
    whole,
)
from rules.serializers.extra_task import TASK, read_task, shown_task, task_schema
from rules.serializers.repeated import REPEATED

EXTRA = "Extra"
SEND_IF, ROUTES = "SendIf", "Routes"
NAME, IF, THEN = "Name", "If", "Then"
TEXTS = {"Title": "title", "Note": "note", "Sum": "sum"}
VALUES, RECORD, FIELD, VALUE = "Values", "Record", "Field", "Value"
RESPONSIBLE, OWN, BY, MAP, PEOPLE = "Responsible", "Own", "By", "Map", "People"
PERFORMER, WEIGHT, HOURS, AWAY = "PerformerID", "Weight", "Hours", "Away"
DAYS, FROM, TO = "Days", "From", "To"
KEYS = (SEND_IF, ROUTES, *TEXTS, VALUES, RESPONSIBLE, OPTIONS, EXISTING, TASK, REPEATED)
TAGS = "TagsToAdd"
MOST_ROUTES, MOST_VALUES, LONGEST_NAME = 50, 100, 100
MOST_PEOPLE, MOST_TEXTS = 200, 500
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
NO_OWNER = message("This CRM's API does not tell who looks after a contact before a lead is made")
OBJECT = {"type": "object", "additionalProperties": {}}


WEEKDAYS = {"type": "array", "items": {"type": "integer"}, "description": "1 (Monday) to 7, or all."}
CLOCK = {"type": "string", "description": "A time of day, such as 09:00; 24:00 is the day's end."}
DATE = {"type": "string", "format": "date", "description": "A day; both belong to the absence."}
PERSON: dict[str, Any] = {
    "type": "object",
    "required": [PERFORMER],
    "properties": {
        PERFORMER: {"description": "As in the rule."},
        WEIGHT: {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_WEIGHT,
            "description": "1 where it is missing.",
        },
        HOURS: {
            "type": "array",
            "maxItems": MOST_SPANS,
            "description": "By the account's clock; `Days` are 1 (Monday) to 7, all where it is missing.",
            "items": {
                "type": "object",
                "required": [FROM, TO],
                "properties": {DAYS: WEEKDAYS, FROM: CLOCK, TO: CLOCK},
            },
        },
        AWAY: {
            "type": "array",
            "maxItems": MOST_SPANS,
            "description": "First and last days of absences.",
            "items": {"type": "object", "required": [FROM, TO], "properties": {FROM: DATE, TO: DATE}},
        },
    },
}


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
                            "description": "Keys of the rule with what counts instead, `Task` among them; "
                            "`TagsToAdd` is added.",
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
                "description": "Texts of the rule's own for further fields.",
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
            OPTIONS: SCHEMA,
            EXISTING: EXISTING_SCHEMA,
            TASK: task_schema(TEXT, PERSON["properties"][HOURS]),
            RESPONSIBLE: {
                "type": "object",
                "description": "Who looks after the leads, unless a route says so: with `Own` whoever looks "
                "after the contact that is there, else whom the text of `By` names in `Map`, "
                "else the people by turns, those who work at that hour.",
                "properties": {
                    OWN: {
                        "type": "boolean",
                        "description": "Whoever looks after the person's contact already comes first.",
                    },
                    BY: {"type": "string", "description": "A name as in conditions."},
                    MAP: {**OBJECT, "description": "From texts to `PerformerID`s."},
                    PEOPLE: {
                        "type": "array",
                        "maxItems": MOST_PEOPLE,
                        "items": PERSON,
                        "description": "They have turns, as often as their weights say.",
                    },
                },
            },
            REPEATED: repeated.SCHEMA,
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
    said = known(sent, "", KEYS)
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
    if said.get(OPTIONS) not in (None, []):
        stored["options"] = read_options(said[OPTIONS], dialect)
    if said.get(RESPONSIBLE) not in (None, {}):
        stored["responsible"] = _responsible(said[RESPONSIBLE], dialect)
    if existing := read_existing(said.get(EXISTING), dialect):
        stored["existing"] = existing
    if task := read_task(said.get(TASK), TASK, dialect):
        stored["task"] = task
    if said.get(REPEATED) not in (None, {}):
        stored |= repeated.read_repeated(said[REPEATED], dialect.can.joins)
    return stored


def write_extra(rule: Rule, dialect: RuleDialect) -> dict[str, Any]:
    """``{"Extra": ...}`` as it can be sent, or nothing."""
    shown: dict[str, Any] = {}
    if send_if := rule.extra.get("send_if"):
        shown[SEND_IF] = send_if
    if routes := rule.extra.get("routes"):
        shown[ROUTES] = [
            {NAME: one["name"], IF: one["if"], THEN: _shown(one, rule, dialect)} for one in routes
        ]
    shown |= {name: rule.extra[key] for name, key in TEXTS.items() if key in rule.extra}
    if values := rule.extra.get("values"):
        shown[VALUES] = [
            {RECORD: one["record"], FIELD: shown_id(one["field"], dialect), VALUE: one["value"]}
            for one in values
        ]
    if options := rule.extra.get("options"):
        shown[OPTIONS] = write_options(options, dialect)
    if responsible := rule.extra.get("responsible"):
        shown[RESPONSIBLE] = _shown_responsible(responsible, dialect)
    if existing := rule.extra.get("existing"):
        shown[EXISTING] = shown_existing(existing)
    if task := shown_task(rule.extra.get("task", {}), dialect):
        shown[TASK] = task
    if on_repeat := rule.extra.get("repeated"):
        shown[REPEATED] = repeated.shown_repeated(on_repeat)
    return {EXTRA: shown} if shown else {}


def _routes(sent: Any, dialect: RuleDialect) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = []
    for number, one in enumerate(listed(sent, ROUTES, MOST_ROUTES)):
        at = f"{ROUTES}[{number}]"
        said = known(one, at, (NAME, IF, THEN))
        name = said.get(NAME, "")
        if not isinstance(name, str) or len(name.strip()) > LONGEST_NAME:
            raise Malformed(
                f"{at}.{NAME}", message("a text of at most {most} characters is needed", most=LONGEST_NAME)
            )
        name = name.strip() or f"Route {number + 1}"
        if name in (route["name"] for route in routes):
            raise Malformed(f"{at}.{NAME}", message("another route has this name already"))
        read_condition(said.get(IF), f"{at}.{IF}")
        routes.append({"name": name, "if": said[IF], **_then(said.get(THEN), f"{at}.{THEN}", dialect)})
    return routes


def _values(sent: Any, dialect: RuleDialect) -> list[dict[str, str]]:
    records, values = {*dialect.mapped, "contact"}, []
    for number, one in enumerate(listed(sent, VALUES, MOST_VALUES)):
        at = f"{VALUES}[{number}]"
        said = known(one, at, (RECORD, FIELD, VALUE))
        record = record_of(said.get(RECORD), f"{at}.{RECORD}", records)
        field = field_named(said.get(FIELD), f"{at}.{FIELD}")
        text = read_text(said.get(VALUE), f"{at}.{VALUE}", value_word(number))
        if not text.source.strip():
            raise Malformed(f"{at}.{VALUE}", message("a text or a number is needed"))
        values.append({"record": record, "field": field, "value": text.source})
    return values


def _responsible(sent: Any, dialect: RuleDialect) -> dict[str, Any]:
    said = known(sent, RESPONSIBLE, (OWN, BY, MAP, PEOPLE))
    stored: dict[str, Any] = {}
    if flag(said.get(OWN), f"{RESPONSIBLE}.{OWN}"):
        if not dialect.can.tells_owner:
            raise Malformed(f"{RESPONSIBLE}.{OWN}", NO_OWNER)
        stored["own"] = True
    if said.get(BY) not in (None, "") or said.get(MAP) not in (None, {}):
        if not isinstance(said.get(BY), str) or not is_name(said[BY]):
            words = message("{names} and the like are needed", names="answer.<questionID>, contact.<part>")
            raise Malformed(f"{RESPONSIBLE}.{BY}", words)
        texts = by_text(said.get(MAP), f"{RESPONSIBLE}.{MAP}", MOST_TEXTS, LONGEST_TEXT, same_text)
        stored["by"] = said[BY]
        stored["map"] = {text: person_named(who, place, dialect) for text, place, who in texts}
    if said.get(PEOPLE) not in (None, []):
        stored["people"] = _people(said[PEOPLE], dialect)
    if not stored:
        names = f"{OWN}, {PEOPLE}, {MAP}"
        raise Malformed(RESPONSIBLE, message("it names nobody: {names} are needed", names=names))
    return stored


def _people(sent: Any, dialect: RuleDialect) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    for number, one in enumerate(listed(sent, f"{RESPONSIBLE}.{PEOPLE}", MOST_PEOPLE)):
        at = f"{RESPONSIBLE}.{PEOPLE}[{number}]"
        said = known(one, at, (PERFORMER, WEIGHT, HOURS, AWAY))
        performer = person_named(said.get(PERFORMER), f"{at}.{PERFORMER}", dialect)
        person: dict[str, Any] = {"performer": performer}
        if person["performer"] in (other["performer"] for other in people):
            raise Malformed(f"{at}.{PERFORMER}", message("this person is in the list already"))
        person["weight"] = whole(said.get(WEIGHT, 1), f"{at}.{WEIGHT}", MOST_WEIGHT)
        if hours := spans(said.get(HOURS), f"{at}.{HOURS}", (DAYS, FROM, TO), read_shift):
            person["hours"] = hours
        if away := spans(said.get(AWAY), f"{at}.{AWAY}", (FROM, TO), read_absence):
            person["away"] = away
        people.append(person)
    return people


def _shown_responsible(stored: Mapping[str, Any], dialect: RuleDialect) -> dict[str, Any]:
    shown: dict[str, Any] = {OWN: True} if stored.get("own") else {}
    if "by" in stored:
        shown[BY] = stored["by"]
        shown[MAP] = {text: shown_id(who, dialect) for text, who in stored["map"].items()}
    if "people" in stored:
        shown[PEOPLE] = [
            {
                PERFORMER: shown_id(one["performer"], dialect),
                WEIGHT: one["weight"],
                **{key: one[key.lower()] for key in (HOURS, AWAY) if key.lower() in one},
            }
            for one in stored["people"]
        ]
    return shown


def _then(sent: Any, at: str, dialect: RuleDialect) -> dict[str, Any]:
    """``then`` by model field, as the CRM's own rule reads them, and ``task`` where the route says it."""
    said = known(sent, at, (*dialect.places, *dialect.choices, TAGS, TASK))
    if not said:
        raise Malformed(at, message("it says nothing: name what is to be another than the rule's own"))
    own = {}
    if TASK in said:
        own["task"] = read_task(said.pop(TASK), f"{at}.{TASK}", dialect)
    try:
        return {"then": dialect.read(said, partial=True), **own}
    except ValidationError as error:
        raise ValidationError({f"{EXTRA}.{at}": error.detail}) from error


def _shown(route: Mapping[str, Any], rule: Rule, dialect: RuleDialect) -> dict[str, Any]:
    """Only what the route says, as the CRM's own rule spells it."""
    then = route["then"]
    imagined = Rule(account=rule.account, quiz_id=rule.quiz_id, **then)
    whole = dialect.write(imagined)
    names = [name for name, column in dialect.places.items() if column in then]
    names += [name for name, key in dialect.choices.items() if key in then.get("choices", {})]
    names += [TAGS] if "tags_to_add" in then else []
    task = {TASK: shown_task(route["task"], dialect)} if "task" in route else {}
    return {name: whole[name] for name in names} | task
