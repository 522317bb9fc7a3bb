"""Texts of rules: what they write, what they lack, what is refused where; no text costs the lead."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.draft import Target
from connectors.messages import translate
from rules.mapping.checks import problems_of
from rules.mapping.conditions import Malformed
from rules.mapping.templates import LONGEST, LONGEST_RESULT, Text, Texts, read_text
from tests.properties.bodies import bodies
from tests.rules.test_conditions import BODY, values
from tests.rules.test_mapping import BOOK, draft

QUIZ = {"title": "Окна", "id": "42"}


def written(source: str, body: dict[str, Any] | None = None) -> tuple[str, list[str]]:
    text, losses = read_text(source, "Title", "the text of the title").write(values(body), QUIZ)
    return text, [loss.question for loss in losses]


@pytest.mark.parametrize(
    ("source", "text", "missing"),
    [
        ("С сайта", "С сайта", []),
        ("{{ quiz.title }}: {{ contact.name }}", "Окна: Анна", []),
        ("{{ answer.area }} / {{ answer['rooms'] }}", "54 м² / Кухня, Ванная", []),
        ('{{ answer["nobody"] }}!', "!", ["answer.nobody"]),
        ("{{ contact.email | default('нет') }}", "нет", []),
        ("{{ contact.email | upper }}", "", ["contact.email"]),
        ("{{ utm.source | lower }} {{ utm.utm_medium }}", "yandex direct cpc", []),
        ("{{ sum | number }}", "1 500 000", []),
        ("{{ sum | number(2) }} ₽", "1 500 000.50 ₽", []),
        ("{{ contact.name | number }}", "Анна", []),
        ("{{ date }} {{ date | date('%Y-%m-%d') }}", "02.01.2026 2026-01-02", []),
        ("{{ date | date('%999999999d') }}", "02.01.2026", []),
        ("{{ contact.phone | digits }}", "79161234501", []),
        ("{% if utm.medium == 'cpc' %}реклама{% else %}сам{% endif %}", "реклама", []),
        ("{% if 'Кухня' in answer.rooms %}кухня{% endif %}", "кухня", []),
        ("{{ 'да' if contact.email else 'нет' }}", "нет", []),
        ("{{ contact.name ~ ' ' ~ hour }}", "Анна 22", []),
        ("{# слово #} {{ '{{' }}", "{{", []),
        ("<b>{{ contact.name }}</b>", "<b>Анна</b>", []),
    ],
)
def test_what_is_written(source, text, missing):
    assert written(source) == (text, missing)


def test_an_id_that_is_a_number_or_a_method_is_a_name():
    body = {"answers": [{"questionID": key, "answer": f"a{key}"} for key in ("12", "items", "get", "q-1")]}
    assert written("{{ answer.12 }}{{ answer.items }}{{ answer.get }}{{ answer['q-1'] }}", body) == (
        "a12aitemsagetaq-1",
        [],
    )


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{{ contact.name", "line 1"),
        ("one\n{{ contact.name | }}", "line 2"),
        ("{% for x in answer.a %}{{ x }}{% endfor %}", "a loop"),
        ("{% set x = 5 %}", "a command"),
        ("{% include 'x' %}", "a command"),
        ("{{ contact.name.upper() }}", "a call"),
        ("{{ 'x' * 1000000000 }}", "arithmetic"),
        ("{{ 10 ** 10 ** 10 }}", "arithmetic"),
        ("{{ range(5) }}", "a call"),
        ("{{ [1, 2] }}", "a list"),
        ("{{ sum is defined }}", "a check"),
        ("{{ contact.name | replace('', 'xxxx') }}", "replace"),
        ("{{ contact.name | center(1000000000) }}", "center"),
        ("{{ contact }}", "no such value"),
        ("{{ nobody }}", "no such value"),
        ("{{ answer.a.b }}", "no such value"),
        ("{{ answer[sum] }}", "no such value"),
        ("{{ self }}", "no such value"),
        ("{{ quiz.secret }}", "no such value"),
        ("{{ sum > 5 }}", "more and less"),
        ("{{ answer.q-1 }}", "arithmetic"),
        ("{{ " + "(" * 900 + "sum" + ")" * 900 + " }}", "too much"),
        ("{{ " + "not " * 400 + "sum }}", "too much"),
        ("x" * (LONGEST + 1), "at most"),
        (5, "at most"),
    ],
)
def test_what_is_none_is_refused_with_its_line(source, line):
    with pytest.raises(Malformed) as refused:
        read_text(source, "Title", "")
    assert (refused.value.at, line in refused.value.message) == ("Title", True), refused.value.message


def test_no_python_is_within_reach():
    """Whatever looks like an attribute of an object is a name that no answer has."""
    assert written("{{ answer.__class__ }}{{ contact['__init__'] }}") == (
        "",
        ["answer.__class__", "contact.__init__"],
    )
    with pytest.raises(Malformed):
        read_text("{{ answer.__class__.__mro__ }}", "Title", "")


def test_a_long_answer_does_not_grow():
    body = {"answers": [{"questionID": "a", "answer": "x" * 100_000}]}
    text, losses = Text("{{ answer.a }}" * 100, "the text of the note").write(values(body), QUIZ)
    assert (len(text), len(losses)) == (LONGEST_RESULT, 1)


def test_a_text_that_cannot_be_written_costs_no_lead():
    text = Text("{{ sum | number(contact.name) }}", "the text of the sum")
    assert text.write(values(), QUIZ)[0] == ""
    assert "what its filters are given" in text.write(values(), QUIZ)[1][0].reason


@pytest.mark.parametrize(
    "source",
    ["{{ contact.name", "{{ contact.name | }}", "{{ 'a }}", "{% endif %}", "{% foo %}",
     "{{ sum is defined }}", "{% if sum %}", "{{ a b }}", "{{ sum + 1 }}", "{{ {} }}", "{# x"],
)  # fmt: skip
def test_a_person_reads_no_word_of_the_engine(source):
    """In Russian the only Latin letters are those that the person wrote and names that may be written."""
    with pytest.raises(Malformed) as refused:
        read_text(source, "Title", "")
    told = translate(refused.value.message, "ru").replace(source, "").replace('answer["q-1"]', "")
    assert re.findall("[A-Za-z]{2,}", told.replace("is", "").replace("if", "")) == []


NAMES = st.sampled_from(
    ["answer.q1", "contact.name", "contact.phone", "utm.source", "sum", "page", "quiz.title"]
)
PIECES = st.one_of(
    st.sampled_from(["Лид ", "{{ '{' }}", "\n", "100%"]),
    NAMES.map(lambda name: f"{{{{ {name} }}}}"),
    st.tuples(NAMES, st.sampled_from(["upper", "number(2)", "date", "digits", "default('-')", "title"])).map(
        lambda two: f"{{{{ {two[0]} | {two[1]} }}}}"
    ),
    NAMES.map(lambda name: f"{{% if {name} %}}есть{{% endif %}}"),
)


@given(body=bodies(("q1", "q2")), pieces=st.lists(PIECES, max_size=6))
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_any_body_is_written(body, pieces):
    text, losses = read_text("".join(pieces), "Note", "the text of the note").write(values(body), QUIZ)
    assert len(text) <= LONGEST_RESULT
    assert not [loss for loss in losses if "can't be written" in loss.reason]


def texts(**said: str) -> dict[str, Any]:
    return {
        "texts": Texts(**{name: Text(source, f"the text of the {name}") for name, source in said.items()})
    }


def test_a_draft_has_the_rules_own_texts():
    own = texts(
        title="{{ contact.name }} из {{ contact.city }}",
        note="Позвонить: {{ contact.phone }}",
        sum="{{ answer.area | digits }}",
    )
    made = draft(BODY, **own)
    assert (made.title, made.price) == ("Анна из Орёл", "54")
    assert made.note.startswith("Позвонить: +79161234501\n\nКвиз: ")
    assert "1 500 000,50 ₽" in made.note  # the sum that came stays there


def test_an_empty_title_or_sum_is_the_usual_one():
    made = draft(
        {"contact": {"name": "Анна"}, "price": "5"}, **texts(title=" {{ utm.source }} ", sum="{{ answer.x }}")
    )
    assert (made.title, made.price) == ("№ 42: Анна", "5")
    assert [(loss.question, loss.field_id) for loss in made.losses] == [("utm.source", ""), ("answer.x", "")]


def test_values_of_fields_and_constants():
    field = Target("leads", "77", "Откуда", "text")
    values_ = (
        ("lead", "77", Text("Квиз {{ quiz.id }}", "the text of field 1")),
        ("lead", "78", Text("const", "the text of field 2")),
        ("lead", "77", Text("{{ utm.source }}", "the text of field 3")),
    )
    book = replace(BOOK, fields={**BOOK.fields, ("leads", "77"): field}, texts=Texts(values=values_))
    made = draft({}, fields=book.fields, texts=book.texts)
    assert [(value.target, value.text) for value in made.values] == [(field, "Квиз 42")]
    assert [(loss.question, loss.value) for loss in made.losses] == [
        ("the text of field 2", "const"),
        ("utm.source", ""),
    ]
    assert [(one.code, one.field) for one in problems_of(book)] == [("field_gone", "Extra.Values[1].Field")]
