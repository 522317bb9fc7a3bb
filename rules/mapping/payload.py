"""The body of an answer as intake and mapping read it. The body itself is stored as it came. Pure.

``normalised`` is the view that code works on, ``leftovers`` what that view has no place for: together they
hold every scalar of the body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import msgspec

MAPS = ("quiz", "contact")
MARKS = ("utm", "clientIDs")
TEXTS = ("page", "referrer", "ip", "result")
QUESTION_TEXTS = ("questionID", "question", "type")
KNOWN = frozenset({"quizID", "answerID", "answers", "price", "complete", *MAPS, *MARKS, *TEXTS})
QUESTION_KEYS = frozenset({*QUESTION_TEXTS, "answer"})
SCALAR = (str, int, float)
YES, NO = frozenset({"true", "1", "yes", "on", "да"}), frozenset({"false", "0", "no", "off", "нет"})


def normalised(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The body with every known key in its documented shape, or absent.

    ``null``, ``""``, ``[]`` and ``{}`` mean absent. ``quiz``, ``contact``, ``utm`` and ``clientIDs`` are
    maps, ``answers`` a list of maps with a text ``questionID`` (``""`` where none came), the other known keys
    texts. Of a mark that came as a list, the first counts. ``price``, what a question was answered, the
    values of ``contact`` and unknown keys stay as they came: their meaning is the mapping's matter.
    """
    return Reading(payload).seen


def leftovers(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What ``normalised`` leaves out, as it came, by dotted path (``utm.utm_source``, ``answers.3``)."""
    return Reading(payload).left


def unknown_keys(payload: Mapping[str, Any]) -> list[str]:
    """Dotted paths of keys outside the contract; in ``contact``, ``utm`` and ``clientIDs`` any is known."""
    found = [key for key in payload if key not in KNOWN]
    found += [f"quiz.{key}" for key in _map(payload.get("quiz")) if key != "title"]
    for number, item in enumerate(_items(payload.get("answers"))):
        found += [f"answers.{number}.{key}" for key in _map(item) if key not in QUESTION_KEYS]
    return found


def digest(payload: Mapping[str, Any]) -> str:
    """The fingerprint of what a body says, by which a repeat is told from another body under the same id.

    Bodies are the same that differ in the order of keys, in keys of absent values, in blanks around texts, in
    whether a scalar is a JSON text or not (``54``, ``"54"``), or in ``complete``.
    """
    said = _canonical({key: value for key, value in payload.items() if key != "complete"})
    return hashlib.sha256(_texts.encode(said)).hexdigest()


def former_digest(payload: Mapping[str, Any]) -> str:
    """The fingerprint that the same body got while only known keys were stored, in fixed types.

    Rows of that time keep it for ever; their repeats may come with any words that ``digest`` takes for the
    same. Bodies that were refused then have no such row, whatever this returns for them.
    """
    kept: dict[str, Any] = {"quizID": payload.get("quizID"), "answerID": payload.get("answerID")}
    for key in (*TEXTS, "quiz", "contact", "utm", "clientIDs", "answers", "price"):
        if key in payload:
            kept[key] = _former(key, payload[key])
    return _hash(kept)


def is_complete(payload: Mapping[str, Any]) -> bool:
    """Nothing more is to come under this answer id, unless the body says so (``"complete": false``)."""
    said = payload.get("complete")
    return is_absent(said) or not isinstance(said, SCALAR) or scalar_text(said).lower() not in NO


def is_completeness_told(payload: Mapping[str, Any]) -> bool:
    """Is ``complete`` absent, or a yes or no as forms write it?"""
    said = payload.get("complete")
    return is_absent(said) or (isinstance(said, SCALAR) and scalar_text(said).lower() in YES | NO)


def is_repeat(stored: str, payload: Mapping[str, Any], mark: str) -> bool:
    """Does the row with the digest ``stored`` hold this body, whose digest is ``mark``?"""
    return stored == mark or stored == former_digest(payload)


def _hash(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


_texts = msgspec.json.Encoder(order="sorted")  # writes texts, lists and maps as json.dumps does in _hash


def _canonical(value: Any) -> Any:
    """What a body says, without what is absent: that is false here, whatever it was. Most of a body are texts
    in maps, which are not worth a call each."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return {
            key: said
            for key, inner in value.items()
            if (said := inner.strip() if isinstance(inner, str) else _canonical(inner))
        }
    if isinstance(value, list):
        return [said for said in map(_canonical, value) if said]
    return None if value is None else scalar_text(value)


