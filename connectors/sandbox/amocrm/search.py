"""`query=`: words and trailing digits of phones over all filled fields (reference 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\s,;«»\"()<>]+")
_DIGITS = re.compile(r"\D+")
TAIL = range(5, 16)  # how many trailing digits of a phone may be asked for


def digits(text: str) -> str:
    return _DIGITS.sub("", text)


def looks_like_phone(text: str) -> bool:
    return not re.search(r"[^\d\s()+\-.]", text) and len(digits(text)) in TAIL


def normal_phone(text: str) -> str:
    """The international form duplicate control compares: a Russian 8... is +7... (reference 5.3)."""
    number = digits(text)
    return "7" + number[1:] if len(number) == 11 and number.startswith("8") else number


def words(text: str) -> set[str]:
    found = {word.casefold() for word in _WORD.findall(text)}
    return found | {piece for word in found for piece in re.split(r"[^\w]+", word) if piece}


def keys(text: str) -> set[str]:
    if looks_like_phone(text):
        number = digits(text)
        return words(text) | {"tel:" + number[-size:] for size in TAIL if size <= len(number)}
    return words(text)


def query_keys(query: str) -> set[str]:
    if looks_like_phone(query):
        return {"tel:" + digits(query)}
    return {word.casefold() for word in _WORD.findall(query)}


class TextIndex:
    """From a word to who has it since when. What left a card is sorted out when it is looked up."""

    def __init__(self) -> None:
        self._postings: dict[str, dict[int, float]] = {}

    def add(self, number: int, texts: Iterable[str], at: float) -> None:
        for text in texts:
            for key in keys(text):
                self._postings.setdefault(key, {}).setdefault(number, at)

    def find(self, query: str, until: float) -> list[int]:
        """Ids with every word of the query, indexed no later than `until`; start from the rarest word."""
        asked = query_keys(query)
        lists = sorted((self._postings.get(key, {}) for key in asked), key=len)
        if not lists:
            return []
        first, *others = lists
        return [
            number
            for number, at in first.items()
            if at <= until and all(other.get(number, until + 1) <= until for other in others)
        ]

    @staticmethod
    def matches(texts: Iterable[str], query: str) -> bool:
        present: set[str] = set()
        for text in texts:
            present |= keys(text)
        return query_keys(query) <= present
