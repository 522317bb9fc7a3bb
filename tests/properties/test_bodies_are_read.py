"""Bodies are read by a quick reader and an exact one: whatever comes, both say the same in the same words."""

from __future__ import annotations

import hashlib
import json
import os
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from accounts.database import document
from accounts.rest.parsers import MOST_LEVELS, _exact_integer, _refuse, _why, clean, exact, read_json
from config.openapi.quiz import SECOND, UNSURE
from rules.mapping.documented import is_documented
from rules.mapping.note import answer_text
from rules.mapping.payload import (
    Reading,
    digest,
    is_absent,
    is_completeness_told,
    leftovers,
    normalised,
    scalar_text,
    unknown_keys,
)

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "300"))
often = settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
numbers = st.integers() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=12) | st.text(st.characters(categories=("Cc", "Cs", "Zs", "Lu")), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
bodies = st.builds(
    lambda value, ascii_only, spaces: json.dumps(value, ensure_ascii=ascii_only, indent=spaces).encode(
        errors="surrogatepass"
    ),
    values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
# Any bytes that look a little like JSON.
RUINS = rb'{ } [ ] " : , 1 -0 1e999 0.1 NaN true null "a" 01 1. \u0000 \ud800 \ud83d\ude00 \x'.split()
ruins = st.lists(
    st.sampled_from([*RUINS, b" ", b"\x00", b"\xff", b"\xef\xbb\xbf"]),
    max_size=12,
).map(b"".join)


def exactly(body: bytes) -> Any:
    """The reading that says what a body means, and how a bad one is refused."""
    try:
        text = body.decode("utf-8-sig")
        return clean(json.loads(text, parse_float=exact, parse_int=_exact_integer, parse_constant=_refuse))
    except (ValueError, RecursionError) as exc:
        return f"Bad Request: the body is not readable JSON ({_why(exc)})"


def read(body: bytes) -> Any:
    try:
        return read_json(body)
    except ParseError as exc:
        return str(exc.detail)


@given(body=bodies | ruins)
@often
@example(body=b'{"a": 1, "a": {"b": "\\u0000"}}')
@example(body=b"[" * 500)
@example(body=b'{"a":' * 2000 + b"1" + b"}" * 2000)
@example(body=b"1" * 5000)
@example(body=b'["\\ud800"]')
@example(body=b'\xef\xbb\xbf{"a": 1e999}')
def test_a_body_is_read_as_the_exact_reader_reads_it(body: bytes) -> None:
    said = read(body)
    assert json.dumps(said) == json.dumps(exactly(body))


digits = st.text("0123456789", min_size=1, max_size=30)
literals = st.builds(
    "{}{}.{}{}".format,
    st.sampled_from(["", "-"]),
    st.integers(0, 10**30),
    digits,
    st.just("") | st.builds("{}{}".format, st.sampled_from(["e", "E-", "e+"]), st.integers(0, 500)),
)


@given(written=literals)
@often
@example("1e23")
@example("1e400")
@example("-1e-400")
@example("9007199254740993.0")
@example("0.1000000000000000055511151231257827")
@example("1e" + "9" * 30)
@example("0e" + "9" * 30)
@example("9" * 5000)
def test_no_number_is_rounded(written: str) -> None:
    """What is read, stored as JSON and read again says the very number, and so does the note."""
    for body in (f"[{written}]", f'["\\ud800", {written}]'):
        said = read_json(body.encode())[-1]
        (stored,) = json.loads(document([said]))
        told = answer_text(stored)
        assert (said, told) == (written, written) or (
            Decimal(repr(said)) == Decimal(told) == Decimal(written) == Decimal(scalar_text(said))
        )


def test_numbers_that_a_float_holds_come_as_numbers() -> None:
    body = b"[54.5, 0.30000000000000004, 1e5, -0.0, 79161234501.0, 7.9161234501E10, 123456789012345678]"
    numbers = [54.5, 0.1 + 0.2, 1e5, 0.0, 79161234501.0, 79161234501.0, 123456789012345678]
    assert read_json(body) == numbers


@pytest.mark.parametrize("around", [b"[%s]", b'[%s, "\\u0000"]', b'{"a": %s}'])
@pytest.mark.parametrize("levels", [MOST_LEVELS - 1, MOST_LEVELS])
def test_both_count_levels_alike(around: bytes, levels: int) -> None:
    body = around.replace(b"%s", b"[" * levels + b"]" * levels)
    assert read(body) == exactly(body)
    assert isinstance(read(body), str) == (levels == MOST_LEVELS)


def said_by(value: Any) -> Any:
    """A value as the fingerprint counts it, as plainly as can be."""
    if isinstance(value, dict):
        read = {str(key): said_by(inner) for key, inner in value.items()}
        return {key: inner for key, inner in read.items() if not is_absent(inner)}
    if isinstance(value, list):
        return [one for one in map(said_by, value) if not is_absent(one)]
    return None if value is None else scalar_text(value)


@given(body=st.dictionaries(texts, values, max_size=5).map(clean))
@often
def test_fingerprints_are_those_that_rows_keep_for_ever(body: dict[str, Any]) -> None:
    kept = said_by({key: value for key, value in body.items() if key != "complete"})
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert digest(body) == hashlib.sha256(text.encode()).hexdigest()
    assert (Reading(body).seen, Reading(body).left) == (normalised(body), leftovers(body))


plain = st.none() | texts | values
questions = st.dictionaries(st.sampled_from(["questionID", "question", "type", "answer", "photo"]), plain)
in_places = st.fixed_dictionaries(
    {},
    optional={
        "quizID": st.integers(0, 9),
        "complete": st.booleans() | plain,
        "quiz": st.dictionaries(st.sampled_from(["title", "lang"]), plain) | plain,
        "contact": st.dictionaries(texts, plain) | plain,
        "answers": st.lists(questions, max_size=3) | plain,
        "utm": st.dictionaries(texts, texts) | plain,
        "clientIDs": st.dictionaries(texts, st.none() | texts) | plain,
        "page": plain,
        "price": plain,
        "source": plain,
    },
)


@given(body=in_places)
@often
@example(body={**UNSURE, "utm": {"utm_source": "ya"}, "clientIDs": None, "complete": False})
def test_of_what_is_told_documented_at_once_nothing_is_to_be_said(body: dict[str, Any]) -> None:
    if is_documented(body):
        assert (unknown_keys(body), leftovers(body), is_completeness_told(body)) == ([], {}, True)


@pytest.mark.parametrize("body", [{}, SECOND, UNSURE, {**SECOND, "complete": None, "answers": []}])
def test_what_forms_send_is_told_documented(body: dict[str, Any]) -> None:
    assert is_documented(body)
