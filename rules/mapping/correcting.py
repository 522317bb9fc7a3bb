"""One value of a stored body, read and set: ``answer.<questionID>`` or ``contact.<key>``. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contact import part_of

ANSWER, CONTACT = "answer", "contact"


def values_in(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(name, what people call it, value) of all that can be set right."""
    contact = body.get(CONTACT)
    for key, value in contact.items() if isinstance(contact, Mapping) else ():
        yield f"{CONTACT}.{key}", str(key), value
    for holder, key, question in _questions(body):
        item: Any = holder[key]
        if isinstance(item, Mapping):
            yield f"{ANSWER}.{question}", str(item.get("question") or question), item.get("answer")
        else:
            yield f"{ANSWER}.{question}", question, item


def value_of(body: Mapping[str, Any], name: str) -> Any:
    """None where there is none. Raises ``KeyError`` for a name that this body has no place for."""
    place, key = _place(dict(body), name)
    return place.get(key) if isinstance(place, dict) else place[key]


def with_value(body: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """A copy of the body with this value. Raises ``KeyError`` for a name that it has no place for."""
    changed = copy.deepcopy(dict(body))
    place, key = _place(changed, name)
    place[key] = value
    return changed


def _place(body: dict[str, Any], name: str) -> tuple[Any, Any]:
    """(map or list, key) where the value stands; a part of the contact form may be new."""
    group, _, key = name.partition(".")
    if group == CONTACT and key:
        contact = body.setdefault(CONTACT, {})
        if not isinstance(contact, dict):
            if contact not in (None, "", []):
                raise KeyError(name)
            contact = body[CONTACT] = {}
        alike = [own for own in contact if own == key] or [own for own in contact if part_of(own) == key]
        if len(alike) > 1:
            raise KeyError(name)
        return contact, alike[0] if alike else key
    for holder, place, question in _questions(body) if group == ANSWER and key else ():
        if question == key:
            item = holder[place]
            return (item, "answer") if isinstance(item, dict) else (holder, place)
    raise KeyError(name)


def _questions(body: Mapping[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    """(list or map, key in it, question id) of each question, in both shapes that bodies have."""
    answers = body.get("answers")
    if isinstance(answers, list):
        for number, item in enumerate(answers):
            if isinstance(item, Mapping) and item.get("questionID") not in (None, ""):
                yield answers, number, str(item["questionID"])
    elif isinstance(answers, Mapping):
        for key, item in answers.items():
            own = item.get("questionID") if isinstance(item, Mapping) else None
            yield answers, key, str(own or key)
