"""Fields that a rule wishes for: a lead waits for them a while, they are called as their questions are."""

from __future__ import annotations

import pytest

from accounts import states
from rules import provisioning
from rules.models import Attempt, Delivery, Rule
from tests.stories.conftest import QUIZ

FIELD = {"Fieldsrule": {"Lead": [{"QuestionID": {"1": 0}}]}}
AREA = {"questionID": "1", "question": "Площадь кухни?", "answer": "12"}


@pytest.fixture
def busy(quiz):
    """amoCRM makes no fields at the moment."""
    quiz.amo.faults.add("/leads/custom_fields", "answer", method="POST", status=503, times=1000)
    quiz.change_rule(**FIELD, Quiz={"questions": [{"id": "1", "title": "Площадь кухни?"}]})
    return quiz


def test_a_lead_does_not_wait_longer_than_a_field_is_worth(busy, later):
    busy.post(answers=[AREA])
    busy.work()
    assert busy.delivery.state == "waiting"
    assert (busy.delivery.attempts_made, Attempt.objects.count()) == (0, 0)

    later(seconds=115)
    busy.work()
    assert busy.delivery.state == "waiting"

    later(seconds=10)
    busy.work()
    assert busy.delivery.state == "delivered"
    assert [loss["reason"] for loss in busy.delivery.losses] == ["the field is still to be made"]
    assert any("Площадь кухни?: 12" in note for note in busy.leads[0]["notes"])
    assert (busy.delivery.attempts_made, Attempt.objects.count()) == (1, 1)


def test_an_old_answer_waits_until_the_crm_had_its_chance(busy, later, monkeypatch):
    """It was held for hours, say; the rule is saved, and nobody has asked the CRM for its field yet."""
    monkeypatch.setattr("rules.provisioning.prepare_due", lambda: None)
    busy.post(answers=[AREA])
    later(hours=5)
    busy.work()
    assert busy.delivery.state == "waiting"


def test_a_field_is_called_as_the_first_answer_calls_its_question(quiz, later):
    quiz.change_rule(**FIELD)
    quiz.work()
    assert not [field for field in quiz.crm.fields["leads"] if field.name.startswith("Вопрос 1")][1:]
    assert [problem["code"] for problem in quiz.rule.problems] == ["field_wanted"]

    quiz.post(answers=[AREA])
    quiz.work()
    later(seconds=6)
    quiz.work()

    assert quiz.leads[0]["fields"]["Площадь кухни?"] == "12"
    assert quiz.rule.problems == []
    assert (quiz.rule.current.event, quiz.rule.current.by) == ("fields_made", "service")
    assert quiz.rule.current.said["fields_rule"] == quiz.rule.fields_rule


def test_an_answer_without_the_question_goes_out_at_once(quiz):
    quiz.change_rule(**FIELD)
    quiz.work()
    quiz.post(answers=[{"questionID": "1", "answer": "12"}])
    quiz.work()
    assert quiz.delivery.state == "delivered"
    assert [loss["value"] for loss in quiz.delivery.losses] == ["12"]


def test_question_one_of_two_quizzes_is_two_fields(quiz, later):
    quiz.change_rule(**FIELD)
    other = {**quiz.place(), **FIELD}
    quiz.api.post(f"/rules/{QUIZ + 1}", other, content_type="application/json")
    quiz.work()
    quiz.post(answers=[AREA])
    quiz.post(answers=[{**AREA, "question": "Ваш бюджет?", "answer": "900"}], quizID=QUIZ + 1)
    quiz.work()
    later(seconds=6)
    quiz.work()

    by_quiz = {d.quiz_id: d.remote_id for d in Delivery.objects.all()}
    leads = {str(lead["id"]): lead["fields"] for lead in quiz.leads}
    assert leads[by_quiz[QUIZ]]["Площадь кухни?"] == "12"
    assert leads[by_quiz[QUIZ + 1]]["Ваш бюджет?"] == "900"


