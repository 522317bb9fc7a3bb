"""Making custom fields, never a second one of the same name (reference 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.amocrm.fields import LONGEST_TEXT, tidy
from connectors.amocrm.lists import field_row, fields
from connectors.amocrm.people import embedded
from connectors.base import FieldWish
from connectors.draft import Target
from connectors.errors import Refused, Unclear
from connectors.http import HttpClient
from connectors.rows import FieldRow
from connectors.text import shorten

MARK_NAME = "Quiz answer id"
MARK_CODE = "QUIZ_UID"
AT_ONCE = 50  # the vendor states no maximum
LISTS = frozenset({"select", "multiselect", "radiobutton"})
# The quiz's word for a question -> amoCRM's type. An unknown word becomes a long text, which takes anything.
TYPES = {
    "text": "text",
    "string": "text",
    "name": "text",
    "phone": "text",
    "email": "text",
    "textarea": "textarea",
    "long_text": "textarea",
    "number": "numeric",
    "numeric": "numeric",
    "integer": "numeric",
    "range": "numeric",
    "rating": "numeric",
    "select": "select",
    "radio": "select",
    "radiobutton": "select",
    "variant": "select",
    "images": "select",
    "emoji": "select",
    "multiselect": "multiselect",
    "checkboxes": "multiselect",
    "checkbox": "checkbox",
    "boolean": "checkbox",
    "date": "date",
    "datetime": "date_time",
    "date_time": "date_time",
    "birthday": "birthday",
    "url": "url",
    "file": "url",
    "link": "url",
    "address": "textarea",
}


def create_fields(
    http_client: HttpClient, wishes: Sequence[FieldWish], known: Sequence[Target]
) -> list[Target]:
    """Aligned with ``wishes``: what is known, else what amoCRM has by now, else newly made fields."""
    found = {identity(t.entity, t.name, t.type): t for t in known}
    missing = [wish for wish in wishes if _key(wish) not in found]
    entities = list(dict.fromkeys(wish.entity for wish in missing))
    if missing:
        found |= {identity(t.entity, t.name, t.type): t for t in fresh(http_client, entities)}
    for entity in entities:
        wanted = {_key(wish): wish for wish in missing if wish.entity == entity and _key(wish) not in found}
        for target in _make(http_client, entity, list(wanted.values())):
            found[identity(target.entity, target.name, target.type)] = target
    return [_made(found, wish) for wish in wishes]


def fresh(http_client: HttpClient, entities: Sequence[str]) -> list[Target]:
    return [target(row) for page in fields(http_client, entities) for row in page]


def target(row: FieldRow) -> Target:
    return Target(row.entity, row.remote_id, row.name, row.type, row.code, row.options, row.multiple)


def mark_field(http_client: HttpClient, lead_fields: Iterable[FieldRow]) -> str:
    """The id of our text field on leads: found by its code, else by its name, else made."""
    texts = [row for row in lead_fields if row.type == "text"]
    by_code = [row for row in texts if row.code == MARK_CODE]
    ours = by_code or [row for row in texts if row.name == MARK_NAME and row.details.get("is_api_only")]
    if ours:
        return min((row.remote_id for row in ours), key=int)
    body = {"name": MARK_NAME, "type": "text", "code": MARK_CODE, "is_api_only": True}
    made = _post(http_client, "leads", [body])
    if not made:
        raise Unclear("amoCRM's answer doesn't name the field it made", code="no_reply")
    return made[0].remote_id


def _key(wish: FieldWish) -> tuple[str, str, str]:
    return identity(wish.entity, name_of(wish), type_of(wish))


def identity(entity: str, name: str, kind: str) -> tuple[str, str, str]:
    return entity, " ".join(name.split()).casefold(), kind


def name_of(wish: FieldWish) -> str:
    return shorten(tidy(wish.name), LONGEST_TEXT) or "Quiz"


def type_of(wish: FieldWish) -> str:
    """A list without choices can't be made: its answers go into a text."""
    kind = TYPES.get(wish.question_type.lower(), "textarea")
    return "text" if kind in LISTS and not _choices(wish) else kind


def _choices(wish: FieldWish) -> list[str]:
    return list(dict.fromkeys(filter(None, (shorten(tidy(choice), LONGEST_TEXT) for choice in wish.choices))))


def _make(http_client: HttpClient, entity: str, wishes: Sequence[FieldWish]) -> list[Target]:
    made: list[FieldRow] = []
    for start in range(0, len(wishes), AT_ONCE):
        made += _post(http_client, entity, [_body(wish) for wish in wishes[start : start + AT_ONCE]])
    return [target(row) for row in made]


def _body(wish: FieldWish) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name_of(wish), "type": type_of(wish)}
    if body["type"] in LISTS:
        choices = enumerate(_choices(wish), start=1)
        body["enums"] = [{"value": choice, "sort": sort} for sort, choice in choices]
    return body


def _post(http_client: HttpClient, entity: str, bodies: Sequence[dict[str, Any]]) -> list[FieldRow]:
    """Unsafe: a lost answer is ``Unclear``, and the next try finds the field in the fresh list."""
    reply = http_client.call("POST", f"/api/v4/{entity}/custom_fields", json=list(bodies))
    return [field_row(entity, row) for row in embedded(reply, "custom_fields")]


def _made(found: dict[tuple[str, str, str], Target], wish: FieldWish) -> Target:
    try:
        return found[_key(wish)]
    except KeyError:
        raise Refused(f"amoCRM did not make the field “{wish.name}”", code="field_not_made") from None
