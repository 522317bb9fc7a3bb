"""Conditions of a rule: a small declarative form, read once and asked often. Pure.

    {"all": [...]}, {"any": [...]}, {"not": {...}}
    {"value": "answer.area", "equals": "54"}           but for blanks, case and ё; 54 is 54.0
    {"value": "contact.city", "oneOf": ["Тула", "Орёл"]}
    {"value": "utm.source", "contains": "yandex"}
    {"value": "sum", "between": [50000, null]}         both ends belong to it, null is no end
    {"value": "contact.email", "empty": true}          false: there is one

What can be asked for is in ``rules.mapping.values``. Where a value has several texts (a question with several
choices), a test holds if it does for one of them. ``hour`` may go over midnight: ``[22, 6]``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite
from typing import Any

from connectors.coercion import money, number, written
from connectors.contact import visible
from connectors.messages import joined, message
from rules.mapping.values import HOUR, AnswerValues, is_name

DEEPEST = 5  # conditions within conditions
MOST_TESTS = 100  # tests and groups of one condition
MOST_TEXTS = 200  # of one list
LONGEST_TEXT = 500
PLAIN_NUMBER = re.compile(r"-?\d{1,15}(?:[.,]\d{1,15})?")
ALL, ANY, NOT, VALUE = "all", "any", "not", "value"
OPERATORS = ("equals", "oneOf", "contains", "between", "empty")
KEYS = (ALL, ANY, NOT, VALUE, *OPERATORS)


class Malformed(ValueError):
    """Something a rule may not say: ``at`` is where (``Routes[1].If.all[0]``), ``message`` what is wanted."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(f"{at}: {message}")
        self.at = at
        self.message = message


class Condition(ABC):
    @abstractmethod
    def holds(self, values: AnswerValues) -> bool: ...

    @abstractmethod
    def words(self) -> str:
        """What it asks, as a message for people."""

    def broken_by(self, values: AnswerValues) -> Condition:
        """The smallest part for which it does not hold; to be asked only where it does not."""
        return self


@dataclass(frozen=True, slots=True)
class All(Condition):
    parts: tuple[Condition, ...]

    def holds(self, values: AnswerValues) -> bool:
        return all(part.holds(values) for part in self.parts)

    def words(self) -> str:
        return message("all of: {conditions}", conditions=joined("; ", *(one.words() for one in self.parts)))

    def broken_by(self, values: AnswerValues) -> Condition:
        return next(part for part in self.parts if not part.holds(values)).broken_by(values)


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    parts: tuple[Condition, ...]

    def holds(self, values: AnswerValues) -> bool:
        return any(part.holds(values) for part in self.parts)

    def words(self) -> str:
        return message("any of: {conditions}", conditions=joined("; ", *(one.words() for one in self.parts)))


@dataclass(frozen=True, slots=True)
class Not(Condition):
    part: Condition

    def holds(self, values: AnswerValues) -> bool:
        return not self.part.holds(values)

    def words(self) -> str:
        return message("not ({condition})", condition=self.part.words())


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """One value asked for one thing: ``check`` gets all its texts."""

    name: str
    said: str
    check: Callable[[tuple[str, ...]], bool] = field(repr=False)

    def holds(self, values: AnswerValues) -> bool:
        return self.check(values.texts(self.name))

    def words(self) -> str:
        return self.said


def read_condition(said: Any, at: str) -> Condition:
    """The condition that a rule says at ``at``. Raises ``Malformed`` for what is none, or is too large."""
    return _Reader().read(said, at, 1)


class _Reader:
    def __init__(self) -> None:
        self.read_so_far = 0

    def read(self, said: Any, at: str, depth: int) -> Condition:
        if not isinstance(said, Mapping) or not said:
            raise Malformed(at, message("a condition is needed, such as {example}", example=EXAMPLE))
        self.read_so_far += 1
        if depth > DEEPEST or self.read_so_far > MOST_TESTS:
            raise Malformed(
                at,
                message(
                    "too large: at most {tests} tests, {levels} levels deep", tests=MOST_TESTS, levels=DEEPEST
                ),
            )
        if unknown := [str(key) for key in said if key not in KEYS]:
            raise Malformed(f"{at}.{unknown[0]}", unknown_key(unknown[0], KEYS))
        if VALUE in said:
            return self._test(said, at)
        if len(said) != 1 or next(iter(said)) in OPERATORS:
            raise Malformed(
                at, message("one of all, any and not is needed, or value with what it is tested for")
            )
        ((word, inner),) = said.items()
        if word == NOT:
            return Not(self.read(inner, f"{at}.{NOT}", depth + 1))
        if not isinstance(inner, list) or not inner:
            raise Malformed(f"{at}.{word}", message("a list of conditions is needed"))
        parts = tuple(self.read(one, f"{at}.{word}[{n}]", depth + 1) for n, one in enumerate(inner))
        return All(parts) if word == ALL else AnyOf(parts)

    def _test(self, said: Mapping[str, Any], at: str) -> Comparison:
        name = said[VALUE]
        if not isinstance(name, str) or not is_name(name):
            raise Malformed(
                f"{at}.{VALUE}",
                message(
                    "answer.<questionID>, contact.<part>, utm.<mark>, sum, hour, weekday, page, referrer or "
                    "result is needed"
                ),
            )
        asked = [key for key in said if key != VALUE]
        if len(asked) != 1 or asked[0] not in OPERATORS:
            raise Malformed(at, message("exactly one of {names} is needed", names=", ".join(OPERATORS)))
        (operator,) = asked
        words, check = READERS[operator](name, said[operator], f"{at}.{operator}")
        return Comparison(name, words, check)


