"""Which field a question is meant for: by likeness of names, and only where the types go together."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.draft import Target
from rules.mapping.suggestions import suggested


def field(remote_id: str, name: str, kind: str = "text") -> Target:
    return Target("leads", remote_id, name, kind)


FIELDS = [
    field("1", "Площадь, м²", "numeric"),
    field("2", "Дата доставки", "date"),
    field("3", "Комментарий"),
    field("4", "utm_source", "tracking_data"),
]


@pytest.mark.parametrize(
    ("words", "remote_id"),
    [
        ({"title": "Площадь (м²)?", "type": "number"}, "1"),
        ({"title": "дата доставки", "type": "date"}, "2"),
        ({"title": "Дата доставки!", "type": "number"}, ""),
        ({"title": "Коментарий"}, "3"),
        ({"title": "Кому"}, ""),
        ({"title": "utm_source"}, ""),
        ({"title": ""}, ""),
        ({}, ""),
    ],
)
def test_what_is_alike_is_suggested(words: dict[str, Any], remote_id: str) -> None:
    found = suggested({"q": words}, FIELDS)
    assert [target.remote_id for target in found.values()] == ([remote_id] if remote_id else [])


def test_each_field_is_suggested_once_and_the_likest_question_has_it() -> None:
    questions = {"a": {"title": "Коментарий"}, "b": {"title": "Комментарий"}}
    assert {q: target.remote_id for q, target in suggested(questions, FIELDS).items()} == {"b": "3"}


def test_fields_in_use_are_not_suggested() -> None:
    assert suggested({"b": {"title": "Комментарий"}}, FIELDS, taken=["3"]) == {}
