"""``Extra``: what a rule says beyond its contract, the same in every CRM; left out where it says nothing.

    {"SendIf": condition, "Routes": [{"Name": "Москва", "If": condition, "Then": {"PipelineID": ..., ...}}]}

Conditions are spelled as ``rules.mapping.conditions`` says. ``Then`` has keys of the CRM's own rule, and only
what differs there. Stored is ``{"send_if": ..., "routes": [{"name", "if", "then": {column: value}}]}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from accounts.rest.schema import Component
from connectors.messages import message
from rules.mapping.conditions import Malformed, read_condition, unknown_key
from rules.models import Rule
from rules.serializers.dialect import RuleDialect

EXTRA = "Extra"
SEND_IF, ROUTES = "SendIf", "Routes"
NAME, IF, THEN = "Name", "If", "Then"
TAGS = "TagsToAdd"
MOST_ROUTES, LONGEST_NAME = 50, 100
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
                        NAME: {"type": "string", "maxLength": LONGEST_NAME},
                        IF: {**OBJECT, "description": CONDITION},
                        THEN: {
                            **OBJECT,
                            "description": "Keys of the rule with what counts instead; `TagsToAdd` is added.",
                        },
                    },
                },
            },
        },
    }

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
    said = _known(sent, "", (SEND_IF, ROUTES))
    stored: dict[str, Any] = {}
    if said.get(SEND_IF) not in (None, {}):
        read_condition(said[SEND_IF], SEND_IF)
        stored["send_if"] = said[SEND_IF]
    if said.get(ROUTES) not in (None, []):
        stored["routes"] = _routes(said[ROUTES], dialect)
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
