"""Regular expressions over outside text take linear time, whatever the text.

Every pattern of the product is found in its source, and tried on long texts made of its own pieces: what it
looks for begun again and again and never ended is what makes a pattern quadratic.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.redact import excerpt, redact

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "accounts", "crm_cache", "rules", "connectors")
METHODS = ("fullmatch", "match", "search", "sub", "subn", "split", "finditer", "findall")
MADE = ("compile", *METHODS)  # re.compile("..."), re.search("...", text)
LENGTH = 16_000
LONGER = 2  # times LENGTH: a linear pattern takes 2 times as long, a quadratic one 4 times
SUSPECT = 0.02  # CPU seconds for a text of LENGTH: a linear pattern hardly takes that long


class Use(NamedTuple):
    """A pattern and how it is applied at one place."""

    place: str
    pattern: str
    method: str


def uses() -> set[Use]:
    found: set[Use] = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"sandbox", "demo", "migrations"} & set(parts):
                found |= set(_uses_in(".".join(parts), ast.parse(path.read_text())))
    return found


def _uses_in(module: str, tree: ast.Module) -> Iterator[Use]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called, first = call.func, call.args[0] if call.args else None
        if isinstance(called, ast.Name) and called.id in ("RegexField", "RegexValidator", "re_path"):
            yield Use(module, _text(module, first), "search")
        if not isinstance(called, ast.Attribute):
            continue
        if called.attr in ("RegexField", "RegexValidator"):
            yield Use(module, _text(module, first or _named(call, "regex")), "search")
        elif isinstance(called.value, ast.Name) and called.value.id == "re" and called.attr in MADE:
            method = called.attr if called.attr != "compile" else "search"
            if called.attr != "compile" or isinstance(first, ast.JoinedStr):
                yield Use(module, _text(module, first), method)
        elif called.attr in METHODS and isinstance(called.value, ast.Name):
            pattern = getattr(importlib.import_module(module), called.value.id, None)
            if isinstance(pattern, re.Pattern):
                yield Use(module, pattern.pattern, called.attr)


def _named(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def _text(module: str, node: ast.expr | None) -> str:
    """A pattern's text; what is put in while the program runs is some word."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(getattr(importlib.import_module(module), node.id, "(.+) qzword (.+)"))
    if isinstance(node, ast.JoinedStr):
        known = vars(importlib.import_module(module))
        return "".join(
            str(one.value)
            if isinstance(one, ast.Constant)
            else str(known.get(ast.unparse(one.value), "qzword"))  # type: ignore[attr-defined]
            for one in node.values
        )
    return "(.+) qzword (.+)"


# -- texts ---------------------------------------------------------------------------------------------------


def pieces(pattern: str) -> list[list[str]]:
    """What each part of the pattern matches, in its order, some parts in several ways."""
    tree = re._parser.parse(pattern)  # type: ignore[attr-defined]
    return [found for part in tree if any(found := _samples(part))]


