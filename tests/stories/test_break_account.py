"""What befalls a whole account: dead tokens, dead steps, a busy, blocking, unpaid or silent CRM."""

from __future__ import annotations

import requests

from accounts.models import Account
from rules.delivery import sweep, worker
from rules.models import Delivery
from tests.crowd import crowded

COMPLEX = "/leads/complex"


def test_a_token_that_expires_in_the_middle_of_a_batch_is_renewed(quiz):
    for _ in range(3):
        quiz.post()
    quiz.amo.expire(quiz.crm)
    quiz.work()

    assert len(quiz.leads) == 3
    assert Delivery.objects.filter(state="delivered").count() == 3


def test_a_revoked_account_is_parked_reconnected_and_drained(quiz, connect, later):
    quiz.amo.revoke(quiz.crm)
    for _ in range(3):
        quiz.post()
    quiz.work()

    assert quiz.leads == []
    assert quiz.account.state == "needs_reconnect"
    sweep.review()
    held = Delivery.objects.filter(state="held", held_because="reconnect")
    assert held.count() == 3
    assert all(row.error and row.remedy for row in held)

    assert connect(quiz.crm).json() == "Success"
    quiz.work()

    assert len(quiz.leads) == 3
    assert Account.objects.count() == 1
    assert Delivery.objects.filter(state="delivered").count() == 3


def test_a_rule_with_a_dead_step_is_held_with_a_sentence_and_released_on_save(quiz):
    place = quiz.place()
    funnel = quiz.crm.pipelines[place["PipelineID"]]
    funnel.statuses[:] = [s for s in funnel.statuses if s.id != place["StepID"]]
    quiz.sync()
    quiz.post()
    quiz.work()

    assert (quiz.delivery.state, quiz.delivery.held_because) == ("held", "fix_rule")
    assert str(place["StepID"]) in quiz.delivery.error
    assert quiz.api.get("/rules/42").json()["Problems"][0]["code"] == "step_gone"

    other = next(s for s in funnel.statuses if s.type == 0)
    assert quiz.change_rule(StepID=other.id).status_code == 200
    quiz.work()

    assert [lead["step"] for lead in quiz.leads] == [other.name]


def test_a_step_that_died_since_the_last_sync_is_found_out_by_the_crm(quiz):
    place = quiz.place()
    funnel = quiz.crm.pipelines[place["PipelineID"]]
    funnel.statuses[:] = [s for s in funnel.statuses if s.id != place["StepID"]]
    quiz.post()
    quiz.work()

    assert quiz.delivery.held_because == "fix_rule"
    assert quiz.rule.problems


def test_a_dead_responsible_person_costs_no_lead(quiz):
    user = next(u for u in quiz.crm.users.values() if u.is_active and u.id != quiz.crm.admin.id)
    quiz.change_rule(PerformerID=user.id)
    user.is_active = False
    quiz.post()
    quiz.work()

    assert len(quiz.leads) == 1
    assert quiz.rule.problems


def test_a_busy_crm_is_tried_again(quiz, later):
    quiz.amo.faults.add(COMPLEX, status=429, times=1)
    quiz.post()
    quiz.work()
    assert quiz.delivery.state == "waiting"
    assert quiz.account.lane.failures == 1

    later(minutes=1)
    quiz.work()

    assert len(quiz.leads) == 1
    assert quiz.account.lane.failures == 0


def test_a_blocked_account_stops_at_once_and_goes_on_when_resumed(quiz):
    from accounts import states

    quiz.amo.faults.add("/api/v4", times=None, status=403)
    for _ in range(3):
        quiz.post()
    quiz.work()
    asked = len(quiz.amo.journal)
    quiz.work()

    assert quiz.account.state == "paused"
    assert quiz.account.state_reason
    assert len(quiz.amo.journal) == asked
    assert set(Delivery.objects.values_list("held_because", flat=True)) == {"paused"}

    quiz.amo.faults.clear()
    states.resume(quiz.account)
    quiz.work()
    assert len(quiz.leads) == 3


def test_an_unpaid_account_waits_and_loses_nothing(quiz, later):
    fault = quiz.amo.faults.add("/api/v4", times=None, status=402)
    quiz.post()
    quiz.work()
    assert quiz.delivery.state == "waiting"
    assert quiz.delivery.error

    quiz.amo.faults.remove(fault.id)
    later(hours=25)
    quiz.work()
    assert len(quiz.leads) == 1


def test_a_silent_crm_gets_one_probe_and_not_the_queue(quiz, later):
    for _ in range(120):
        quiz.post()
    fault = quiz.amo.faults.add(COMPLEX, "reset", times=None)
    quiz.work()
    quiz.amo.journal.clear()
    later(minutes=3)
    quiz.work()
    assert len([e for e in quiz.amo.journal if e.path.endswith(COMPLEX)]) <= 1

    quiz.amo.faults.remove(fault.id)
    for _ in range(4):
        later(hours=1)
        quiz.work()
    assert len(quiz.leads) == 120
    assert Delivery.objects.filter(state="delivered").count() == 120


def test_silent_crms_take_turns_so_that_threads_are_left_for_the_others(quiz, later):
    quiz.amo.faults.add(COMPLEX, "reset", times=None)
    quiz.post()
    quiz.work()
    assert quiz.account.lane.failures == 1
    later(minutes=3)
    quiz.amo.journal.clear()

    with crowded("amocrm"):
        assert worker.drain(quiz.account.pk) == 0
        assert len(quiz.amo.journal) == 0
        assert (quiz.delivery.state, quiz.account.lane.lease_until) == ("waiting", None)

    worker.drain(quiz.account.pk)
    assert len(quiz.amo.journal) > 0


def test_a_delivery_that_nobody_can_help_is_held_after_ten_days(quiz, later):
    quiz.amo.faults.add("/api/v4", times=None, status=500, action="answer")
    quiz.post()
    for _ in range(25):
        quiz.work()
        later(hours=15)

    assert (quiz.delivery.state, quiz.delivery.held_because) == ("held", "gave_up")
    quiz.amo.faults.clear()
    assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 202
    quiz.work()
    assert len(quiz.leads) == 1


def test_a_dead_network_is_no_bug(quiz, later, monkeypatch):
    def no_route(*_args, **_options):
        raise requests.ConnectTimeout

    with monkeypatch.context() as dead:
        dead.setattr("connectors.http.SESSION.get_adapter", no_route)
        quiz.post()
        quiz.work()
    assert (quiz.delivery.state, quiz.delivery.look_first) == ("waiting", False)
    later(minutes=1)
    quiz.work()
    assert len(quiz.leads) == 1


def test_an_account_at_a_host_we_may_not_talk_to_is_paused_with_a_sentence(quiz):
    Account.objects.update(host="evil.example")
    quiz.post()
    quiz.work()
    quiz.work()

    assert (quiz.account.state, quiz.delivery.held_because) == ("paused", "paused")
    assert "evil.example" in quiz.delivery.error
