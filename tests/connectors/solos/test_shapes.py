"""Forms of answers that solOS may have, each read the same."""

from __future__ import annotations

import pytest

from connectors.response_shape import sample
from connectors.solos.options import ID_PATHS, SolosOptions
from connectors.solos.records import id_in, is_empty, number, record_of, rows_of

ROW = {"id": "7", "name": "Анна"}


@pytest.mark.parametrize(
    "body",
    [
        [ROW],
        {"payload": [ROW]},
        {"data": [ROW], "total": 1},
        {"result": {"items": [ROW]}},
        {"response": {"projects": [ROW]}, "count": 1},
        {"payload": [ROW, "nonsense", None]},
    ],
)
def test_lists(body):
    assert rows_of(body) == [ROW]


@pytest.mark.parametrize("body", [[], {"payload": []}, {"payload": None}, {"data": {}}, {"result": ""}])
def test_empty_lists(body):
    assert rows_of(body) == []
    assert is_empty(body)


@pytest.mark.parametrize("body", [None, "text", 5, {}, {"table": [ROW]}, {"id": 7}])
def test_what_is_no_list(body):
    assert rows_of(body) is None


@pytest.mark.parametrize(
    "body", [ROW, [ROW], {"payload": ROW}, {"data": [ROW]}, {"result": {"payload": ROW}}]
)
def test_one_record(body):
    assert record_of(body) == ROW


@pytest.mark.parametrize("body", [None, [], [ROW, ROW], {"payload": []}, {"name": "Анна"}, "text"])
def test_what_is_no_record(body):
    assert record_of(body) is None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"payload": {"id": 5}}, "5"),
        ({"payload": [{"id": "5"}]}, "5"),
        ({"payload": 5}, "5"),
        ({"payload": "5"}, "5"),
        ({"id": 5}, "5"),
        ({"data": {"id": 5}}, "5"),
        ({"result": {"id": 5}}, "5"),
        ({}, ""),
        (None, ""),
        ([], ""),
        ({"payload": True}, ""),
        ({"payload": "created"}, ""),
        ({"payload": {"id": None}}, ""),
    ],
)
def test_the_id_of_what_was_made(body, found):
    assert id_in(body, ID_PATHS) == found


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("7", 7),
        (7, 7),
        ({"id": "7"}, 7),
        (None, 0),
        ("", 0),
        (True, 0),
        ("7a", 0),
        ("-7", 0),
        ("٣", 0),
        (7.5, 0),
    ],
)
def test_numbers(value, wanted):
    assert number(value) == wanted


def test_a_sample_has_no_values():
    body = {
        "payload": [{"id": "7", "name": "Анна", "at": "2027-01-01", "seen": "2027-01-01 10:00:00", "n": 1.5}],
        "ok": True,
        "none": None,
        "empty": "",
    }
    assert sample(body) == {
        "payload": [{"id": "digits", "name": "text", "at": "date", "seen": "moment", "n": "number"}],
        "ok": "flag",
        "none": "null",
        "empty": "empty",
    }


def test_a_sample_of_anything_is_small():
    deep: object = 1
    for _ in range(50):
        deep = {"a": deep, **{str(i): i for i in range(500)}}
    assert len(str(sample(deep))) < 20_000


def test_options_name_and_add_keys():
    options = SolosOptions(
        payload_names=("comment=description", " = "), payload_constants=("group_id=2", "a=b=c")
    )
    assert options.names == {"comment": "description"}
    assert options.constants == {"group_id": 2, "a": "b=c"}
