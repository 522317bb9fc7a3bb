"""What an option of the quiz means in a field: by its words, by the rule, or nothing; what may be meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.draft import FieldValue, Option, Target
from rules.mapping.checks import problems_of
from rules.mapping.drafting import Progress, draft_for
from rules.mapping.likeness import likeliest, offers
from rules.mapping.option_map import chosen_words, read_choice_fields
from rules.mapping.quiz import by_id
from rules.mapping.rule_snapshot import RuleSnapshot
from tests.rules.test_mapping import BOOK

NOW = datetime(2026, 1, 2, tzinfo=UTC)
WHEN = Target(
    "leads",
    "70",
    "Срок",
    "select",
    options=(Option("1", "Срочно"), Option("2", "Через месяц"), Option("3", "В течение года")),
)
KEY = ("lead", "1", "70")


def book(quiz: Any = None, observed: Any = None, **meant: str | None) -> RuleSnapshot:
    maps = [{"record": "lead", "question": "1", "field": "70", "map": meant}] if meant else []
    choices = read_choice_fields(
        [KEY],
        lambda entity, named: WHEN if (entity, named) == ("lead", "70") else None,
        maps,
        by_id(quiz or {}),
        {"1": dict.fromkeys(observed or (), NOW)},
    )
    return replace(
        BOOK, fields={("leads", "70"): WHEN}, questions=(KEY,), choice_fields=choices, option_maps=tuple(maps)
    )


def filled(answer: Any, **meant: str | None) -> list[str]:
    body = {"answers": [{"questionID": "1", "question": "Когда?", "answer": answer}]}
    values = draft_for(book(**meant), body, Progress("qz1", NOW)).values
    return [chosen_words(value) for value in values]


@pytest.mark.parametrize(
    ("answer", "meant", "shown"),
    [
        ("срочно ", {}, "срочно → Срочно"),
        ("Прямо сейчас", {}, "Прямо сейчас"),
        ("Прямо сейчас", {"Прямо сейчас": "1"}, "Прямо сейчас → Срочно"),
        ("ПРЯМО  сейчас", {"Прямо сейчас": "1"}, "ПРЯМО  сейчас → Срочно"),
        ("Срочно", {"Срочно": "3"}, "Срочно → В течение года"),
        (["Завтра", "Через месяц"], {"Завтра": "1"}, "Завтра, Через месяц → Срочно, Через месяц"),
        ("Завтра; через месяц", {"Завтра": "1"}, "Завтра; через месяц → Срочно, Через месяц"),
        (["Не знаю", "Срочно"], {"Не знаю": None}, "Срочно"),
        ("Не знаю, Срочно", {"Не знаю": None}, "Срочно"),
        ("Прямо сейчас", {"Прямо сейчас": "99"}, "Прямо сейчас"),
    ],
)  # fmt: skip
def test_an_answer_is_the_option_that_it_means(answer: Any, meant: Any, shown: str) -> None:
    assert filled(answer, **meant) == [shown]


def test_what_stays_in_the_note_fills_nothing_and_is_no_loss() -> None:
    body = {"answers": [{"questionID": "1", "question": "Когда?", "answer": ["не знаю", "Пока думаю"]}]}
    draft = draft_for(book(**{"Не знаю": None, "Пока думаю": None}), body, Progress("qz1", NOW))
    assert (draft.values, draft.losses) == ((), ())
    assert "Когда?: не знаю, Пока думаю" in draft.note


def told(**said: Any) -> list[tuple[str, str]]:
    own = {"performer_gone", "tag_gone"}
    return [(one.code, one.field) for one in problems_of(book(**said)) if one.code not in own]


def test_an_option_that_means_nothing_is_a_problem_until_it_is_mapped() -> None:
    assert told(observed=["срочно"]) == []
    assert told(observed=["Когда-нибудь"]) == [("option_unmapped", "leads.70")]
    assert told(observed=["Когда-нибудь"], **{"когда-нибудь": "3"}) == []
    assert told(observed=["Когда-нибудь"], **{"Когда-нибудь": None}) == []
    assert told(quiz={"questions": [{"id": 1, "options": ["Срочно", {"title": "Потом"}]}]}) == [
        ("option_unmapped", "leads.70")
    ]


def test_one_that_an_option_is_like_is_told_with_it() -> None:
    [problem] = [
        one for one in problems_of(book(observed=["Срочно!", "В течении года"])) if one.field == "leads.70"
    ]
    assert problem.code == "option_likely"
    assert "«В течении года» — «В течение года»" in problem.message


def test_an_option_that_left_is_told_with_what_meant_it() -> None:
    [problem] = [one for one in problems_of(book(observed=["Завтра"], Завтра="9")) if one.field == "leads.70"]
    assert problem.code == "option_gone"
    assert "9" in problem.message
    assert "«Завтра»" in problem.message


def test_many_are_named_a_few_at_a_time() -> None:
    [problem] = [
        one for one in problems_of(book(observed=[f"Слово {n}" for n in range(9)])) if one.field == "leads.70"
    ]
    assert problem.message.count("«Слово") == 5
    assert "and 4 more" in problem.message


def test_a_map_of_what_the_rule_does_not_map_is_told() -> None:
    stale = [{"record": "lead", "question": "7", "field": "70", "map": {"Да": "1"}}]
    found = problems_of(replace(book(), option_maps=tuple(stale)))
    assert [(one.code, one.field) for one in found if one.code == "option_unused"] == [
        ("option_unused", "Extra.Options[0]")
    ]


OPTIONS = [Option(str(number), text) for number, text in enumerate([
    "До 1 млн", "От 1 млн", "3-комнатная", "Нужна доставка", "Не нужна доставка", "Дизайнерский ремонт",
    "50-100 м²", "100-150 м²", "Юг", "Север",
])]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("до 1 млн.", "До 1 млн"),
        ("до 1 млн рублей", ""),
        ("от 1 мln", ""),
        ("3 комнатная", "3-комнатная"),
        ("4-комнатная", ""),
        ("Ремонт дизайнерский", "Дизайнерский ремонт"),
        ("Дизайнерский ремнт", "Дизайнерский ремонт"),
        ("Нужна  доставка!", "Нужна доставка"),
        ("ненужна доставка", ""),
        ("50–100 кв. м", ""),
        ("150-200 м2", ""),
        ("Юх", ""),
        ("Космос", ""),
        ("", ""),
        ("!!!", ""),
    ],
)
def test_the_likeliest_is_chosen_only_where_it_is_surely_meant(text: str, meant: str) -> None:
    found = likeliest(text, OPTIONS)
    assert (found.text if found else "") == meant


def test_of_two_as_near_none_is_chosen() -> None:
    pair = [Option("1", "Ремонт кухни"), Option("2", "Ремонт кухня")]
    assert likeliest("Ремонт кухн", pair) is None
    assert [option.remote_id for option, _ in offers("Ремонт кухн", pair)] == ["1", "2"]


def test_three_are_offered_at_most_the_likeliest_first() -> None:
    found = offers("Нужна доставка", [*OPTIONS, Option("x", "Доставка нужна"), Option("y", "Нужна досрочно")])
    assert len(found) == 3
    assert [alike for _, alike in found] == sorted((alike for _, alike in found), reverse=True)


def test_a_value_of_a_field_that_has_no_map_is_as_it_was() -> None:
    plain = FieldValue(WHEN, "Когда?", "Срочно")
    assert book().choice_fields[KEY].filled(plain) == plain
