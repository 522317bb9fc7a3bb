"""Every part of a rule's ``Extra``, bent at every place: a refusal that names the place, or a rule."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE: dict[str, Any] = {
    "SendIf": {"all": [{"value": "utm.source", "equals": "ads"}]},
    "Routes": [
        {
            "Name": "Реклама",
            "If": {"value": "utm.source", "equals": "ads"},
            "Then": {"Task": {"Text": "x", "Minutes": 5}, "Title": "{{ contact.name }}"},
        }
    ],
    "Title": "{{ contact.name }}",
    "Responsible": {"Own": True, "People": [{"PerformerID": 1, "Weight": 1, "Hours": []}], "ByAnswer": {}},
    "Options": [{"Record": "lead", "Question": "1", "Field": 1, "Map": {"красный": 1, "синий": None}}],
    "Existing": {"Contact": {"Mode": "fill", "Append": True, "Fields": {"name": "overwrite"}}},
    "Task": {"Text": "Позвонить", "Minutes": 15, "PerformerID": 1, "Type": 1, "DepartmentID": 1,
             "Hours": [{"Days": [1, 2], "From": "09:00", "To": "18:00"}]},
    "Repeated": {"Do": "note", "WithinDays": 30},
}  # fmt: skip
BENT: list[Any] = [
    None, True, 0, -1, 2**63, 10**40, 1e308, "", " ", "\0", "a\0b", "\ud800", "я" * 20_000, "=1+1", [],
    [None], [[[]]], {}, {"\0": 1}, {"\ud800": "\udfff"}, {"QuestionID": {"a": None}}, [{"a": 1}],
]  # fmt: skip


def bent(whole: Any) -> Iterator[Any]:
    """The whole with one thing in it replaced, or one key more; each time a few of what there is."""
    chance = random.Random(str(whole))
    for place in places(whole):
        for value in chance.sample(BENT, 3):
            made = copy.deepcopy(whole)
            node = made
            for key in place[:-1]:
                node = node[key]
            node[place[-1]] = value
            yield made
        for key in chance.sample(("Nope", "\0", "\ud800", "я" * 5000, ""), 1):
            made = copy.deepcopy(whole)
            node = made
            for step in place:
                node = node[step]
            if isinstance(node, dict):
                node[key] = 1
                yield made


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from places(value, (*at, key))


@pytest.mark.parametrize("part", WHOLE)
def test_whatever_is_bent_is_refused_by_its_place_or_kept(rules, part):  # noqa: F811
    rules.side.api.raise_request_exception = False
    for extra in bent({part: WHOLE[part]}):
        answer = rules.side.api.generic(
            "PATCH", rules.path, json.dumps({"Extra": extra}), content_type="application/json"
        )
        assert answer.status_code in (200, 400), (extra, answer.content[:300])
        said = answer.json()
        assert isinstance(said, str), extra
        assert said == "Success" or said.startswith(("Extra", "Bad Request: Extra")), (str(extra)[:300], said)
        if said == "Success":
            shown = rules.shown()
            assert rules.change(**shown).json() == "Success", str(extra)[:300]
