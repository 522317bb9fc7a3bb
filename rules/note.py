"""The readable record of an answer: every question with its answer, who, from where. Pure.

What could not be placed in the CRM is added by the connector, which is the last to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.contact import part_of
from connectors.words import EN, NAMES, RU, name_of

LONGEST = 20_000
YES_NO = {RU: ("да", "нет"), EN: ("yes", "no")}
CUT = {RU: "… (обрезано, всего {} знаков)", EN: "… (cut, {} characters in all)"}


def read_note(payload: Mapping[str, Any], title: str, language: str = RU) -> str:
    """Lines for a person; at most 20,000 characters, and it says so where it was cut."""
    note = "\n".join(_lines(payload, title, language)).strip()
    return note if len(note) <= LONGEST else f"{note[:LONGEST]}\n{CUT[language].format(len(note))}"


def answer_text(value: Any, language: str = RU) -> str:
    """An answer of any shape as one line."""
    if isinstance(value, bool):
        return YES_NO[language][not value]
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (answer_text(inner, language) for inner in value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {answer_text(inner, language)}" for key, inner in value.items())
    return "" if value is None else str(value).strip()


def _lines(payload: Mapping[str, Any], title: str, language: str) -> Iterator[str]:
    yield f"{name_of('quiz', language)}: {title}"
    yield from _named(payload, ("result",), language)
    yield ""
    for item in payload.get("answers", []):
        text = answer_text(item.get("answer"), language)
        yield f"{item.get('question') or item.get('questionID')}: {text or '—'}"
    yield ""
    contact = payload.get("contact") or {}
    for key, value in contact.items():
        if text := answer_text(value, language):
            part = part_of(key)
            yield f"{name_of(part if part in NAMES else key, language)}: {text}"
    yield from _named(payload, ("page", "referrer"), language)
    for key, text in (payload.get("utm") or {}).items():
        if text:
            yield f"{key}: {text}"


def _named(payload: Mapping[str, Any], keys: Iterable[str], language: str) -> Iterator[str]:
    for key in keys:
        if text := answer_text(payload.get(key), language):
            yield f"{name_of(key, language)}: {text}"
