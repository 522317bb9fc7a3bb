"""What an answer is counted by: marks, page and options that were offered, and nothing of who it was."""

from __future__ import annotations

from typing import Any

import pytest

from rules.conversion.numbers import MOST, Numbers, kept, read, read_kept, total
from rules.conversion.traits import ANOTHER, page_of, traits_of

OFFERED = {"repair": {"title": "Which repair?", "options": ["Full", "Paint"]}}


def chosen(answer: Any, quiz: Any = None, **item: Any) -> list[str] | None:
    asked = {"questionID": "repair", "question": "Which?", "answer": answer, **item}
    found: list[str] | None = traits_of({"answers": [asked]}, quiz or {})["options"].get("repair")
    return found


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://Shop.example/quiz/?phone=79990001122#x", "shop.example/quiz"),
        ("shop.example/a?b", "shop.example/a"), ("https://anna:secret@shop.example:8443/", "shop.example"),
        ("https://shop.example/u/anna@mail.ru", "shop.example"), ("", ""), ("http://[", ""),
        ("https://магазин.рф/квиз", "магазин.рф/квиз"), ("https://x.ru/" + "a" * 300, "x.ru/" + "a" * 195),
    ],
)  # fmt: skip
def test_of_a_page_its_address_alone(address: str, page: str) -> None:
    assert page_of(address) == page


def test_marks_under_whatever_name_and_none_that_reaches_somebody() -> None:
    utm = {"Source": " yandex ", "utm_medium": "mail-anna@mail.ru", "utm_campaign": "+7 999 000 11 22"}
    found = traits_of({"utm": utm}, {})
    assert (found["source"], found["medium"], found["campaign"]) == ("yandex", "", "")
    assert traits_of({"utm": {"utm_campaign": "12345678901"}}, {})["campaign"] == "12345678901"


def test_options_are_those_that_the_quiz_offers() -> None:
    assert chosen("full ", OFFERED) == ["Which repair?", "Full"]
    assert chosen(["Paint", "Call Anna, please"], OFFERED) == ["Which repair?", "Paint", ANOTHER]


def test_or_those_of_a_question_whose_type_says_so() -> None:
    assert chosen(["A", "A", "B"], type="multiselect") == ["Which?", "A", "B"]
    assert chosen("+7 (999) 000-11-22", type="radio") == ["Which?", ANOTHER]
    assert chosen("x" * 81, type="select") == ["Which?", ANOTHER]


@pytest.mark.parametrize("kind", ["", "text", "number", "multitext", "phone", "file"])
def test_what_people_type_is_none(kind: str) -> None:
    assert chosen(["I am Anna"], type=kind) is None


# -- numbers -------------------------------------------------------------------------------------------------


def test_numbers_are_read_as_they_were_kept() -> None:
    one = Numbers(answers=3, leads=2, won=1)
    for seconds in (0, 10, 100, 1000, 86_400):
        one.step_after(seconds)
    again = read(one.counts, one.sums)
    assert again == one
    assert again.seconds_to_step(50) == pytest.approx(100, rel=0.06)
    assert again.seconds_to_step(90) == pytest.approx(86_400, rel=0.06)
    assert Numbers().seconds_to_step(50) is None


def test_rare_names_are_kept_as_one() -> None:
    told = kept({f"n{number}": Numbers(answers=number + 1) for number in range(MOST + 2)})
    assert len(told) == MOST + 1
    assert read_kept(told["*"]).answers == 3
    assert total(map(read_kept, told.values())).answers == sum(range(MOST + 3))
