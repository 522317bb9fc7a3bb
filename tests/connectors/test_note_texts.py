"""The note speaks one language."""

from __future__ import annotations

import re

import pytest

from connectors.draft import UnplacedValue
from connectors.messages import EN, RU, message
from connectors.note_texts import NAMES, lost, name_of, parts
from tests.connectors.reasons import reasons


def test_every_reason_that_the_code_can_give_is_a_message():
    """So the catalogue has its Russian form (``tests/test_catalogues.py``)."""
    assert reasons() == {}


def test_what_found_no_place_is_told_once_in_either_language():
    losses = [
        UnplacedValue("phone", " 12 ", message("not a number"), "leads"),
        UnplacedValue("Цвет?", "синий", "the CRM says no"),
    ]
    assert lost([*losses, *losses], RU) == (
        "Не удалось занести в поля:\n- Телефон: 12 (это не число)\n- Цвет?: синий (the CRM says no)"
    )
    assert lost(losses, EN) == (
        "Could not be put into fields:\n- Phone: 12 (not a number)\n- Цвет?: синий (the CRM says no)"
    )
    assert lost([], RU) == ""


def test_names_and_headings_are_there_in_every_language():
    assert all(name_of(key, RU) != name_of(key, EN) for key in NAMES if key != "email")
    assert name_of("Как вас зовут?", RU) == "Как вас зовут?"


LINES = "\n".join(str(number) * 20 for number in range(100, 150))  # 50 lines of 60 characters


@pytest.mark.parametrize("longest", [60, 61, 125, 500, 10_000])
def test_a_text_is_cut_between_its_lines(longest):
    pieces = parts(LINES, longest, 100, EN)
    assert max(map(len, pieces)) <= longest
    assert "\n".join(pieces) == LINES


def test_a_line_that_is_too_long_is_cut_within():
    assert parts("ab\n" + "x" * 25, 10, 9, EN) == ["ab", "x" * 10, "x" * 10, "x" * 5]
    assert parts("", 10, 9, EN) == []


@pytest.mark.parametrize(
    ("language", "words"), [(RU, "знаков не поместилось"), (EN, "characters had no room")]
)
def test_what_exceeds_even_the_last_piece_is_told(language, words):
    first, last = parts(LINES, 500, 2, language)
    assert max(len(first), len(last)) <= 500
    *kept, told = last.splitlines()
    assert words in told
    left = int(re.search(r"\d+", told)[0])
    assert len("\n".join([first, *kept])) + left == pytest.approx(len(LINES), abs=10)  # ends of lines
