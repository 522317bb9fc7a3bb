"""A body in one form: what is read, what is left over, and which bodies are the same."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from rules.mapping.payload import (
    digest,
    former_digest,
    is_complete,
    is_completeness_told,
    is_repeat,
    leftovers,
    normalised,
    scalar_text,
    unknown_keys,
)

IDS = {"quizID": 42, "answerID": "k-1"}


@pytest.mark.parametrize(
    ("sent", "seen", "left"),
    [
        ({"utm": None, "contact": [], "quiz": {}, "page": " ", "answers": []}, {}, {}),
        ({"contact": {"name": None, "phone": 7}}, {"contact": {"phone": 7}}, {}),
        ({"contact": "Анна"}, {}, {"contact": "Анна"}),
        (
            {"utm": {"utm_source": ["a", "b"]}},
            {"utm": {"utm_source": "a"}},
            {"utm.utm_source": ["b"]},
        ),
        ({"utm": {"a": 5, "b": True, "c": {"d": 1}}}, {"utm": {"a": "5", "b": "true"}}, {"utm.c": {"d": 1}}),
        ({"clientIDs": {"yclid": 12.5}}, {"clientIDs": {"yclid": "12.5"}}, {}),
        ({"page": ["x", "", "y"], "ip": 7}, {"page": "x", "ip": "7"}, {"page": ["y"]}),
        ({"result": {"a": 1}}, {}, {"result": {"a": 1}}),
        ({"referrer": [{"a": 1}]}, {}, {"referrer": [{"a": 1}]}),
        ({"quiz": {"title": 5, "x": 1}}, {"quiz": {"title": "5", "x": 1}}, {}),
        ({"price": "1 500 000,50 ₽"}, {"price": "1 500 000,50 ₽"}, {}),
        (
            {"answers": [{"questionID": 7, "answer": [1]}, {"question": "Что?"}, "x", {}, None]},
            {"answers": [{"questionID": "7", "answer": [1]}, {"questionID": "", "question": "Что?"}]},
            {"answers.2": "x"},
        ),
        (  # numbers that went through a spreadsheet
            {"answers": [{"questionID": 7.0, "answer": 1}], "ip": 5.0},
            {"answers": [{"questionID": "7", "answer": 1}], "ip": "5"},
            {},
        ),
        ({"answers": {"area": 54}}, {"answers": [{"questionID": "area", "answer": 54}]}, {}),
        (
            {"answers": {"3": {"questionID": "a", "answer": 1}}},
            {"answers": [{"questionID": "a", "answer": 1}]},
            {},
        ),
        ({"answers": 7}, {}, {"answers": 7}),
        ({"extra": {"a": None}}, {"extra": {"a": None}}, {}),
    ],
)
def test_each_key_has_its_documented_shape_or_is_left_over(sent, seen, left):
    assert normalised(IDS | sent) == IDS | seen
    assert leftovers(IDS | sent) == left


@pytest.mark.parametrize("said", [False, "false", "FALSE", " no ", "off", "нет", 0, 0.0, "0"])
def test_more_is_awaited(said):
    assert (is_complete({"complete": said}), is_completeness_told({"complete": said})) == (False, True)


@pytest.mark.parametrize("said", [True, "true", 1, "yes", "да", None, "", [], {}])
def test_nothing_more_is_awaited(said):
    assert (is_complete({"complete": said}), is_completeness_told({"complete": said})) == (True, True)


@pytest.mark.parametrize("said", ["maybe", 2, [False], {"value": False}])
def test_what_is_neither_yes_nor_no_counts_as_complete(said):
    assert (is_complete({"complete": said}), is_completeness_told({"complete": said})) == (True, False)


def test_unknown_keys_are_named():
    body = IDS | {
        "source": "tilda",
        "quiz": {"title": "x", "lang": "ru"},
        "contact": {"anything": 1},
        "utm": {"anything": 1},
        "answers": [{"questionID": "a", "answer": 1, "photo": "x"}],
    }
    assert unknown_keys(body) == ["source", "quiz.lang", "answers.0.photo"]


TEXTS = some.text('aя1 \n"', max_size=5)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
SCALARS = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = some.recursive(
    SCALARS,
    lambda inner: some.one_of(some.lists(inner, max_size=4), some.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
KEYS = some.sampled_from(
    ["quiz", "contact", "utm", "clientIDs", "answers", "page", "referrer", "ip", "result", "price", "extra"]
)
BODIES = some.dictionaries(KEYS, VALUES)


def scalars(value):
    if isinstance(value, dict):
        return [one for inner in value.values() for one in scalars(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in scalars(inner)]
    return [text] if value is not None and (text := scalar_text(value)) else []


@UNHURRIED
@given(BODIES)
def test_every_scalar_is_read_or_left_over(body):
    kept = scalars(normalised(body)) + scalars(leftovers(body))
    for text in scalars(body):
        assert text in kept


@UNHURRIED
@given(BODIES)
def test_reading_twice_reads_the_same(body):
    assert normalised(normalised(body)) == normalised(body)


@pytest.mark.parametrize(
    "other",
    [
        {"page": ""},
        {"utm": {}},
        {"utm": None, "clientIDs": [], "quiz": {"title": None}},
        {"price": "5"},
        {"price": 5.0},
        {"contact": {"phone": "+79990001122 ", "name": "Анна", "email": ""}},
        {"quizID": "42"},
    ],
)
def test_an_equal_body_in_other_words_is_the_same(other):
    body = IDS | {"price": 5, "contact": {"name": "Анна", "phone": "+79990001122"}}
    assert digest(dict(reversed((body | other).items()))) == digest(body)


@pytest.mark.parametrize("other", [{"price": 6}, {"contact": {"name": "Пётр"}}, {"extra": 1}])
def test_a_body_that_says_something_else_is_another(other):
    body = IDS | {"price": 5, "contact": {"name": "Анна"}}
    assert digest(body | other) != digest(body)


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (IDS | {"price": 5}, IDS | {"price": "5.00"}),
        (IDS | {"price": "19.9", "page": " x "}, IDS | {"price": "19.90", "page": "x"}),
        (
            IDS | {"answers": [{"questionID": 7, "question": "Q ", "answer": [1, None], "z": 1}], "extra": 1},
            IDS | {"answers": [{"questionID": "7", "question": "Q", "answer": [1, None]}]},
        ),
        (
            IDS | {"utm": {"a": None, "b": 1}, "contact": {"x": None}, "quiz": {"title": "T ", "y": 1}},
            IDS | {"utm": {"a": None, "b": "1"}, "contact": {"x": None}, "quiz": {"title": "T"}},
        ),
    ],
)
def test_repeats_of_rows_stored_by_the_strict_reading_are_known(body, stored):
    """``stored`` is what the strict reading kept; its digest was made of that."""
    text = json.dumps(stored, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    mark = hashlib.sha256(text.encode()).hexdigest()
    assert former_digest(body) == mark
    assert is_repeat(mark, body, digest(body))
    assert not is_repeat(mark, body | {"page": "elsewhere"}, digest(body | {"page": "elsewhere"}))
