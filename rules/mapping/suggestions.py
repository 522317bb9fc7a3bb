"""Which field of the CRM a question may be meant for, judged by names and types. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rapidfuzz import fuzz

from connectors.draft import Target

ALIKE = 80  # per cent of two names that must be the same; below it a person chooses
# Types of fields that hold what a question of a type brings, whatever the CRM calls them.
FITTING = {
    "number": ("num", "int", "double", "float", "money", "monetary", "text", "string"),
    "date": ("date", "text", "string"),
    "file": ("file", "url", "text", "string"),
}
NOT_FOR_ANSWERS = ("tracking_data",)  # statistics that the CRM or we fill


def suggested(
    questions: Mapping[str, Mapping[str, Any]], fields: Iterable[Target], taken: Iterable[str] = ()
) -> dict[str, Target]:
    """``{question id: field}`` for questions whose title is (nearly) a field's name, each field once.

    ``questions`` are as ``rules.mapping.quiz`` tells them, ``taken`` the remote ids of fields in use.
    """
    free = {field.remote_id: field for field in fields if field.type not in NOT_FOR_ANSWERS}
    for remote_id in taken:
        free.pop(remote_id, None)
    found: dict[str, Target] = {}
    for _, question, field in sorted(_pairs(questions, free.values()), key=lambda pair: -pair[0]):
        if question not in found and field.remote_id in free:
            found[question] = free.pop(field.remote_id)
    return found


def _pairs(
    questions: Mapping[str, Mapping[str, Any]], fields: Iterable[Target]
) -> Iterator[tuple[float, str, Target]]:
    """(likeness, question id, field) of all that are alike enough."""
    named = [(plain(field.name), field) for field in fields]
    for question, words in questions.items():
        title = plain(str(words.get("title") or ""))
        for name, field in named:
            if title and name and fits(str(words.get("type") or ""), field.type):
                likeness = fuzz.ratio(title, name, score_cutoff=ALIKE)
                if likeness:
                    yield likeness, question, field


def fits(question_type: str, field_type: str) -> bool:
    """May a field of this type hold what a question of that type brings? What nobody knows may."""
    fitting = FITTING.get(question_type.lower())
    return fitting is None or any(word in field_type.lower() for word in fitting)


def plain(text: str) -> str:
    """Letters and digits alone, in lower case, ``ё`` as ``е``."""
    return re.sub(r"[\W_]+", " ", text.casefold().replace("ё", "е")).strip()
