"""The table type -> value, as triples: what amoCRM calls the field, what was answered, what is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.amocrm import fields
from connectors.amocrm.fields import TO_AMO, convert
from connectors.coercion import Unfit
from connectors.draft import Option, Target

MOSCOW = ZoneInfo("Europe/Moscow")
SIZES = (
    Option("80010", "S"),
    Option("80011", "Очень  большой"),
    Option("80012", "s"),
    Option("80013", "Ёлка"),
)


def field(kind: str, code: str = "") -> Target:
    return Target(
        "leads", "70001", "Question", kind, code, SIZES if "select" in kind or "radio" in kind else ()
    )


def moment(*parts: int, zone: ZoneInfo = MOSCOW) -> int:
    return int(datetime(*parts, tzinfo=zone).timestamp())


NOON = moment(2026, 3, 8, 12)
WORK = "WORK"

PLACED = [
    ("text", "Красный", [{"value": "Красный"}]),
    ("text", "  Красный \x00 ", [{"value": "Красный"}]),
    ("text", ("a", "b"), [{"value": "a, b"}]),
    ("text", "привет 🌷", [{"value": "привет 🌷"}]),
    ("text", "", []),
    ("text", ("", "  "), []),
    ("textarea", "a\nb" * 200, [{"value": "a\nb" * 200}]),
    ("numeric", "1 200,50 ₽", [{"value": "1200.5"}]),
    ("numeric", "1,200.50", [{"value": "1200.5"}]),
    ("numeric", "1.200,50", [{"value": "1200.5"}]),
    ("numeric", "1,200", [{"value": "1200"}]),
    ("numeric", "1 000 000 руб.", [{"value": "1000000"}]),
    ("numeric", "0,5", [{"value": "0.5"}]),
    ("numeric", "-3", [{"value": "-3"}]),
    ("numeric", "54 м²", [{"value": "54"}]),
    ("price", "99 $", [{"value": "99"}]),
    ("monetary", "10.00", [{"value": "10"}]),
    ("checkbox", "Да", [{"value": True}]),
    ("checkbox", "yes", [{"value": True}]),
    ("checkbox", "TRUE", [{"value": True}]),
    ("checkbox", "1", [{"value": True}]),
    ("checkbox", "Согласен.", [{"value": True}]),
    ("checkbox", "нет", [{"value": False}]),
    ("checkbox", "0", [{"value": False}]),
    ("url", "https://shop.example/a?b=1", [{"value": "https://shop.example/a?b=1"}]),
    ("url", "shop.example", [{"value": "https://shop.example"}]),
    ("date", "2026-03-08", [{"value": NOON}]),
    ("date", "08.03.2026", [{"value": NOON}]),
    ("date", "8.3.26", [{"value": NOON}]),
    ("date", "08/03/2026", [{"value": NOON}]),
    ("date", "8 марта 2026 г.", [{"value": NOON}]),
    ("date", "March 8, 2026", [{"value": NOON}]),
    ("date", "8th March 2026", [{"value": NOON}]),
    ("date", "2026-03-07T22:30:00Z", [{"value": NOON}]),  # the 8th in Moscow already
    ("date", str(NOON), [{"value": NOON}]),
    ("date", f"{NOON}000", [{"value": NOON}]),
    ("birthday", "27.03.87", [{"value": moment(1987, 3, 27, 12)}]),
    ("date_time", "2026-03-08 10:15", [{"value": moment(2026, 3, 8, 10, 15)}]),
    ("date_time", "08.03.2026, 10:15", [{"value": moment(2026, 3, 8, 10, 15)}]),
    ("date_time", "8 March 2026 5:30 pm", [{"value": moment(2026, 3, 8, 17, 30)}]),
    ("date_time", "2026-03-08T10:15:00+05:00", [{"value": moment(2026, 3, 8, 8, 15)}]),
    ("select", "S", [{"enum_id": 80010}]),
    ("select", "s", [{"enum_id": 80012}]),
    ("select", "очень большой", [{"enum_id": 80011}]),
    ("select", "елка", [{"enum_id": 80013}]),
    ("radiobutton", "S", [{"enum_id": 80010}]),
    ("multiselect", ("S", "Ёлка", "S"), [{"enum_id": 80010}, {"enum_id": 80013}]),
    ("multitext", "+79990001122", [{"value": "+79990001122"}]),
    ("smart_address", "Казань, Баумана 1", [{"value": "Казань, Баумана 1", "enum_code": "address_line_1"}]),
    ("streetaddress", "Баумана 1", [{"value": "Баумана 1"}]),
    ("tracking_data", "ads", [{"value": "ads"}]),
    ("legal_entity", "ООО «Ромашка»", [{"value": {"name": "ООО «Ромашка»"}}]),
]


@pytest.mark.parametrize(("kind", "answer", "values"), PLACED)
def test_an_answer_becomes_the_value_of_its_field(kind, answer, values):
    fit = convert((answer,) if isinstance(answer, str) else answer, field(kind), MOSCOW)
    assert list(fit.values) == values
    assert fit.but == ""


HALF_PLACED = [
    ("text", "x" * 300, [{"value": "x" * 254 + "…"}], "shortened to 255"),
    ("select", ("S", "Ёлка"), [{"enum_id": 80010}], "one choice"),
    ("multiselect", ("S", "XXL"), [{"enum_id": 80010}], "no choice 'XXL'"),
    ("url", ("a.example", "b.example"), [{"value": "https://a.example"}], "first address"),
]


@pytest.mark.parametrize(("kind", "answer", "values", "but"), HALF_PLACED)
def test_what_is_cut_off_is_told(kind, answer, values, but):
    fit = convert((answer,) if isinstance(answer, str) else answer, field(kind), MOSCOW)
    assert list(fit.values) == values
    assert but in fit.but


UNPLACED = [
    ("numeric", "от 1000 до 2000", "not a number"),
    ("numeric", "много", "not a number"),
    ("numeric", "1234567890123456", "not a number"),
    ("checkbox", "может быть", "neither yes nor no"),
    ("url", "нет сайта", "not a web address"),
    ("url", "shop", "not a web address"),
    ("url", "http://[", "not a web address"),
    ("date", "завтра", "not a date"),
    ("date", "31.02.2026", "not a date"),
    ("date_time", "в обед", "not a date"),
    ("select", "XXL", "no choice 'XXL'"),
    ("multiselect", ("XXL", "M"), "no choice 'XXL', 'M'"),
    ("file", "plan.pdf", "type file"),
    ("linked_entity", "1", "type linked_entity"),
    ("chained_list", "1", "type chained_list"),
    ("items", "1", "type items"),
    ("", "1", "type unknown"),
]


@pytest.mark.parametrize(("kind", "answer", "reason"), UNPLACED)
def test_what_does_not_fit_says_why(kind, answer, reason):
    with pytest.raises(Unfit, match=reason):
        convert((answer,) if isinstance(answer, str) else answer, field(kind), MOSCOW)


@pytest.mark.parametrize(
    ("code", "answer", "kind"),
    [("PHONE", "+7999", WORK), ("EMAIL", "a@b.example", WORK), ("IM", "anna", "OTHER")],
)
def test_a_multitext_names_the_kind_its_field_has(code, answer, kind):
    assert convert((answer,), field("multitext", code)).values == ({"value": answer, "enum_code": kind},)


def test_an_email_without_an_at_sign_is_none():
    with pytest.raises(Unfit, match="e-mail"):
        convert(("anna",), field("multitext", "EMAIL"))


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Moscow", "Asia/Kamchatka", "UTC"])
def test_a_day_stays_the_same_day_in_every_zone(zone):
    value = convert(("08.03.2026",), field("date"), ZoneInfo(zone)).values[0]["value"]
    assert datetime.fromtimestamp(value, ZoneInfo(zone)).date().isoformat() == "2026-03-08"


def test_emoji_can_be_switched_off(monkeypatch):
    monkeypatch.setattr(fields, "KEEP_EMOJI", False)
    assert convert(("цветы 🌷!",), field("text")).values == ({"value": "цветы !"},)


def test_every_type_of_the_table_is_tested():
    assert {kind for kind, *_ in PLACED} | {"category"} == set(TO_AMO)
    assert convert(("S",), Target("leads", "1", "x", "category", options=SIZES), UTC).values == (
        {"enum_id": 80010},
    )
