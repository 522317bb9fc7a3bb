"""Bodies whose every value is in its documented place and shape, told at once by compiled code. Pure.

Almost all are. Of others ``rules.mapping.payload`` says what is not, at twenty times the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

NAMES = {"quiz_id": "quizID", "answer_id": "answerID", "client_ids": "clientIDs"}


class _Quiz(msgspec.Struct, forbid_unknown_fields=True):
    title: str | None = None


class _Question(msgspec.Struct, forbid_unknown_fields=True, rename={"question_id": "questionID"}):
    question_id: str | None = None
    question: str | None = None
    type: str | None = None
    answer: Any = None


class _Body(msgspec.Struct, forbid_unknown_fields=True, rename=NAMES):
    quiz_id: Any = None
    answer_id: Any = None
    complete: bool | None = None
    quiz: _Quiz | None = None
    contact: dict[str, Any] | None = None
    answers: list[_Question] | None = None
    utm: dict[str, str | None] | None = None
    client_ids: dict[str, str | None] | None = None
    page: str | None = None
    referrer: str | None = None
    ip: str | None = None
    result: str | None = None
    price: Any = None


def is_documented(payload: Mapping[str, Any]) -> bool:
    """If so, ``unknown_keys`` and ``leftovers`` find nothing in it, and whether it is complete is clear."""
    try:
        msgspec.convert(payload, _Body)
    except (msgspec.ValidationError, UnicodeError):  # a lone surrogate is no text to it
        return False
    return True
