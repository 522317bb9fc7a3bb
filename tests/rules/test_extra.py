"""A rule's ``Extra``, bent at every place of every part: refused by that place, or kept as it was sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from accounts.models import Account
from rules.mapping.conditions import Malformed
from rules.models import Rule
from rules.serializers import dialect_of
from rules.serializers.extra import EXTRA, read_extra, write_extra

CRMS = ("amocrm", "bitrix24", "envybox", "solos")
NOTHING = (None, False, "", "0", [], {})
DEEP: list[Any] = []
for _ in range(50):
    DEEP = [DEEP]
BENT: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**63, 10**40, 1e308, float("inf"), float("nan"), "", " ", "-1", "٩٠١",
    "007", "a\nb", "=1+1", "9" * 101, "я" * 20_000, [], [None], [901], ["901"], DEEP, [1] * 10_000, {},
    {"a": None}, {"QuestionID": {"a": None}}, [{"a": 1}], {str(number): 1 for number in range(10_000)},
]  # fmt: skip
WORKING = {"Days": [1, 5], "From": "09:00", "To": "18:00"}


def whole(crm: str) -> dict[str, Any]:
    """Everything that a rule of this CRM may say."""
    dialect = dialect_of(crm)
    can, record = dialect.can, dialect.mapped[0]
    task: dict[str, Any] = {"Text": "Позвонить", "Minutes": 15, "PerformerID": 1, "Hours": [WORKING]}
    task |= {"Type": 1} if can.tasks.types else {}
    then = {"PerformerID": 1} | ({"Task": task} if can.tasks else {})
    person = {
        "PerformerID": 1,
        "Weight": 2,
        "Hours": [WORKING],
        "Away": [{"From": "2026-12-30", "To": "2027-01-08"}],
    }
    tests = [
        {"value": "utm.source", "equals": "ads"},
        {"not": {"value": "sum", "between": [1, 5]}},
        {"any": [{"value": "contact.city", "oneOf": ["Рим"]}, {"value": "page", "empty": True}]},
    ]
    said: dict[str, Any] = {
        "SendIf": {"all": tests},
        "Routes": [{"Name": "Реклама", "If": tests[0], "Then": then}],
        "Title": "{{ contact.name }}", "Note": "x", "Sum": "5",
        "Values": [{"Record": record, "Field": 7, "Value": "x"}],
        "Responsible": {"By": "answer.city", "Map": {"Тула": 1}, "People": [person]},
        "Options": [{"Record": record, "Question": "1", "Field": 7, "Map": {"красный": 1, "синий": None}}],
    }  # fmt: skip
    if can.tells_owner:
        said["Responsible"]["Own"] = True
    if can.existing:
        said["Existing"] = {
            "Contact": {"Mode": "fill", "Append": True, "Fields": {"name": "overwrite", "7": "fill"}}
        }
    if can.tasks:
        said["Task"] = task
    if can.joins:
        said["Repeated"] = {"Do": "note", "WithinDays": 30, "Task": True}
    copied: dict[str, Any] = json.loads(json.dumps(said))  # no part of it is the same object twice
    return copied


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from places(value, (*at, key))


def with_value(said: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(said)
    node: Any = made
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return made


def named(place: tuple[Any, ...]) -> str:
    """As errors spell it: ``Routes[0].If``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).strip(".")


def plain(said: Any) -> Any:
    """What a value says: an id is the same as a number and as a text, and what says nothing is not there."""
    if isinstance(said, Mapping):
        return {str(key).strip(): one for key, value in said.items() if (one := plain(value)) not in NOTHING}
    if isinstance(said, list):
        return [plain(one) for one in said]
    return said if said is None or isinstance(said, bool) else str(said).strip()


def refusal(error: Malformed | ValidationError) -> str:
    """The place that it names."""
    if isinstance(error, Malformed):
        return error.at
    at, detail = "", error.detail
    while isinstance(detail, dict):
        key, detail = next(iter(detail.items()))
        at = f"{at}.{key}".strip(".")
    return at.removeprefix(f"{EXTRA}.")


@pytest.mark.parametrize("crm", CRMS)
def test_all_of_it_is_kept(crm: str) -> None:
    said, rule = whole(crm), Rule(account=Account(crm=crm, remote_id="1"), quiz_id=1)
    rule.extra = read_extra(said, dialect_of(crm))
    assert plain(write_extra(rule, dialect_of(crm))[EXTRA]) == plain(said)


@pytest.mark.parametrize("crm", CRMS)
def test_what_is_bent_is_refused_by_its_place_or_kept_as_it_was_sent(crm: str) -> None:
    dialect, said = dialect_of(crm), whole(crm)
    rule = Rule(account=Account(crm=crm, remote_id="1"), quiz_id=1)
    for place in places(said):
        part = {place[0]: said[place[0]]}
        for value in BENT:
            bent, case = with_value(part, place, value), (named(place), repr(value)[:60])
            try:
                rule.extra = read_extra(bent, dialect)
            except (Malformed, ValidationError) as error:
                at = refusal(error)
                assert at, case
                assert named(place).startswith(at) or at.startswith(named(place)), (*case, at)
                continue
            json.dumps(rule.extra, allow_nan=False)
            shown = write_extra(rule, dialect).get(EXTRA, {})
            if named(place) == "Routes[0].Name" and not str(value).strip():
                bent["Routes"][0]["Name"] = "Route 1"
            if place[-2:] == ("Then", "PerformerID") and dialect.lists_of_maps and str(value).isdecimal():
                bent["Routes"][0]["Then"]["PerformerID"] = int(value)  # a number's text is the number there
            assert plain(shown) == plain(bent), case
            assert plain(read_extra(shown, dialect)) == plain(rule.extra), case


@pytest.mark.parametrize("crm", CRMS)
def test_a_key_comes_once_whatever_its_case(crm: str) -> None:
    for extra, at in (
        ({"Title": "a", "title": "b"}, "title"),
        ({"Responsible": {"By": "answer.1", "Map": {"Да": 1, "да": 2}}}, "Responsible.Map.да"),
        ({"Options": [{"record": "x", "Record": "y"}]}, "Options[0].Record"),
    ):
        with pytest.raises(Malformed) as caught:
            read_extra(extra, dialect_of(crm))
        assert caught.value.at == at