def test_a_block_while_a_field_is_made_keeps_it_wanted_until_the_account_is_resumed(quiz, later):
    quiz.amo.faults.add("/leads/custom_fields", method="POST", status=403)
    quiz.change_rule(**FIELD, Quiz={"questions": [{"id": "1", "title": "Площадь кухни?"}]})
    quiz.post(answers=[AREA])
    quiz.work()
    assert (quiz.account.state, quiz.delivery.held_because) == ("paused", "paused")
    assert "field_not_made" not in [problem["code"] for problem in quiz.rule.problems]

    later(hours=1)
    quiz.work()
    states.resume(quiz.account)
    later(minutes=2)
    quiz.work()
    later(seconds=6)
    quiz.work()
    assert [lead["fields"]["Площадь кухни?"] for lead in quiz.leads] == ["12"]
    assert quiz.rule.problems == []


def test_a_refused_sign_in_while_a_field_is_made_keeps_it_wanted_until_the_next(quiz, connect, later):
    quiz.amo.revoke(quiz.crm)
    quiz.change_rule(**FIELD, Quiz={"questions": [{"id": "1", "title": "Площадь кухни?"}]})
    provisioning.prepare_due()
    assert quiz.account.state == "needs_reconnect"

    quiz.post(answers=[AREA])
    assert connect(quiz.crm).json() == "Success"
    later(minutes=2)
    quiz.work()
    later(seconds=6)
    quiz.work()
    assert [lead["fields"]["Площадь кухни?"] for lead in quiz.leads] == ["12"]


def test_a_field_that_was_refused_is_made_once_its_rights_are_given(quiz, later):
    """The CRM tells nobody that it would allow it now: the next reading of the lists asks once more."""
    person = quiz.crm.admin
    person.is_admin = False
    quiz.change_rule(**FIELD, Quiz={"questions": [{"id": "1", "title": "Площадь кухни?"}]})
    quiz.work()
    assert "field_not_made" in [problem["code"] for problem in quiz.rule.problems]
    quiz.sync()
    quiz.work()
    assert "field_not_made" in [problem["code"] for problem in quiz.rule.problems]

    person.is_admin = True
    quiz.sync()
    quiz.work()
    assert quiz.rule.problems == []
    quiz.post(answers=[AREA])
    quiz.work()
    assert [lead["fields"]["Площадь кухни?"] for lead in quiz.leads] == ["12"]


def test_a_rule_that_breaks_our_code_keeps_no_other_from_being_prepared(quiz, monkeypatch):
    other = {**quiz.place(), **FIELD, "Quiz": {"questions": [{"id": "1", "title": "Площадь кухни?"}]}}
    quiz.change_rule(**FIELD)
    broken = quiz.rule.pk
    quiz.api.post(f"/rules/{QUIZ + 1}", other, content_type="application/json")
    derive = provisioning.derive_contact_map

    def breaks(rule):
        if rule.pk == broken:
            raise ValueError("nobody has thought of this")
        return derive(rule)

    monkeypatch.setattr(provisioning, "derive_contact_map", breaks)
    provisioning.prepare_due()
    assert dict(Rule.objects.values_list("quiz_id", "prepare_tries")) == {QUIZ: 1, QUIZ + 1: 0}
    assert [rule.quiz_id for rule in Rule.objects.filter(prepare_at=None)] == [QUIZ + 1]


def test_a_rule_whose_field_can_not_be_made_yet_is_looked_at_when_lists_are_read(busy):
    """A step that is back lets its leads go, whatever becomes of the field."""
    pipeline = next(iter(p for p in busy.crm.pipelines.values() if p.name == "Квизы"))
    step = next(s for s in pipeline.statuses if s.name == "Дозвон")
    provisioning.prepare_due()
    assert busy.rule.prepare_tries == 1
    pipeline.statuses.remove(step)
    busy.sync()
    busy.work()
    assert "step_gone" in [problem["code"] for problem in busy.rule.problems]
    pipeline.statuses.append(step)
    busy.sync()
    busy.work()
    assert "step_gone" not in [problem["code"] for problem in busy.rule.problems]
