"""Every part of a rule's ``Extra``, bent at every place and sent over REST: a refusal that names the place,
or a rule that can be sent back as it is shown. ``tests/rules/test_extra.py`` does it with all values."""

from __future__ import annotations

import json
import random
from math import isfinite
from typing import Any

import pytest

from tests.rules.test_extra import BENT, places, whole, with_value
from tests.stories.test_rule_round_trip import Rules, rules  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
HUGE = "1e999"  # JSON has no infinity, but a number that is read as one
TEXTS = ["\0", "a\0b", "\ud800", {"\0": 1}, {"\ud800": "\udfff"}]


def sent(rules: Rules, extra: dict[str, Any]) -> Any:  # noqa: F811
    body = json.dumps({"Extra": extra}).replace(f'"{HUGE}"', HUGE)
    return rules.side.api.generic("PATCH", rules.path, body, content_type="application/json")


def test_whatever_is_bent_is_refused_by_its_place_or_kept(rules):  # noqa: F811
    rules.side.api.raise_request_exception = False
    said, chance = whole(rules.crm), random.Random(rules.crm)
    assert sent(rules, said).json() == "Success"
    values = [value for value in BENT if type(value) is not float or isfinite(value)]
    for place in places(said):
        for value in (chance.choice(values), chance.choice(TEXTS), HUGE):
            answer = sent(rules, with_value(said, place, value))
            case = (place, repr(value)[:60], answer.content[:300])
            assert answer.status_code in (200, 400), case
            told = answer.json()
            assert told == "Success" or told.startswith(("Extra.", "Bad Request: Extra.")), case
            if told == "Success":
                assert rules.change(**rules.shown()).json() == "Success", case


@pytest.mark.parametrize("key", ["Nope", "\0", "\ud800", "я" * 5000, ""])
def test_a_key_that_nobody_knows_is_refused_by_its_place(rules, key):  # noqa: F811
    said = whole(rules.crm)
    for place in [(), *places(said)]:
        node: Any = said
        for step in place:
            node = node[step]
        named = {"Map", "Fields"} & {place[-1] if place else ""}  # keys of the caller's own
        if isinstance(node, dict) and not named:
            answer = sent(rules, with_value(said, (*place, key), 1))
            assert answer.status_code == 400, (place, key)
            assert answer.json().startswith("Extra"), (place, key, answer.json())
