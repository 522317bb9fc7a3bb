"""The readable record of an answer: every question with its answer, who, from where. Pure.

What could not be placed in the CRM is added by the connector, which is the last to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.person import texts

LONGEST = 20_000
WORDS = {
    "name": "Имя",
    "phone": "Телефон",
    "email": "E-mail",
    "company": "Компания",
    "city": "Город",
    "page": "Страница",
    "referrer": "Откуда пришли",
    "result": "Результат",
}


def read_note(payload: Mapping[str, Any], title: str) -> str:
    """Lines for a person; at most 20,000 characters, and it says so where it was cut."""
    note = "\n".join(_lines(payload, title)).strip()
    return note if len(note) <= LONGEST else f"{note[:LONGEST]}\n… (обрезано, всего {len(note)} знаков)"


def answer_text(value: Any) -> str:
    """An answer of any shape as one line."""
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(answer_text, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {answer_text(inner)}" for key, inner in value.items())
    return "" if value is None else str(value).strip()


def _lines(payload: Mapping[str, Any], title: str) -> Iterator[str]:
    yield f"Квиз: {title}"
    if result := answer_text(payload.get("result")):
        yield f"{WORDS['result']}: {result}"
    yield ""
    for item in payload.get("answers", []):
        yield f"{item.get('question') or item.get('questionID')}: {answer_text(item.get('answer')) or '—'}"
    yield ""
    contact = payload.get("contact") or {}
    for key in contact:
        if text := ", ".join(texts(contact, key)):
            yield f"{WORDS.get(key, key)}: {text}"
    for key in ("page", "referrer"):
        if text := answer_text(payload.get(key)):
            yield f"{WORDS[key]}: {text}"
    for key, text in (payload.get("utm") or {}).items():
        if text:
            yield f"{key}: {text}"
