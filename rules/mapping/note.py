"""The readable record of an answer: every question with its answer, who, from where. Pure.

No value vanishes: each text, number and yes or no of the body stands here, whatever key it came under and
however deep. What could not be placed in the CRM is added by the connector, which is the last to know, and
which cuts the note into as many pieces as its CRM needs (``connectors.note_texts.parts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.contact import part_of
from connectors.messages import EN, RU
from connectors.note_texts import NAMES, name_of

YES_NO = {RU: ("да", "нет"), EN: ("yes", "no")}
ITEM = frozenset({"question", "questionID", "answer", "type"})
TRACKED = ("utm", "clientIDs")
LAST = ("price", "page", "referrer", "ip", *TRACKED)
IDS = ("quizID", "answerID")
WRITTEN = frozenset({"quiz", "result", "answers", "contact", *LAST, *IDS})


def read_note(payload: Mapping[str, Any], title: str, language: str = RU) -> str:
    """The lines for a person, of any length; ``title`` is what the quiz is called."""
    sections = (
        [f"{name_of('quiz', language)}: {title}", *_about_quiz(payload, title, language)],
        list(_questions(payload.get("answers"), language)),
        [*_contact(payload.get("contact"), language), *_origin(payload, language)],
        [*_unknown(payload, language), *_ids(payload, language)],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines).strip()


def answer_text(value: Any, language: str = RU) -> str:
    """An answer of any shape as one line; a file as ``plan.pdf https://...``, empty for nothing."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES_NO[language][not value]
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"  # sheets write 79161234501.0
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (answer_text(inner, language) for inner in value)))
    if isinstance(value, Mapping):
        return _object_text(value, language)
    return str(value).strip()


def _object_text(value: Mapping[str, Any], language: str) -> str:
    told = {str(key): text for key, inner in value.items() if (text := answer_text(inner, language))}
    if set(told) == {"value"}:
        return told["value"]
    if set(told) == {"url", "name"}:
        return f"{told['name']} {told['url']}"
    return ", ".join(f"{key}: {text}" for key, text in told.items())


def _about_quiz(payload: Mapping[str, Any], title: str, language: str) -> Iterator[str]:
    """The result, and what the quiz is called beside ``title``."""
    quiz = payload.get("quiz")
    if isinstance(quiz, Mapping):
        quiz = {key: value for key, value in quiz.items() if key != "title" or answer_text(value) != title}
    yield from _lines(("quiz",), quiz, language)
    yield from _lines((name_of("result", language),), payload.get("result"), language)


def _questions(answers: Any, language: str) -> Iterator[str]:
    """A line a question, in their order; the keys that we don't know stand behind its name."""
    for number, item in enumerate(answers if isinstance(answers, list) else [], start=1):
        if not isinstance(item, Mapping):
            yield from _lines(("answers", str(number)), item, language)
            continue
        name = answer_text(item.get("question"), language) or answer_text(item.get("questionID"), language)
        yield f"{name or number}: {answer_text(item.get('answer'), language) or '—'}"
        for key, value in item.items():
            if key not in ITEM:
                yield from _lines((name or str(number), str(key)), value, language)
    if not isinstance(answers, list):
        yield from _lines(("answers",), answers, language)


def _contact(contact: Any, language: str) -> Iterator[str]:
    if not isinstance(contact, Mapping):
        yield from _lines(("contact",), contact, language)
        return
    for key, value in contact.items():
        part = part_of(str(key))
        yield from _lines((name_of(part if part in NAMES else str(key), language),), value, language)


def _origin(payload: Mapping[str, Any], language: str) -> Iterator[str]:
    """Price, page and marks; a mark is called by its own name."""
    for key in LAST:
        value = payload.get(key)
        if key in TRACKED and isinstance(value, Mapping):
            for mark, text in value.items():
                yield from _lines((str(mark),), text, language)
        else:
            yield from _lines((name_of(key, language),), value, language)


def _unknown(payload: Mapping[str, Any], language: str) -> Iterator[str]:
    for key, value in payload.items():
        if key not in WRITTEN:
            yield from _lines((str(key),), value, language)


def _ids(payload: Mapping[str, Any], language: str) -> Iterator[str]:
    """What support asks for: the numbers of quiz and answer, and what the questions are called in a rule."""
    for key in IDS:
        yield from _lines((name_of(key, language),), payload.get(key), language)
    answers = payload.get("answers")
    items = [item for item in answers if isinstance(item, Mapping)] if isinstance(answers, list) else []
    asked = ((answer_text(item.get("questionID")), answer_text(item.get("type"))) for item in items)
    words = [" ".join(filter(None, pair)) for pair in asked if any(pair)]
    if words:
        yield f"{name_of('questionID', language)}: {'; '.join(words)}"


def _lines(path: tuple[str, ...], value: Any, language: str) -> Iterator[str]:
    """``extra / discount: 10``, a line for each value of a map; nothing for nothing."""
    if value is None:
        return
    if not isinstance(value, str) and isinstance(value, Mapping) and not _is_file(value):
        for key, inner in value.items():
            yield from _lines((*path, str(key)), inner, language)
    elif isinstance(value, list) and any(isinstance(inner, (Mapping, list)) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _lines((*path, str(number)), inner, language)
    elif text := answer_text(value, language):
        yield f"{' / '.join(path)}: {text}"


def _is_file(value: Iterable[Any]) -> bool:
    return set(value) == {"url", "name"}
