"""What is said to people and kept: the English text to programs, its parts to whoever translates it."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import pickle
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from connectors import errors
from connectors.messages import (
    EN,
    RU,
    Message,
    day,
    from_column,
    joined,
    loaded,
    message,
    minute,
    sentences,
    stored,
    to_column,
    translate,
)
from connectors.redact import redact
from connectors.text import storable

ZONE = message("the time zone {zone} is not known here", zone="EST")
ONE = message("the field takes one value")


def test_programs_see_the_english_text():
    assert ZONE == "the time zone EST is not known here"
    assert json.dumps({"reason": ZONE}) == '{"reason": "the time zone EST is not known here"}'


def test_people_read_their_language():
    assert translate(ZONE, RU) == "часовой пояс EST здесь неизвестен"
    assert translate(ZONE, EN) == ZONE
    assert translate(joined("; ", ZONE, ONE), RU) == (
        "часовой пояс EST здесь неизвестен; в поле помещается одно значение"
    )
    assert translate(sentences(message("The account is paused"), "Ask Anna."), RU) == (
        "Подключение на паузе. Ask Anna."
    )


def test_a_parameter_may_be_a_message():
    told = message("An answer to «{question}» is only in the note: {reason}.", question="Name", reason=ONE)
    assert translate(told, RU) == (
        "Ответ на вопрос «Name» попал только в примечание: в поле помещается одно значение."
    )


def test_a_day_and_a_moment_are_read_in_the_form_of_the_language():
    at = datetime(2026, 3, 7, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    for told, english, russian in (
        (day(at), "2026-03-07", "07.03.2026"),
        (minute(at), "2026-03-06 22:30", "06.03.2026 22:30"),
    ):
        kept = from_column(to_column(message("Connected {at}", at=told)))
        assert (kept, translate(told, RU)) == (f"Connected {english}", russian)


def test_words_of_others_are_passed_on():
    assert translate("Fehler 17: {Wert}", RU) == "Fehler 17: {Wert}"
    assert translate("", RU) == ""
    assert joined(" ", "a", "", "b") == "a b"


def test_a_row_from_before_messages_were_kept_is_shown():
    assert translate(from_column("the field takes one value"), RU) == translate(ONE, RU)
    assert translate(from_column("the field has no choice 'x'"), RU) == "the field has no choice 'x'"


@pytest.mark.parametrize(
    "text",
    [ZONE, ONE, joined("; ", ZONE, "x"), message("{a}", a="{b} {{"), "plain", '{"text": 1}', ""],
)
def test_what_was_kept_is_what_was_said(text):
    back = from_column(to_column(text))
    assert (back, type(back)) == (text, type(text))
    assert translate(back, RU) == translate(text, RU)
    assert loaded(json.loads(json.dumps(stored({"losses": [text]})))) == {"losses": [text]}


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), str]
)
def test_a_copy_is_a_message_too(again):
    assert translate(again(ZONE), RU) == translate(ZONE, RU)


def test_a_name_with_quotes_has_inner_ones_within_quotes():
    told = message("«{name}» {name}", name="ООО «Ромашка»")
    assert told == "«ООО „Ромашка“» ООО «Ромашка»"


@pytest.mark.parametrize(
    "kept",
    [
        '{"text": "{params.__class__}", "params": {"params": "x"}}',
        '{"text": "{a!r:>99999999}", "params": {"a": "x"}}',
        '{"text": "{0}{}{", "params": {}}',
    ],
)
def test_a_kept_text_is_filled_and_never_run(kept):
    """Whatever stands in a column: a CRM may write such a text, too."""
    assert len(translate(from_column(kept), RU)) < 40


def test_secrets_and_what_no_database_takes_leave_the_parameters():
    told = message("{crm} answered something unexpected ({name})", crm="amoCRM", name="access_token=abc\0")
    assert redact(storable(told)) == "amoCRM answered something unexpected (access_token=***)"
    assert isinstance(redact(storable(told)), Message)


def test_no_error_of_a_crm_has_a_text_that_nobody_can_translate():
    kinds = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    called = {one.__name__ for one in kinds if issubclass(one, errors.ConnectorError)} | {"lost"}
    bare = [
        f"{path.name}:{node.lineno}"
        for path in Path(errors.__file__).parent.rglob("*.py")
        if "sandbox" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in called and node.args
        if isinstance(node.args[0], ast.JoinedStr | ast.Constant)
    ]
    assert bare == []