Check = Callable[[tuple[str, ...]], bool]
EXAMPLE = '{"value": "utm.source", "equals": "yandex"}'


def same_text(text: str) -> str:
    """What makes two texts the same; of a plain number its value."""
    plain = _plain(text)
    return written(Decimal(plain.replace(",", "."))) if PLAIN_NUMBER.fullmatch(plain) else plain


def _equals(name: str, said: Any, at: str) -> tuple[str, Check]:
    text = _text(said, at)
    wanted = same_text(text)
    return (
        message("{value} is «{text}»", value=name, text=text),
        lambda texts: any(same_text(one) == wanted for one in texts),
    )


def _one_of(name: str, said: Any, at: str) -> tuple[str, Check]:
    if not isinstance(said, list) or not said or len(said) > MOST_TEXTS:
        raise Malformed(at, message("a list of 1 to {most} texts is needed", most=MOST_TEXTS))
    texts = [_text(one, f"{at}[{number}]") for number, one in enumerate(said)]
    wanted = frozenset(map(same_text, texts))
    return (
        message("{value} is one of: {texts}", value=name, texts=", ".join(texts)),
        lambda found: any(same_text(one) in wanted for one in found),
    )


def _contains(name: str, said: Any, at: str) -> tuple[str, Check]:
    text = _text(said, at)
    wanted = _plain(text)
    return (
        message("{value} contains «{text}»", value=name, text=text),
        lambda texts: any(wanted in _plain(one) for one in texts),
    )


def _between(name: str, said: Any, at: str) -> tuple[str, Check]:
    if not isinstance(said, list) or len(said) != 2 or said == [None, None]:
        raise Malformed(at, message("a list of two numbers is needed, one of which may be null"))
    low, high = (_number(one, f"{at}[{index}]") for index, one in enumerate(said))
    over_midnight = name == HOUR and low is not None and high is not None and low > high
    if low is not None and high is not None and low > high and not over_midnight:
        raise Malformed(at, message("the first number is the smaller one"))

    def inside(found: Decimal) -> bool:
        if over_midnight and low is not None and high is not None:
            return found >= low or found <= high
        return (low is None or found >= low) and (high is None or found <= high)

    def check(texts: tuple[str, ...]) -> bool:
        return any(found is not None and inside(found) for found in map(_amount, texts))

    if low is None and high is not None:
        return message("{value} is at most {number}", value=name, number=written(high)), check
    if high is None and low is not None:
        return message("{value} is at least {number}", value=name, number=written(low)), check
    both = {"low": written(low or Decimal(0)), "high": written(high or Decimal(0))}
    return message("{value} is from {low} to {high}", value=name, **both), check


def _empty(name: str, said: Any, at: str) -> tuple[str, Check]:
    if not isinstance(said, bool):
        raise Malformed(at, message("true or false is needed"))
    if said:
        return message("{value} is empty", value=name), lambda texts: not texts
    return message("{value} is not empty", value=name), bool


READERS: Mapping[str, Callable[[str, Any, str], tuple[str, Check]]] = {
    "equals": _equals,
    "oneOf": _one_of,
    "contains": _contains,
    "between": _between,
    "empty": _empty,
}


def _text(said: Any, at: str) -> str:
    infinite = isinstance(said, float) and not isfinite(said)
    if isinstance(said, bool) or not isinstance(said, (str, int, float)) or infinite or not str(said).strip():
        raise Malformed(at, message("a text or a number is needed"))
    text = written(Decimal(str(said))) if isinstance(said, float) else str(said).strip()
    if len(text) > LONGEST_TEXT:
        raise Malformed(at, message("longer than {most} characters", most=LONGEST_TEXT))
    return text


def _number(said: Any, at: str) -> Decimal | None:
    if said is None:
        return None
    if isinstance(said, (int, float, str)) and not isinstance(said, bool):
        text = str(said).strip()
        if PLAIN_NUMBER.fullmatch(text):
            return Decimal(text.replace(",", "."))
    raise Malformed(at, message("a number of up to 15 digits is needed"))


def _amount(text: str) -> Decimal | None:
    """The number in an answer or a sum, of whatever currency."""
    read = number([text])
    if read.value is not None:
        return read.value
    sum_ = money([text], foreign=True).value
    return sum_.amount if sum_ else None


def _plain(text: str) -> str:
    return " ".join(visible(text).casefold().replace("ё", "е").split())


def unknown_key(key: str, names: Sequence[str]) -> str:
    """What is said to a key that nobody knows, with the nearest that somebody does."""
    near = get_close_matches(key.casefold(), [name.casefold() for name in names], 1)
    if near:
        meant = next(name for name in names if name.casefold() == near[0])
        return message("this key is not known; did you mean {name}?", name=meant)
    return message("this key is not known; known are {names}", names=", ".join(names))
