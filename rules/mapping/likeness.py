"""Which option of the CRM may be meant by an option of the quiz, judged by their words. Pure.

What is ``LIKELY`` is preselected for a person, who saves it or not; nothing is sent by likeness alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from connectors.draft import Option
from rules.mapping.suggestions import plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIKELY = 85  # per cent of two texts, their words in any order, that must be the same
AHEAD = 5  # per cent by which the likeliest must be ahead of the next: else a person chooses
WORTH_SHOWING = 50
MOST_SHOWN = 3
MARKS = re.compile(r"[<>≤≥+]|\w+")
NUMBER = re.compile(r"\d+")
# Words that turn the meaning round: two texts that differ in one of them are not alike, however close.
TURNING = _words(
    "не нет без кроме до от после более менее больше меньше свыше выше ниже с по no not none without except "
    "to from up under over more less above below before after < > ≤ ≥ +"
)
Offer = tuple[Option, int]  # and how alike it is, in per cent


def offers(text: str, options: Iterable[Option]) -> list[Offer]:
    """The likeliest first; of two that are equally alike the CRM's first."""
    words, found = plain(text), []
    for option in options:
        theirs = plain(option.text)
        alike = max(fuzz.ratio(words, theirs), fuzz.token_sort_ratio(words, theirs)) if theirs else 0
        if alike >= WORTH_SHOWING and words:
            found.append((option, min(round(alike), 99 if words != theirs else 100)))
    return sorted(found, key=lambda offer: -offer[1])[:MOST_SHOWN]


def likeliest(text: str, options: Iterable[Option]) -> Option | None:
    """The option that is preselected: alike enough, with the same numbers, turned round by no word, and with
    no other one as near."""
    found = offers(text, options)
    if not found or found[0][1] < LIKELY or (len(found) > 1 and found[0][1] - found[1][1] < AHEAD):
        return None
    option = found[0][0]
    return option if _turns(text) == _turns(option.text) else None


def _turns(text: str) -> tuple[list[str], list[str]]:
    marks = MARKS.findall(text.casefold().replace("ё", "е"))
    return sorted(NUMBER.findall(text)), sorted(TURNING.intersection(marks))
