"""A field that the portal demands and that no answer fills."""

from __future__ import annotations

import pytest


@pytest.fixture
def strict(clinic):
    """A portal that enforces its mandatory fields (docs; the core skips that unless an option is on)."""
    clinic.box.switches["mandatory_enforced"] = True
    return clinic


def test_a_deal_waits_for_the_rule_and_says_what_to_do(strict):
    strict.portal.field("Город").mandatory = True
    strict.post(answers=[{"questionID": "1", "question": "Где?", "answer": "Тула"}])
    strict.work()
    delivery = strict.delivery
    assert (delivery.state, delivery.held_because, delivery.error_code) == (
        "held",
        "fix_rule",
        "field_demanded",
    )
    assert "«Город»" in delivery.error
    assert "optional" in delivery.remedy
    assert [problem["code"] for problem in strict.rule.problems] == ["field_demanded"]

    strict.change_rule(FieldsRule={"deal": {"QuestionID": {"1": strict.field_id("Город")}}})
    strict.work()

    assert strict.delivery.state == "delivered"
    assert strict.delivery.losses == []
    assert strict.rule.problems == []


def test_the_owner_may_make_it_optional_instead(strict):
    strict.portal.field("Город").mandatory = True
    strict.post()
    strict.work()
    strict.portal.field("Город").mandatory = False
    strict.change_rule(StageID=strict.rule.step)
    strict.work()
    assert strict.delivery.state == "delivered"


def test_a_contact_that_is_not_taken_is_told_and_no_value_is_blamed(strict):
    strict.portal.field("Город", "CRM_CONTACT").mandatory = True
    strict.post(contact={"name": "Анна", "phone": "+79161234501", "email": "a@demo.example"})
    strict.work()
    assert strict.delivery.state == "delivered"
    told = {loss["question"]: loss["value"] for loss in strict.delivery.losses}
    assert told == {"name": "Анна", "phone": "+79161234501", "email": "a@demo.example"}
    assert {problem["code"] for problem in strict.rule.problems} == {"contact_refused"}
