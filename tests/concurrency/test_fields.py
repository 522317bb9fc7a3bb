"""Rules that wish for the same field at the same moment: one field is made. Real threads, real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from connectors.amocrm import fields as amo_fields
from connectors.bitrix24 import fields as bitrix_fields
from rules.models import Rule
from rules.provisioning import prepare
from tests.stories.conftest import QUIZ

pytestmark = pytest.mark.django_db(transaction=True)
TITLE = "Площадь кухни"


def prepare_at_once(rule_ids: list[int]) -> None:
    start = Barrier(len(rule_ids))

    def run(rule_id: int) -> None:
        try:
            start.wait()
            prepare(rule_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(rule_ids)) as pool:
        list(pool.map(run, rule_ids))


@pytest.fixture(autouse=True)
def meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read the CRM's fields waits a moment for somebody who has read them as well."""
    both = Barrier(2)

    def after(read):
        def reading(*args, **options):
            found = read(*args, **options)
            with suppress(BrokenBarrierError):
                both.wait(timeout=0.3)
            return found

        return reading

    for module in (amo_fields, bitrix_fields):
        monkeypatch.setattr(module, "fresh", after(module.fresh))


def quiz_of(question: str) -> dict[str, object]:
    return {"questions": [{"id": question, "title": TITLE, "type": "text"}]}


@pytest.fixture(params=["amocrm", "bitrix24"])
def wishes(request: pytest.FixtureRequest) -> tuple[object, list[int]]:
    """Ten rules saved, each with a question of the same title under another id; and who saved them."""
    side = request.getfixturevalue("quiz" if request.param == "amocrm" else "clinic")
    for number in range(10):
        question = f"q{number}"
        if request.param == "amocrm":
            fields: object = {"Lead": [{"QuestionID": {question: 0}}]}
            body = {**side.place(), "Fieldsrule": fields}
        else:
            body = {**side.place(), "FieldsRule": {"deal": {"QuestionID": {question: ""}}}}
        path = "/rules/" if request.param == "amocrm" else "/bitrix/rules/"
        sent = {**body, "Quiz": quiz_of(question)}
        assert (
            side.api.post(f"{path}{QUIZ + 1 + number}", sent, content_type="application/json").status_code
            == 200
        )
    return side, list(Rule.objects.filter(quiz_id__gt=QUIZ).values_list("pk", flat=True))


def fields_called(side: object, title: str) -> int:
    """How many fields of that name the CRM has."""
    if hasattr(side, "portal"):
        return sum(row.label == title for row in side.portal.user_fields("deal").values())
    return sum(row.name == title for row in side.crm.fields["leads"].by_id.values())  # type: ignore[attr-defined]


def test_ten_rules_of_one_title_make_one_field(wishes):
    side, rule_ids = wishes
    prepare_at_once(rule_ids)

    assert fields_called(side, TITLE) == 1
    rules = Rule.objects.filter(pk__in=rule_ids)
    assert not rules.filter(prepare_at__isnull=False).exists()
    assert {problem["code"] for rule in rules for problem in rule.problems} == set()


def test_a_rule_saved_thrice_makes_one_field(wishes):
    side, rule_ids = wishes
    rule_id = rule_ids[0]
    prepare_at_once([rule_id] * 3)
    assert fields_called(side, TITLE) == 1


def test_what_is_saved_while_another_rule_is_prepared_is_prepared_too(quiz, monkeypatch):
    """Whoever comes second leaves the work to the holder of the lease, who must not overlook it."""
    from rules import provisioning as preparing

    real = preparing.make_wished_fields

    def slowly(rule: Rule):
        if rule.quiz_id == QUIZ:
            monkeypatch.setattr(preparing, "make_wished_fields", real)
            body = {**quiz.place(), "Fieldsrule": {"Lead": [{"QuestionID": {"1": 0}}]}, "Quiz": quiz_of("1")}
            quiz.api.post(f"/rules/{QUIZ + 1}", body, content_type="application/json")
            with ThreadPoolExecutor(1) as pool:
                pool.submit(run_and_close, Rule.objects.get(quiz_id=QUIZ + 1).pk).result()
        return real(rule)

    monkeypatch.setattr(preparing, "make_wished_fields", slowly)
    quiz.change_rule(**quiz.place())
    prepare(quiz.rule.pk)

    assert fields_called(quiz, TITLE) == 1
    assert not Rule.objects.filter(prepare_at__isnull=False).exists()


def run_and_close(rule_id: int) -> None:
    try:
        prepare(rule_id)
    finally:
        connection.close()
