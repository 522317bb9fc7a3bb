"""What counts as "still as we wrote it", however a CRM shows it."""

from __future__ import annotations

import pytest

from connectors.changes import Change, decide, same_value


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ("100.00", 100),
        (" Дом ", "Дом"),
        ("", None),
        (False, 0),
        ([], None),
        (["2", "1"], [1, 2]),
        ("2026-11-28T00:00:00+03:00", "2026-11-28"),
        ("2026-11-28T12:00:00+03:00", "2026-11-28T09:00:00Z"),
    ],
)
def test_two_ways_to_show_one_value(shown, sent):
    assert same_value(shown, sent)


@pytest.mark.parametrize(
    ("shown", "sent"),
    [("007", 7), ("Дом", "дом"), (None, 0), ("2026-11-28", "2026-11-29"), (["1"], [1, 2]), ("NaN", "7")],
)
def test_two_values(shown, sent):
    assert not same_value(shown, sent)


@pytest.mark.parametrize(
    ("current", "formers", "ours"),
    [
        ("a", ["a"], True),
        ("a", ["a", "b"], True),  # the update to b may not have arrived
        (None, [None], True),
        ("theirs", [None], False),
        ("theirs", ["a"], False),
        (None, ["a"], False),  # people emptied it
    ],
)
def test_only_what_stands_as_a_former_body_wrote_it_is_ours(current, formers, ours):
    assert (decide(current, "new", formers) is Change.WRITE) is ours


@pytest.mark.parametrize(
    ("current", "new", "formers", "change"),
    [
        ("a", "a", ["a"], Change.SKIP),
        ("a", "b", ["a"], Change.WRITE),
        ("a", "b", ["a", "b"], Change.WRITE),  # the second body never arrived
        ("b", "b", ["a"], Change.SKIP),  # this body arrived and its answer was lost
        (None, "b", [None], Change.WRITE),
        ("theirs", "b", ["a"], Change.KEPT),
        (None, "b", ["a"], Change.KEPT),  # people emptied it
        ("theirs", "b", ["a", "b"], Change.THEIRS),  # told with the second body
        ("theirs", "a", ["a", "b"], Change.KEPT),
    ],
)
def test_what_becomes_of_one_value(current, new, formers, change):
    assert decide(current, new, formers) is change
