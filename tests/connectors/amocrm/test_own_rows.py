"""Of a batch's answer each delivery traces the rows that concern it, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.amocrm.client import _by_owner, _own_rows


class One:
    """As much of an item as rows are matched by."""

    def __init__(self, uid: str, **journal: str) -> None:
        self.uid, self.journal = uid, journal


@pytest.mark.parametrize(
    ("row", "owners"),
    [
        ({"id": 1, "request_id": "a"}, "a"),
        ({"id": 1, "request_id": ["b", "a"]}, "ab"),
        ({"id": 7, "request_id": "c"}, ""),  # an id that an item has, but it is another one's answer
        ({"id": 7}, "a"),
        ({"id": 9, "entity_id": 7}, "a"),
        ({"entity_id": 8}, "b"),
        ({"id": None}, ""),
        ({}, ""),
    ],
)
def test_a_row_is_whose_request_or_record_it_names(row: dict[str, Any], owners: str) -> None:
    items: list[Any] = [One("a", lead="7", contact="7"), One("b", contact="8"), One("d")]
    found = _by_owner([{"id": 99}, row])
    assert "".join(item.uid for item in items if _own_rows(found, item) == [row]) == owners


def test_rows_stay_in_the_order_in_which_they_came() -> None:
    item: Any = One("a", lead="1", company="2")
    rows = [{"id": 2}, {"id": 1}, {"request_id": "a"}, {"id": 2}]
    assert _own_rows(_by_owner(rows), item) == rows
