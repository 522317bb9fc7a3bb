"""What a rule names changes in the CRM behind our back: the next lead tells, or is held."""

from __future__ import annotations

import pytest

from crm_cache.models import SyncRun
from crm_cache.refresh import run_waiting
from rules.delivery import drift
from rules.models import Delivery


def delete_stage(clinic) -> str:
    """The rule's stage is deleted in the portal; our lists know it still."""
    stage = clinic.rule.step
    clinic.portal.statuses.by_entity[f"DEAL_STAGE_{clinic.rule.pipeline}"].pop(stage)
    return stage


def test_bitrix24_puts_a_lead_elsewhere_and_it_is_told(clinic, admin_client):
    stage = delete_stage(clinic)
    clinic.post()
    clinic.work()

    delivery = clinic.delivery
    assert delivery.state == "delivered"
    [loss] = delivery.losses
    assert (loss["question"], loss["value"]) == ("step", stage)
    problems = {problem["code"]: problem["field"] for problem in clinic.rule.problems}
    assert problems["placed_elsewhere"] == "StageID"
    assert "step_gone" in problems  # the lists were asked for at once, and read
    assert stage in admin_client.get("/admin/").content.decode()

    clinic.post()
    clinic.work()
    second = Delivery.objects.latest("pk")
    assert (second.state, second.held_because) == ("held", "fix_rule")


def test_where_all_is_as_it_was_asked_nothing_is_said(clinic):
    clinic.post()
    clinic.work()
    assert (clinic.delivery.losses, clinic.rule.problems) == ([], [])
    assert not SyncRun.objects.filter(state="waiting").exists()


def test_a_lead_of_bitrix24_has_its_status_compared(clinic):
    clinic.change_rule(LeadFlag=True)
    clinic.portal.statuses.by_entity["STATUS"].pop("IN_PROCESS")
    clinic.post()
    clinic.work()
    assert [(loss["question"], loss["value"]) for loss in clinic.delivery.losses] == [("step", "IN_PROCESS")]
    assert clinic.rule.problems[0]["field"] == "StatusID"


def test_leads_of_a_batch_are_read_back_in_one_request(quiz):
    for _ in range(5):
        quiz.post()
    quiz.amo.journal.clear()
    quiz.work()
    asked = [one for one in quiz.amo.journal if ("filter[id][]" in dict(one.request.query))]
    assert len(asked) == 1
    assert not [loss for delivery in Delivery.objects.all() for loss in delivery.losses]


def test_amocrm_moves_a_lead_and_it_is_told(quiz, monkeypatch):
    """A robot of the account gives every new lead to somebody else."""
    user = next(iter(quiz.crm.users))
    other = next(one for one in quiz.crm.users if one != user)
    quiz.change_rule(PerformerID=user)
    quiz.post()
    from connectors.amocrm import delivery as amo_delivery

    seen = amo_delivery.fetch_listed
    monkeypatch.setattr(
        amo_delivery,
        "fetch_listed",
        lambda *a: {pk: {**card, "responsible_user_id": other} for pk, card in seen(*a).items()},
    )
    quiz.work()
    assert [problem["field"] for problem in quiz.rule.problems] == ["PerformerID"]
    assert quiz.delivery.losses[0]["value"] == str(user)


def test_a_look_that_fails_costs_the_lead_nothing(quiz):
    quiz.amo.faults.add("/api/v4/leads$", "answer", method="GET", status=500, times=None)
    quiz.post(contact={"name": "Анна"})
    quiz.work()
    assert quiz.delivery.state == "delivered"


def test_an_older_lead_that_duplicate_control_gives_stays_where_it_is(quiz):
    quiz.crm.dup_control.enabled = True
    anna = {"name": "Анна", "phone": "+79991112233"}
    quiz.post(contact=anna)
    quiz.work()
    for lead in quiz.crm.leads.values():
        lead.props["responsible_user_id"] = next(reversed(quiz.crm.users))
    quiz.change_rule(PerformerID=next(iter(quiz.crm.users)))
    quiz.post(contact=anna)
    quiz.work()
    assert len(quiz.leads) == 1
    assert quiz.rule.problems == []


@pytest.fixture
def answered(quiz, later):
    quiz.post()
    quiz.work()
    SyncRun.objects.all().delete()
    return quiz


def asked_for() -> set[str]:
    return set(SyncRun.objects.filter(state="waiting").values_list("what", flat=True))


def test_what_rules_name_is_read_again_while_answers_come(answered, later):
    drift.check_due()
    assert asked_for() == {"users", "pipelines", "steps", "fields"}
    run_waiting(answered.account.pk)

    later(minutes=14)
    drift.check_due()
    assert asked_for() == set()
    later(minutes=2)
    drift.check_due()
    assert asked_for() == {"users", "pipelines", "steps", "fields"}


def test_a_quiet_account_is_left_alone(answered, later):
    later(hours=25)
    drift.check_due()
    assert asked_for() == set()


def test_deliveries_go_first(answered):
    answered.post()
    drift.check_due()
    assert asked_for() == set()


def test_a_step_deleted_in_amocrm_is_found_by_the_next_look(answered):
    pipeline = next(p for p in answered.crm.pipelines.values() if str(p.id) == answered.rule.pipeline)
    pipeline.statuses[:] = [one for one in pipeline.statuses if str(one.id) != answered.rule.step]
    drift.check_due()
    run_waiting(answered.account.pk)
    assert [problem["code"] for problem in answered.rule.problems] == ["step_gone"]

    answered.post()
    answered.work()
    assert Delivery.objects.latest("pk").held_because == "fix_rule"
