"""What an attempt says of itself."""

from __future__ import annotations

import pytest

from connectors.draft import Receipt, UnplacedValue
from connectors.errors import TryLater
from rules.delivery.attempts import words_of


@pytest.mark.parametrize(
    ("losses", "said"),
    [(0, ""), (1, "1 answer is in the note only"), (3, "3 answers are in the note only")],
)
def test_a_delivery_counts_what_is_in_the_note_only(losses: int, said: str) -> None:
    lost = tuple(UnplacedValue(f"Question {n}?", "x", "not a number") for n in range(losses))
    assert words_of(Receipt("qz1", {}, losses=lost)) == ("", said)


def test_a_failure_says_what_the_crm_said() -> None:
    assert words_of(TryLater("amoCRM is busy", code="busy")) == ("busy", "amoCRM is busy")
