"""The table type -> value, as triples: what Bitrix24 calls the field, what was answered, what is sent."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from connectors.bitrix24.fields import CHOICES as CHOICE_TYPES
from connectors.bitrix24.fields import LONGEST_TEXT, TO_BITRIX, convert
from connectors.coercion import Unfit
from connectors.draft import Option, Target

MOSCOW = timezone(timedelta(hours=3))
STYLES = (Option("301", "Лофт"), Option("302", "Очень  тёплый"), Option("303", "лофт"))
SOURCES = (Option("WEB", "Веб-сайт"), Option("CALL", "Звонок"))
CHOICES = {"enumeration": STYLES, "crm_status": SOURCES}


def field(kind: str, multiple: bool = False) -> Target:
    options = CHOICES.get(kind, ())
    return Target("CRM_DEAL", "581", "Question", kind, "UF_CRM_1", options, multiple)


def fit(kind: str, answer: str | tuple[str, ...], multiple: bool = False):
    texts = (answer,) if isinstance(answer, str) else answer
    return convert(texts, field(kind, multiple), MOSCOW, "RUB")


PLACED = [
    ("string", "Красный", "Красный"),
    ("string", "  a\x00b\ud83d ", "ab"),
    ("string", ("a", "b"), "a, b"),
    ("string", "", None),
    ("string", ("", " "), None),
    ("crm_pena_tag", "vip", "vip"),
    ("integer", "54 м²", "54"),
    ("integer", "1 000,00", "1000"),
    ("integer", "-3", "-3"),
    ("double", "1 200,50 ₽", "1200.5"),
    ("boolean", "Да", 1),
    ("boolean", "Согласен.", 1),
    ("boolean", "нет", 0),
    ("boolean", "0", 0),
    ("date", "08.03.2026", "2026-03-08"),
    ("date", "8 марта 2026", "2026-03-08"),
    ("date", "2026-03-07T22:30:00Z", "2026-03-08"),  # the 8th in Moscow already
    ("datetime", "2026-03-08 10:15", "2026-03-08T10:15:00+03:00"),
    ("datetime", "2026-03-08T10:15:00+05:00", "2026-03-08T08:15:00+03:00"),
    ("enumeration", "Лофт", "301"),
    ("enumeration", "лофт", "303"),
    ("enumeration", "очень теплый", "302"),
    ("crm_status", "Веб-сайт", "WEB"),
    ("money", "1500", "1500.00|RUB"),
    ("money", "1 500,5 руб.", "1500.50|RUB"),
    ("money", "99 $", "99.00|USD"),
    ("url", "shop.example/a", "https://shop.example/a"),
    ("url", "http://shop.example", "http://shop.example"),
    ("address", "Казань, Баумана 1 | кв. 2", "Казань, Баумана 1 / кв. 2"),
]


@pytest.mark.parametrize(("kind", "answer", "value"), PLACED)
def test_an_answer_becomes_the_value_of_its_field(kind, answer, value):
    found = fit(kind, answer)
    assert (found.value, found.but) == (value, "")
    assert type(found.value) is type(value)


SEVERAL = [
    ("string", ("a", "b", "a"), ["a", "b"], ""),
    ("enumeration", ("Лофт", "Очень тёплый"), ["301", "302"], ""),
    ("enumeration", ("Лофт", "Рококо"), ["301"], "no choice 'Рококо'"),
    ("integer", ("1", "x"), ["1"], "not a whole number"),
    ("date", ("08.03.2026",), ["2026-03-08"], ""),
]


@pytest.mark.parametrize(("kind", "answers", "values", "but"), SEVERAL)
def test_a_multiple_field_takes_an_array(kind, answers, values, but):
    found = fit(kind, answers, multiple=True)
    assert found.value == values
    assert but in found.but


def test_a_single_field_takes_the_first_and_says_so():
    found = fit("enumeration", ("Лофт", "Очень тёплый"))
    assert (found.value, found.but) == ("301", "the field takes one value")


UNPLACED = [
    ("integer", "54,5", "not a whole number"),
    ("integer", "много", "not a whole number"),
    ("double", "от 1 до 2", "not a number"),
    ("boolean", "может быть", "neither yes nor no"),
    ("date", "завтра", "not a date"),
    ("datetime", "31.02.2026", "not a date"),
    ("enumeration", "Рококо", "no choice 'Рококо'"),
    ("enumeration", "301", "no choice"),
    ("crm_status", "WEB", "no choice"),
    ("money", "дорого", "not a sum"),
    ("url", "нет сайта", "not a web address"),
    ("url", "http://[", "not a web address"),
    ("employee", "Анна", "type employee"),
    ("file", "plan.pdf", "type file"),
    ("crm", "C_12", "type crm"),
    ("iblock_element", "1", "type iblock_element"),
    ("iblock_section", "1", "type iblock_section"),
    ("resourcebooking", "1", "type resourcebooking"),
    ("", "1", "type unknown"),
]


@pytest.mark.parametrize(("kind", "answer", "reason"), UNPLACED)
def test_what_does_not_fit_says_why(kind, answer, reason):
    with pytest.raises(Unfit, match=reason):
        fit(kind, answer)


def test_money_without_a_known_currency_is_the_portals():
    assert convert(("1500",), field("money")).value == "1500.00"


def test_a_long_text_is_cut():
    assert len(fit("string", "x" * (LONGEST_TEXT + 9)).value) == LONGEST_TEXT


def test_every_type_of_the_table_is_tested():
    assert {kind for kind, *_ in PLACED} == set(TO_BITRIX) | CHOICE_TYPES
