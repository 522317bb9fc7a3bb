"""What happens on the way to Bitrix24, and why nothing is lost, doubled or silent."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account, Token
from rules.models import Delivery

CREATION = "crm.deal.add"


def delivered() -> int:
    return Delivery.objects.filter(state="delivered").count()


def creating(clinic: Any, action: str, **more: Any) -> Any:
    """Something happens to the next request that makes a deal; several are made in a batch."""
    where = {"contains": CREATION} if more.get("nth") else {"path": CREATION}
    return clinic.box.faults.add(action=action, **where, **more)


@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "truncate"])
def test_a_lost_reply_doubles_nothing(clinic, later_there, action):
    creating(clinic, action)
    clinic.post()
    clinic.work()
    assert delivered() == 0

    later_there(minutes=3)
    clinic.work()

    assert delivered() == 1
    assert len(clinic.leads) == 1
    assert len(clinic.portal.contacts.rows) == 1


def test_a_reply_lost_in_the_middle_of_a_backlog_doubles_nothing(clinic, later_there):
    for _ in range(30):
        clinic.post()
    lost = creating(clinic, "reset_after", nth=2)
    clinic.work()
    assert (lost.hits, delivered() < 30) == (1, True)
    later_there(minutes=3)
    clinic.work()

    assert delivered() == 30
    assert len(clinic.leads) == len(clinic.portal.contacts.rows) == 30


def test_a_request_that_never_arrived_is_repeated(clinic, later_there):
    creating(clinic, "answer", status=503)
    clinic.post()
    clinic.work()
    later_there(minutes=3)
    clinic.work()
    assert (delivered(), len(clinic.leads)) == (1, 1)


def test_a_token_that_expires_between_two_batches_is_renewed_once(clinic):
    for _ in range(3):
        clinic.post()
    clinic.work()
    before = Token.objects.get().access
    clinic.box.expire(clinic.portal)
    for _ in range(30):
        clinic.post()
    clinic.work()

    assert delivered() == len(clinic.leads) == 33
    assert Token.objects.get().access != before
    assert len(clinic.box.journal.find("POST", "/oauth/token")) == 1


def test_a_portal_whose_subscription_ended_waits_and_goes_on_by_itself(clinic, later_there):
    clinic.portal.plan = "ended"
    for _ in range(3):
        clinic.post()
    clinic.work()

    assert clinic.account.state == "active"
    waiting = clinic.api.get("/deliveries").json()["items"]
    assert {row["state"] for row in waiting} == {"waiting"}
    assert clinic.leads == []

    clinic.portal.plan = "paid"
    for _ in range(12):
        later_there(hours=1)
        clinic.work()
    assert delivered() == len(clinic.leads) == 3


@pytest.mark.parametrize("expired", [False, True])
def test_a_renamed_portal_is_followed(clinic, later_there, expired):
    clinic.box.rename(clinic.portal, "smile")
    if expired:
        clinic.box.expire(clinic.portal)
    clinic.post()
    clinic.work()
    later_there(minutes=1)
    clinic.work()

    assert delivered() == len(clinic.leads) == 1
    shown = clinic.api.get("/bitrix/account").json()
    assert (shown["subdomain"], shown["bitrixID"]) == ("smile", clinic.portal.member_id)
    assert clinic.api.get("/deliveries").json()["items"][0]["link"].startswith("https://smile.bitrix24.ru/")


def test_a_refused_token_parks_the_account_and_reconnecting_sets_it_going(clinic, connect_portal):
    clinic.box.revoke(clinic.portal)
    clinic.post()
    clinic.work()
    assert clinic.api.get("/bitrix/account").json()["stale"] is True
    assert Delivery.objects.get().held_because == "reconnect"

    connect_portal(clinic.portal)
    clinic.work()
    assert delivered() == len(clinic.leads) == 1


def test_a_stage_that_is_gone_holds_the_rule_until_it_is_saved_again(clinic):
    stage = clinic.place()["StageID"]
    clinic.portal.statuses.remove("DEAL_STAGE_3", stage)
    clinic.sync()
    clinic.post()
    clinic.work()

    assert Delivery.objects.get().held_because == "fix_rule"
    [problem] = clinic.shown_rule()["Problems"]
    assert (problem["code"], problem["field"]) == ("step_gone", "StageID")

    clinic.change_rule(StageID="C3:NEW")
    clinic.work()
    assert [deal["step"] for deal in clinic.leads] == ["Новая заявка"]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"StageID": "NEW"}, "step_gone", "StageID"),  # of the general pipeline
        ({"PipelineID": 99}, "pipeline_gone", "PipelineID"),
        ({"PipelineID": 7, "StageID": ""}, "pipeline_gone", "PipelineID"),  # of invoices
        ({"LeadFlag": True, "StatusID": "C3:NEW"}, "step_gone", "StatusID"),
        ({"TypeID": "CALL"}, "entry_gone", "TypeID"),
        ({"SourceID": "SALE"}, "entry_gone", "SourceID"),
    ],
)
def test_what_a_rule_names_must_be_in_the_right_directory(clinic, wrong, code, field):
    assert clinic.change_rule(**wrong).status_code == 200
    [problem] = clinic.shown_rule()["Problems"]
    assert (problem["code"], problem["field"]) == (code, field)

    clinic.post()
    clinic.work()
    assert len(clinic.leads) == (1 if code == "entry_gone" else 0)


def test_a_lead_rule_does_not_care_for_pipelines(clinic):
    clinic.change_rule(LeadFlag=True, PipelineID=99, StageID="gone", TypeID="gone")
    assert clinic.shown_rule()["Problems"] == []
    clinic.post()
    clinic.work()
    assert [lead["kind"] for lead in clinic.leads] == ["lead"]


def test_who_left_is_not_made_responsible(clinic):
    clinic.change_rule(PerformerID=clinic.user_id("Петров"))
    clinic.post()
    clinic.work()
    assert clinic.leads[0]["responsible"] == "Анна Смирнова"
    assert [problem["code"] for problem in clinic.shown_rule()["Problems"]] == ["performer_gone"]


def test_answers_for_an_account_that_was_deleted_wait_for_it(clinic):
    clinic.api.delete("/bitrix/account")
    assert clinic.api.get("/bitrix/rules/42").status_code == 404
    [told] = clinic.post().json()["deliveries"]
    assert told["heldBecause"] == "disconnected"
    assert not Account.objects.filter(deleted=False).exists()
