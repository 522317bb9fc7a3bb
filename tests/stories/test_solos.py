"""A CRM that tells nearly nothing: what we learn of it, and how its answers become leads once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox.solos.model import Lead
from connectors.sandbox.solos.moments import moment
from crm_cache.models import CrmUser, Field, Pipeline, Step
from rules.delivery import outbox, worker
from rules.models import Delivery

CREATION = "/api/post"


def delivered() -> int:
    return Delivery.objects.filter(state="delivered").count()


def allow_to_look(windows: Any, settings: Any) -> None:
    """The operator lets us read leads back, and the CRM does, too."""
    windows.box.switches["leads_readable"] = True
    options = replace(settings.CRM_OPTIONS["solos"], probe_leads=True)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "solos": options}
    windows.sync()
    assert windows.account.facts["leads_readable"] is True


# -- lists --------------------------------------------------------------------------------------------------


def test_the_lists_are_what_projects_show(windows):
    assert list(Pipeline.objects.values_list("name", flat=True)) == ["Funnel 1", "Funnel 3"]
    assert (Step.objects.count(), CrmUser.objects.count()) == (8, 4)
    assert "contract_date" in Field.objects.values_list("remote_id", flat=True)


def test_a_name_that_staff_gave_outlives_every_refresh(windows):
    Pipeline.objects.filter(remote_id="1").update(name="Окна", by_hand=True)
    windows.keeper.projects.clear()
    windows.box.act(windows.keeper, "add_project", step_id=11)
    windows.sync()
    assert list(Pipeline.objects.filter(deleted=False).values_list("name", flat=True)) == ["Окна", "Funnel 3"]


def test_with_the_old_api_alone_leads_still_arrive(windows):
    windows.box.switches["v2"] = "closed"
    windows.sync()
    assert windows.account.facts["api"] == "v1"
    windows.post()
    windows.work()
    assert delivered() == len(windows.leads) == 1
    assert not Pipeline.objects.filter(deleted=True).exists()


# -- answers become leads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("style", "known"), [("payload", "1"), ("id", "1"), ("object", ""), ("nothing", "")])
def test_an_answer_becomes_a_lead_whatever_solos_says_to_it(windows, style, known):
    windows.box.switches["create_style"] = style
    answers = [{"questionID": "1", "question": "Какие окна?", "answer": "Двухкамерные"}]
    windows.post(answers=answers, utm={"source": "ads"})
    windows.work()
    windows.work()

    (lead,) = windows.leads
    assert (lead["responsible"], lead["reference_id"]) == ("Павел Ершов", 4)
    assert "Какие окна?: Двухкамерные" in lead["notes"][0]
    assert lead["fields"]["utm_source"] == "ads"
    assert (windows.delivery.state, windows.delivery.remote_id) == ("delivered", known)
    assert lead["fields"]["quiz_result_id"] == windows.delivery.uid


def test_a_backlog_arrives_whole(windows):
    for _ in range(25):
        windows.post()
    windows.work()
    assert delivered() == len(windows.leads) == 25


# -- when it breaks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["reset", "reset_after", "timeout_after", "truncate", "answer_after"])
def test_a_lost_reply_is_for_a_person_to_look_at(windows, later_at_solos, action):
    windows.box.faults.add(CREATION, action, status=502)
    windows.post()
    windows.work()
    later_at_solos(days=3)
    windows.work()

    held = windows.delivery
    assert (held.state, held.held_because, windows.creations) == ("held", "look_first", 1)
    assert held.uid in held.remedy
    assert "Look for" in str(windows.shown())


def test_the_others_go_on_meanwhile(windows, later_at_solos):
    windows.box.faults.add(CREATION, "reset_after", nth=2)
    for _ in range(5):
        windows.post()
    windows.work()
    later_at_solos(minutes=10)
    windows.work()
    assert (delivered(), len(windows.leads)) == (4, 5)
    assert Delivery.objects.filter(held_because="look_first").count() == 1


def test_whoever_has_looked_sends_again(windows, later_at_solos):
    windows.box.faults.add(CREATION, "reset")
    windows.post()
    windows.work()
    reply = windows.api.post(f"/deliveries/{windows.delivery.pk}/retry")
    assert reply.status_code in (200, 202)
    later_at_solos(minutes=10)
    windows.work()
    assert delivered() == len(windows.leads) == 1


def test_an_account_may_want_unclear_leads_sent_again(windows, later_at_solos):
    account = windows.account
    account.send_again = True
    account.save(update_fields=["send_again"])
    windows.box.faults.add(CREATION, "reset")
    windows.post()
    windows.work()
    assert delivered() == 0
    later_at_solos(minutes=10)
    windows.work()
    assert delivered() == len(windows.leads) == 1


@pytest.mark.parametrize(("action", "made"), [("reset_after", 1), ("reset", 2)])
def test_where_leads_can_be_read_nobody_has_to_look(windows, later_at_solos, settings, action, made):
    allow_to_look(windows, settings)
    windows.box.faults.add(CREATION, action)
    windows.post()
    windows.work()
    assert windows.delivery.state == "waiting"
    later_at_solos(minutes=10)
    windows.work()
    assert delivered() == len(windows.leads) == 1
    assert windows.creations == made


def test_a_crm_that_stops_to_show_leads_is_looked_at_by_a_person(windows, later_at_solos, settings):
    allow_to_look(windows, settings)
    windows.box.faults.add(CREATION, "reset_after")
    windows.post()
    windows.work()
    windows.box.switches["leads_readable"] = False
    later_at_solos(minutes=10)
    windows.work()
    assert (windows.delivery.held_because, len(windows.leads)) == ("look_first", 1)


def test_a_look_that_saw_only_a_part_is_for_a_person(windows, later_at_solos, settings):
    """260 others came before anybody could look."""
    allow_to_look(windows, settings)
    windows.box.faults.add(CREATION, "reset")
    windows.post()
    windows.work()
    for number in range(1000, 1260):
        windows.keeper.leads[number] = Lead(number, moment(windows.box.clock.now()), {"name": "Кто-то"})
    later_at_solos(minutes=10)
    windows.work()
    assert (windows.delivery.held_because, windows.creations) == ("look_first", 1)
    assert windows.delivery.uid in windows.delivery.remedy

    assert windows.api.post(f"/deliveries/{windows.delivery.pk}/retry").status_code in (200, 202)
    later_at_solos(minutes=10)
    windows.work()
    assert (windows.delivery.state, windows.creations) == ("delivered", 2)  # the person had looked


class Killed(BaseException):
    """What a worker would not survive."""


@pytest.mark.parametrize("settled", [False, True])
def test_a_killed_worker_doubles_nothing(windows, later_at_solos, monkeypatch, settled):
    """It dies after solOS has made the lead: before the journal knows, or with the journal written."""

    def die(written: Any, *more: Any) -> None:
        if written:
            raise Killed

    with monkeypatch.context() as death:
        if not settled:
            death.setattr(outbox, "record_steps", die)
        death.setattr(outbox, "settle", die)
        death.setattr("rules.delivery.lane.LaneLease.leave", lambda *args: None)
        windows.post()
        with pytest.raises(Killed):
            worker.drain(windows.account.pk)
    assert (windows.delivery.state, len(windows.leads)) == ("sending", 1)

    later_at_solos(minutes=10)
    windows.work()
    assert (windows.delivery.state, windows.delivery.held_because) == ("held", "look_first")
    assert windows.api.post(f"/deliveries/{windows.delivery.pk}/retry").status_code in (200, 202)
    if settled:
        windows.work()
        assert windows.delivery.state == "delivered"
    assert len(windows.leads) == 1


def test_refused_keys_park_the_account_until_its_owner_brings_new_ones(windows):
    windows.box.revoke(windows.keeper)
    for _ in range(3):
        windows.post()
    windows.work()
    assert windows.account.state == "needs_reconnect"
    assert "refuses the token and the secret" in windows.account.state_reason
    assert windows.creations == 1

    assert windows.api.get("/solos/account").json()["stale"]

    assert windows.connect().status_code == 200
    windows.work()
    assert delivered() == len(windows.leads) == 3
    assert not windows.api.get("/solos/account").json()["stale"]


def test_a_refused_lead_says_why(windows):
    windows.box.switches["too_long"] = "reject"
    body = '{"error": "phone is wrong"}'
    windows.box.faults.add(CREATION, status=400, body=body, content_type="application/json")
    windows.post()
    windows.work()
    assert (windows.delivery.state, windows.delivery.held_because) == ("held", "refused")
    assert "phone is wrong" in windows.delivery.error


def test_a_busy_crm_is_left_alone_and_asked_again(windows, later_at_solos):
    windows.box.faults.add(CREATION, status=429, headers={"Retry-After": "30"})
    windows.post()
    windows.work()
    assert delivered() == 0
    later_at_solos(minutes=2)
    windows.work()
    assert delivered() == len(windows.leads) == 1
