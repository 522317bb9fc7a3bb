"""Open leads on the desk: on a rule's page, in its versions, in copies, and in the story of a delivery."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from rules.admin.rule_routes import told_extra
from rules.models import Rule
from tests.admin.test_pages import page_of
from tests.admin.test_rule_form import form_of, save

EXTRA = {"Repeated": {"Do": "note", "WithinDays": 14, "Task": True}}
STORED = {"repeated": {"do": "note", "days": 14, "task": True}}


def test_what_the_page_sends_is_stored_and_shown_again(operator: Client, rule: Rule) -> None:
    assert save(operator, rule, extra=EXTRA) == ""
    rule.refresh_from_db()
    assert rule.extra == STORED
    assert json.loads(str(form_of(operator, rule)["extra"].value())) == EXTRA


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"Repeated": {"Do": "merge"}}, "(Repeated.Do): one of new, note, link is needed"),
        ({"Repeated": {"Do": "note", "WithinDays": "x"}}, "(Repeated.WithinDays): a whole number"),
    ],
)
def test_what_cannot_be_meant_is_refused(operator: Client, rule: Rule, extra: Any, words: str) -> None:
    assert words in save(operator, rule, extra=extra)
    rule.refresh_from_db()
    assert rule.extra == {}


def test_the_ways_are_offered_and_told_in_words(operator: Client, rule: Rule) -> None:
    routing = operator.get(page_of(rule)).context["editor"]["routing"]
    assert [way for way, _ in routing["repeated"]] == ["new", "note", "link"]
    [(what, words)] = told_extra(rule, STORED).items()
    assert (what, "14" in words) == ("If there is an open lead", True)
