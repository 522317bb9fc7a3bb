"""What to write so that a list becomes what the CRM has, and what a row becomes on its way in."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.draft import Option
from crm_cache.sync import Difference, compare, storable

A, B = ("leads", "1"), ("leads", "2")


@pytest.mark.parametrize(
    ("known", "found", "added", "changed", "gone"),
    [
        ({}, {}, {}, {}, set()),
        ({}, {A: {"name": "x"}}, {A: {"name": "x"}}, {}, set()),
        ({A: {"name": "x"}}, {A: {"name": "x"}}, {}, {}, set()),
        ({A: {"name": "x"}}, {A: {"name": "y"}}, {}, {A: {"name": "y"}}, set()),
        ({A: {"name": "x"}}, {}, {}, {}, {A}),
        ({A: {"name": "x"}}, {B: {"name": "x"}}, {B: {"name": "x"}}, {}, {A}),
        (
            {A: {"name": "x", "sort": 1}},
            {A: {"name": "x", "sort": 2}},
            {},
            {A: {"name": "x", "sort": 2}},
            set(),
        ),
        ({("leads", "1"): {}}, {("contacts", "1"): {}}, {("contacts", "1"): {}}, {}, {("leads", "1")}),
    ],
)
def test_compare(known: Any, found: Any, added: Any, changed: Any, gone: Any) -> None:
    assert compare(known, found) == Difference(added, changed, frozenset(gone))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Анна", "Анна"),
        ("nul\0here", "nulhere"),
        ("half \ud83d of a pair", "half ? of a pair"),
        (float("nan"), None),
        ((1, 2.5, True, None), [1, 2.5, True, None]),
        ({1: {"deep": ("\0",)}}, {"1": {"deep": [""]}}),
        ((Option("7", "Кухня"),), [{"id": "7", "text": "Кухня", "code": ""}]),
    ],
)
def test_what_a_crm_says_becomes_storable(told: Any, kept: Any) -> None:
    assert storable(told) == kept
