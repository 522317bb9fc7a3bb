from __future__ import annotations

import pytest

from connectors.draft import Placement


def paths(plan):
    return [request.url.removeprefix("https://demo7.envycrm.com/openapi/v1/") for request in plan.requests]


def test_a_deal_at_once_step_by_step(florist, envy, draft):
    values = (florist.value("Бюджет", "5", "deal"), florist.value("Город", "Тула", "client"))
    plan = florist.connector.plan(draft(placement=florist.place(), values=values))
    assert len(envy.journal) == 0
    assert paths(plan) == [
        "lead/set/",
        "lead/get/",
        "lead/start/",
        "deal/get/",
        "deal/updateDealStage/",
        "deal/updateDealValue/",
        "client/updateClientValue/",
    ]
    assert all(request.why for request in plan.requests)
    start = plan.requests[2].body["request"]
    assert start == {
        "lead_id": "<id of the new lead>",
        "user_id": florist.crm.user_id,
        "employee_id": int(florist.person),
    }


def test_a_plan_is_what_is_sent(florist, envy, draft, deliver):
    answer = draft(placement=florist.place(), values=(florist.value("Бюджет", "5", "deal"),))
    plan = florist.connector.plan(answer)
    deliver(answer)
    assert [f"/openapi/v1/{path}" for path in paths(plan)] == [entry.path for entry in envy.journal]


@pytest.mark.parametrize("person", [True, False])
def test_the_queue(florist, draft, person):
    plan = florist.connector.plan(draft(placement=Placement(choices={"QueueMode": True})))
    assert paths(plan) == ["lead/workset/", "lead/search/", "lead/get/"]


def test_what_would_be_dropped_is_told(florist, draft):
    plan = florist.connector.plan(
        draft(values=(florist.value("Площадь", "много"),), placement=Placement("x"))
    )
    assert [loss.reason for loss in plan.losses] == ["not a number"]
    assert [problem.code for problem in plan.problems] == ["not_an_id"]
