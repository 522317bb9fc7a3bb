"""The note speaks one language: every reason that the code can give has its Russian form."""

from __future__ import annotations

import re

import pytest

from connectors.draft import UnplacedValue
from connectors.messages import EN, RU
from connectors.note_texts import NAMES, RUSSIAN, lost, name_of, parts, say
from tests.connectors.reasons import reasons

ENGLISH = re.compile(r"[A-Za-z]{2,}")


def test_every_reason_that_the_code_can_give_has_a_russian_form():
    assert {reason: where for reason, where in reasons().items() if say(reason, RU) == reason} == {}


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        ("not a number", "это не число"),
        ("shortened to 255 characters", "сокращено до 255 символов"),
        ("the field has no choice 'a; b'", "в поле нет варианта 'a; b'"),
        ("not a date; the field takes one value", "это не дата; в поле помещается одно значение"),
        (
            "the field has no choice 'x'; the field has no choice 'a; b'; the field takes one value",
            "в поле нет варианта 'x'; в поле нет варианта 'a; b'; в поле помещается одно значение",
        ),
        (
            "the field's name in requests is not known; refresh the list of fields",
            "имя поля для запросов неизвестно, обновите список полей",
        ),
        ("the field has no choice '{0}\n{}'", "в поле нет варианта '{0}\n{}'"),
        ("Fehler 17: Wert ungültig", "Fehler 17: Wert ungültig"),
    ],
)
def test_a_reason_is_said_in_russian_with_what_differs(english, russian):
    assert say(english, RU) == russian
    assert say(english, EN) == english


@pytest.mark.parametrize("russian", RUSSIAN.values())
def test_the_russian_forms_are_russian(russian):
    assert set(ENGLISH.findall(russian)) <= {"CRM", "mail"}


@pytest.mark.parametrize("english", RUSSIAN)
def test_a_translation_keeps_what_differs(english):
    assert RUSSIAN[english].count("{}") == english.count("{}")


def test_what_found_no_place_is_told_once_in_either_language():
    losses = [
        UnplacedValue("phone", " 12 ", "not a number", "leads"),
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
