from __future__ import annotations

import pytest

from connectors.coercion import Unfit
from connectors.custom_fields import Fit
from connectors.draft import Option, Target
from connectors.envybox.fields import convert

OPTIONS = (Option("7", "Чистовая"), Option("8", "Черновая"))


def target(type_id, options=()):
    return Target("deal", "1", "Поле", type_id, options=options)


@pytest.mark.parametrize(
    ("type_id", "texts", "value"),
    [
        ("2", ["Лофт"], "Лофт"),
        ("2", ["Лофт", "Сканди"], "Лофт, Сканди"),
        ("1", ["1 200,50"], 1200.5),
        ("1", ["54 м2"], 54),
        ("1", ["54-56"], None),
        ("1", ["54"], 54),
        ("9", ["1 500 000 ₽"], 1_500_000),
        ("17", ["что угодно"], "что угодно"),
        ("2", ["a\x00b"], "ab"),
    ],
)
def test_values(type_id, texts, value):
    if value is None:
        with pytest.raises(Unfit, match="not a number"):
            convert(texts, target(type_id))
        return
    assert convert(texts, target(type_id)) == Fit(value)


def test_a_text_that_is_cut_says_so():
    assert convert(["x" * 6000], target("2")) == Fit("x" * 4999 + "…", but="shortened to 5000 characters")


def test_a_list_takes_ids_where_its_options_are_known():
    assert convert(["чистовая"], target("3", OPTIONS)) == Fit("7")
    assert convert(["Чистовая", "Черновая"], target("3", OPTIONS)) == Fit(["7", "8"])
    with pytest.raises(Unfit, match="no choice"):
        convert(["Никакая"], target("3", OPTIONS))


def test_a_list_without_options_takes_the_text_and_says_so():
    assert convert(["Чистовая"], target("3")) == Fit("Чистовая", unproven=True)


def test_nothing_is_no_value():
    assert convert(["", " "], target("1")) == Fit(None)
    with pytest.raises(Unfit, match="no-such-type"):
        convert(["x"], target("no-such-type"))
    with pytest.raises(Unfit, match="one value"):
        convert(["1", "2"], target("1"))
