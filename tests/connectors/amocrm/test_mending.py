"""What the account no longer has costs its answer, at most its own lead."""

from __future__ import annotations

import json

import pytest

from connectors.draft import FieldValue, Placement, Receipt, Tag, Target
from connectors.errors import Refused, RuleNeedsFixing

COMPLEX = "/leads/complex"


def words(*answers: str) -> tuple[FieldValue, ...]:
    """Answers for fields that amoCRM does not have."""
    return tuple(FieldValue(Target("leads", str(90000 + n), a, "text"), a, a) for n, a in enumerate(answers))


def problem_codes(receipt: Receipt) -> list[str]:
    return [problem.code for problem in receipt.problems]


def test_a_responsible_person_who_left_does_not_hold_the_lead(shop, draft, deliver):
    (receipt,) = deliver(draft(placement=Placement(shop.user("Олег")), company="Ромашка"))
    assert shop.leads[0]["responsible"] == "Анна Смирнова"
    assert problem_codes(receipt) == ["dead_performer"]
    assert receipt.problems[0].field == "performer"


@pytest.mark.parametrize(
    ("place", "code", "where"),
    [(("", "1"), "step_gone", "step"), (("77", ""), "pipeline_gone", "pipeline")],
)
def test_a_step_or_pipeline_that_is_gone_needs_the_rule_fixed(shop, draft, deliver, place, code, where):
    bad, good = deliver(draft(placement=Placement("", *place)), draft())
    assert isinstance(bad, RuleNeedsFixing)
    assert (bad.problem.code, bad.problem.field) == (code, where)
    assert isinstance(good, Receipt)
    assert len(shop.leads) == 1


def test_a_field_that_is_gone_costs_its_answer_and_not_the_lead(shop, draft, deliver):
    answer = draft(values=(*words("Кто?", "Где?"), shop.value("Площадь, м²", "54")))
    receipt, other = deliver(answer, draft())
    assert [(loss.question, loss.reason) for loss in receipt.losses] == [
        ("Кто?", "the field is gone"),
        ("Где?", "the field is gone"),
    ]
    assert problem_codes(receipt) == ["field_gone", "field_gone"]
    assert "- Где?: Где? (такого поля больше нет)" in shop.leads[0]["notes"][0]
    assert shop.leads[0]["fields"]["Площадь, м²"] == "54"
    assert other.problems == ()
    assert len(shop.sent()) == 2


def test_a_choice_that_is_gone_costs_its_answer(shop, draft, deliver):
    value = shop.value("Тип ремонта", "Капитальный")
    enums = shop.account.fields["leads"].named("Тип ремонта").enums
    enums.remove(next(enum for enum in enums if enum.value == "Капитальный"))
    (receipt,) = deliver(draft(values=(value,)))
    assert problem_codes(receipt) == ["value_refused"]
    assert [loss.value for loss in receipt.losses] == ["Капитальный"]


def test_a_field_of_the_contact_and_the_company_that_is_gone(shop, draft, deliver):
    values = tuple(
        FieldValue(Target(entity, "90001", "Gone", "text"), entity, "x")
        for entity in ("contacts", "companies")
    )
    (receipt,) = deliver(draft(values=values))
    assert [(loss.entity, loss.question) for loss in receipt.losses] == [
        ("contacts", "contacts"),
        ("companies", "companies"),
    ]


def test_a_mark_field_that_is_gone_puts_the_mark_into_the_name(shop, draft, deliver):
    shop.account.fields["leads"].remove(int(shop.facts["mark_field"]))
    (receipt,) = deliver(draft(uid="qz-1", title="Квиз"))
    assert shop.leads[0]["name"] == "Квиз [qz-1]"
    assert problem_codes(receipt) == ["mark_field_gone"]


def test_without_a_mark_field_the_name_carries_the_mark(shop, draft, deliver):
    del shop.facts["mark_field"]
    deliver(draft(uid="qz-1", title="т" * 300))
    assert shop.leads[0]["name"].endswith("… [qz-1]")
    assert len(shop.leads[0]["name"]) == 255


def test_a_tag_is_sent_by_id_or_by_name_and_never_by_both(shop, draft, deliver):
    known = shop.account.tags["leads"].by_name["квиз"].id
    deliver(draft(tags=(Tag("leads", "квиз", str(known)), Tag("leads", "новый"), Tag("leads", "Новый"))))
    assert shop.sent()[0][0]["_embedded"]["tags"] == [{"id": known}, {"name": "новый"}]
    assert shop.leads[0]["tags"] == ["квиз", "новый"]


def test_a_tag_whose_id_is_gone_goes_by_name(shop, draft, deliver):
    (receipt,) = deliver(draft(tags=(Tag("leads", "квиз", "77"), Tag("contacts", "квиз", "78"))))
    assert (shop.leads[0]["tags"], shop.leads[0]["contact"]["tags"]) == (["квиз"], "квиз")
    assert receipt.problems == ()


def test_what_can_not_be_mended_is_refused_with_amocrms_words(shop, amo, draft, deliver):
    errors = [{"code": "TooDull", "path": "name", "detail": "This name is too dull."}]
    body = {"validation-errors": [{"request_id": "qz-bad", "errors": errors}], "status": 400}
    amo.faults.add(
        COMPLEX, status=400, contains="qz-bad", body=json.dumps(body), content_type="application/problem+json"
    )
    good, bad, better = deliver(draft(), draft(uid="qz-bad"), draft())
    assert isinstance(bad, Refused)
    assert "This name is too dull." in bad.message
    assert isinstance(good, Receipt)
    assert isinstance(better, Receipt)


@pytest.mark.parametrize(
    "body", ['{"detail": "Invalid request body"}', "<html>", '{"validation-errors": []}']
)
def test_one_bad_lead_of_fifty_harms_only_itself(shop, amo, draft, deliver, body):
    amo.faults.add(
        COMPLEX, status=400, contains="qz-bad", times=None, body=body, content_type="application/json"
    )
    drafts = [draft(uid="qz-bad") if number == 17 else draft() for number in range(50)]
    outcomes = deliver(*drafts)
    assert [isinstance(outcome, Receipt) for outcome in outcomes].count(True) == 49
    assert isinstance(outcomes[17], Refused)
    assert len(shop.leads) == 49


def test_a_refusal_that_never_ends_is_given_up(shop, amo, draft, deliver):
    errors = [{"code": "NotSupportedChoice", "path": "_embedded.contacts.0.id", "detail": "no"}]
    body = {"validation-errors": [{"request_id": "0", "errors": errors}], "status": 400}
    amo.faults.add(COMPLEX, status=400, times=None, body=json.dumps(body), content_type="application/json")
    (outcome,) = deliver(draft(known_contact="77"))
    assert isinstance(outcome, Refused)
    assert len(shop.sent()) < 5