def _samples(part: Any) -> list[str]:
    kind, value = str(part[0]), part[1]
    match kind:
        case "LITERAL":
            return [chr(value)]
        case "NOT_LITERAL":
            return ["a" if chr(value) != "a" else "b"]
        case "ANY":
            return ["a"]
        case "IN":
            return _members(value)
        case "BRANCH":
            return [_first(branch) for branch in value[1][:3]]
        case "SUBPATTERN":
            return _joined(value[3])
        case "ATOMIC_GROUP":
            return _joined(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            once = _joined(value[2])
            return [*once, once[0] * value[0]] if value[0] > 1 and once else once
    return [""]


def _members(value: Any) -> list[str]:
    """Of a set of characters those that other parts of a pattern are likely to stumble over."""
    one = re.compile(_set_source(value))
    return [char for char in "a-1. ,\\\"'\n" if one.fullmatch(char)][:4] or ["a"]


def _set_source(value: Any) -> str:
    classes = {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}
    classes |= {name.replace("Y_", "Y_NOT_"): source.upper() for name, source in classes.items()}
    source = ""
    for kind, inner in value:
        match str(kind):
            case "NEGATE":
                source += "^"
            case "LITERAL":
                source += re.escape(chr(inner))
            case "RANGE":
                source += f"{re.escape(chr(inner[0]))}-{re.escape(chr(inner[1]))}"
            case "CATEGORY":
                source += classes[str(inner)]
    return f"[{source}]"


def _joined(parts: Any) -> list[str]:
    """Up to four texts that the parts match one after another."""
    several = [_samples(part) or [""] for part in parts]
    widest = max((len(one) for one in several), default=1)
    return ["".join(one[number % len(one)] for one in several) for number in range(min(widest, 4))]


def _first(parts: Any) -> str:
    return (_joined(parts) or [""])[0]


class Text(NamedTuple):
    """A beginning, and a unit that is repeated up to a length."""

    beginning: str
    unit: str
    ending: str

    def of(self, length: int) -> str:
        return self.beginning + (self.unit * (length // len(self.unit) + 1))[:length] + self.ending


def texts(pattern: str) -> Iterator[Text]:
    """What the pattern looks for, begun, repeated and not ended, in every way that its pieces allow."""
    several = pieces(pattern)
    parts = [words for found in several for words in found][:10]
    units = {
        "".join(parts[begin:end]) for begin in range(len(parts)) for end in range(begin + 1, len(parts) + 1)
    }
    units |= {"".join(pair) for pair in product(parts, repeat=2)}
    beginnings = {"".join(found[0] for found in several[:end]) for end in range(min(len(several), 5))}
    for unit, beginning, ending in product(filter(None, units), beginnings, ("", "@\0")):
        yield Text(beginning, unit, ending)


# -- measuring -----------------------------------------------------------------------------------------------


def seconds(act: Callable[[], Any], enough: float) -> float:
    """CPU seconds of this thread, the best of three; one try is enough where it is quick."""
    best = float("inf")
    for _ in range(3):
        started = time.thread_time()
        act()
        best = min(best, time.thread_time() - started)
        if best < enough:
            break
    return best


def slow_on(use: Use, length: int = LENGTH) -> str:
    """The beginning of a text whose time grows faster than its length; empty where there is none."""
    pattern = re.compile(use.pattern)
    if use.method in ("sub", "subn"):
        act: Callable[[str], Any] = lambda text: pattern.sub("", text)  # noqa: E731
    elif use.method == "finditer":
        act = lambda text: sum(1 for _ in pattern.finditer(text))  # noqa: E731
    else:
        act = getattr(pattern, use.method)
    for text in texts(use.pattern):
        took = seconds(partial(act, text.of(length)), SUSPECT)
        most = took * 3
        if took > SUSPECT and seconds(partial(act, text.of(length * LONGER)), most) > most:
            return repr(text.of(40))
    return ""


@pytest.mark.parametrize("use", sorted(uses()), ids=lambda use: f"{use.place}-{use.method}")
def test_no_text_makes_a_pattern_slow(use: Use) -> None:
    assert not slow_on(use), use


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        (r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", LENGTH),
        (r"[^\s@]+@[^\s@]+\.[^\s@]+", LENGTH // 4),  # much slower than the first one
        (r"\s+$", LENGTH // 4),
    ],
)
def test_a_quadratic_pattern_is_found(pattern: str, length: int) -> None:
    assert slow_on(Use("", pattern, "search"), length)


def test_the_patterns_are_found() -> None:
    places = {use.place for use in uses()}
    assert {
        "connectors.redact",
        "config.logs",
        "rules.serializers.derived",
        "connectors.messages",
    } <= places


@pytest.mark.parametrize("act", [redact, excerpt])
@pytest.mark.parametrize("beginning", ["", 'secret bearer hooks @ "state '])
@pytest.mark.parametrize(
    "unit",
    [
        "eyJ-",
        "eyJa.",
        '\\"token\\":\\"\\n',
        "'token':",
        "basic ",
        "http://a",
        "/hooks/1/",
        "x-token-",
        " ",
        "a",
    ],
)
def test_a_million_characters_are_redacted_at_once(
    act: Callable[[str], str], beginning: str, unit: str
) -> None:
    text = beginning + unit * (1_000_000 // len(unit))
    assert seconds(lambda: act(text), 0.05) < 0.1
