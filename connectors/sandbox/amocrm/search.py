"""`query=`: words and trailing digits of phones over all filled fields (reference 5.1).

A phone counts wherever it stands in a text: others got hits for phones that are kept with an extension, a
name or a second number beside them (drillcoder/AmoCRM_Wrap issue 4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\s,;«»\"()<>]+")
_NUMBER = re.compile(r"[\d\s()+\-.]+")
_DIGITS = re.compile(r"\D+")
LONG = 10  # digits of a phone with its area code
TAIL = range(5, 16)  # how many trailing digits of a phone may be asked for


def digits(text: str) -> str:
    return _DIGITS.sub("", text)


def numbers(text: str) -> list[str]:
    """The digits of each phone in a text; beside other words only long ones are phones."""
    if looks_like_phone(text):
        return [digits(text)]
    found = (digits(run) for run in _NUMBER.findall(text))
    return [number for number in found if LONG <= len(number) < TAIL.stop]


def looks_like_phone(text: str) -> bool:
    return not re.search(r"[^\d\s()+\-.]", text) and len(digits(text)) in TAIL


def normal_phone(text: str) -> str:
    """The international form duplicate control compares: a Russian 8... is +7... (reference 5.3)."""
    number = digits(text)
    return "7" + number[1:] if len(number) == 11 and number.startswith("8") else number


def words(text: str) -> set[str]:
    found = {word.casefold() for word in _WORD.findall(text)}
    return found | {piece for word in found for piece in re.split(r"[^\w]+", word) if piece}


def asked_words(query: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(query)}


def _tail(text: str) -> str:
    return "tel:" + digits(text)[-TAIL.start :]


class TextIndex:
    """From a word to who has it since when. What left a card is sorted out when it is looked up.

    Most words are somebody's own (a phone, a mark): those cost a pair, not a dictionary.
    """

    def __init__(self) -> None:
        self._postings: dict[str, tuple[int, float] | dict[int, float]] = {}

    def add(self, number: int, texts: Iterable[str], at: float) -> None:
        for text in texts:
            for key in words(text):
                self._post(key, number, at)
            for phone in numbers(text):
                self._post(_tail(phone), number, at)

    def _post(self, key: str, number: int, at: float) -> None:
        known = self._postings.get(key)
        if known is None:
            self._postings[key] = (number, at)
        elif isinstance(known, dict):
            known.setdefault(number, at)
        elif known[0] != number:
            self._postings[key] = {known[0]: known[1], number: at}

    def _who(self, key: str) -> dict[int, float]:
        known = self._postings.get(key, {})
        return known if isinstance(known, dict) else {known[0]: known[1]}

    def find(self, query: str, until: float) -> set[int]:
        """Ids that may match, indexed no later than `until`; starts from the rarest word."""
        lists = sorted((self._who(word) for word in asked_words(query)), key=len)
        found: set[int] = set()
        if lists:
            rarest, *others = lists
            found = {n for n in rarest if all(n in other for other in others)}
            found = {n for n in found if all(one[n] <= until for one in lists)}
        if looks_like_phone(query):
            found |= {number for number, at in self._who(_tail(query)).items() if at <= until}
        return found


def matches(texts: Iterable[str], query: str) -> bool:
    """Whether a card, as it is now, has every word, or a phone that ends like the query."""
    kept = list(texts)
    if looks_like_phone(query):
        end = digits(query)
        if any(number.endswith(end) for text in kept for number in numbers(text)):
            return True
    present: set[str] = set()
    for text in kept:
        present |= words(text)
    return asked_words(query) <= present