def _former(key: str, value: Any) -> Any:
    """A known key's value as the strict reading of former times stored it."""
    if key in TEXTS:
        return _former_text(value)
    if key == "price":
        try:
            return str(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_EVEN))
        except InvalidOperation:
            return value
    if key in MARKS:
        return {name: None if one is None else _former_text(one) for name, one in _map(value).items()}
    if key == "quiz":
        return {name: _former_text(one) for name, one in _map(value).items() if name == "title"}
    if key == "answers":
        return [
            {name: one if name == "answer" else _former_text(one) for name, one in _map(item).items()
             if name in QUESTION_KEYS}
            for item in (value if isinstance(value, list) else [])
        ]  # fmt: skip
    return value


def is_absent(value: Any) -> bool:
    """Nothing was said: ``null``, an empty or blank text, an empty list (PHP's empty map) or map."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, (list, dict)) and not value)


def scalar_text(value: Any) -> str:
    """A JSON scalar as text, numbers and booleans as JSON writes them; ``5.0`` and ``5`` are one number."""
    if type(value) is int:
        return str(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _former_text(value)


def _former_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


@dataclass(slots=True)
class Reading:
    """A body read once: ``seen`` is what ``normalised`` says, ``left`` what ``leftovers`` does."""

    payload: Mapping[str, Any]
    seen: dict[str, Any] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, value in present(self.payload).items():
            read = READERS.get(key)
            found = read(self, key, value) if read else value
            if not is_absent(found):
                self.seen[key] = found
        if quiz := self.seen.get("quiz"):
            self._replace(quiz, "quiz.title", "title")

    def _plain_map(self, path: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.left[path] = value
            return {}
        return present(value)

    def _marks(self, path: str, value: Any) -> dict[str, str]:
        read = self._plain_map(path, value)
        for key in list(read):
            self._replace(read, f"{path}.{key}", key)
        return read

    def _answers(self, path: str, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, (list, dict)):
            self.left[path] = value
        found = []
        for number, item in enumerate(_items(value)):
            if not isinstance(item, dict):
                if not is_absent(item):
                    self.left[f"{path}.{number}"] = item
                continue
            if read := present(item):
                for key in QUESTION_TEXTS:
                    if key in read:
                        self._replace(read, f"{path}.{number}.{key}", key)
                found.append({"questionID": "", **read})
        return found

    def _replace(self, read: dict[str, Any], path: str, key: str) -> None:
        """A text in place of what came under the key; no key where there is none."""
        if text := self._text(path, read.pop(key, "")):
            read[key] = text

    def _text(self, path: str, value: Any) -> str:
        """A scalar as text, of a list the first scalar; the rest is left over."""
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, list):
            first, *rest = value
            if isinstance(first, (list, dict)):
                first, rest = None, value
            if rest := [item for item in rest if not is_absent(item)]:
                self.left[path] = rest
            return "" if is_absent(first) else scalar_text(first)
        if isinstance(value, dict):
            self.left[path] = value
            return ""
        return scalar_text(value)


READERS: dict[str, Callable[[Reading, str, Any], Any]] = {
    **dict.fromkeys(MAPS, Reading._plain_map),
    **dict.fromkeys(MARKS, Reading._marks),
    **dict.fromkeys(TEXTS, Reading._text),
    "answers": Reading._answers,
}


def present(read: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is absent (``is_absent``, which most texts are not worth a call of)."""
    return {
        key: value
        for key, value in read.items()
        if (value.strip() if isinstance(value, str) else not is_absent(value))
    }


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> Iterator[Any]:
    """Questions with their answers; a map is read as question id -> answer, or as PHP's list with holes."""
    if isinstance(value, list):
        yield from value
    for key, item in _map(value).items():
        yield item if isinstance(item, dict) else {"questionID": key, "answer": item}
