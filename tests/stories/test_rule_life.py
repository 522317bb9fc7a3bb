"""Rules are listed, paused, resumed and deleted over REST, and no answer is lost or silent on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts import db_clock
from rules import retention
from rules.delivery import holds, outbox, sweep, worker
from rules.models import Answer, Delivery, Rule
from tests.stories.conftest import QUIZ

JSON = {"content_type": "application/json"}


def states() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "held_because"))


def waits(quiz: Any) -> int:
    [rule] = quiz.api.get("/rules").json()["items"]
    return rule["waiting"]


def test_all_rules_are_listed_over_all_crms(quiz, clinic):
    shown = quiz.api.get("/rules").json()
    assert (shown["count"], shown["more"]) == (2, False)
    assert [one["crm"] for one in shown["items"]] == ["bitrix24", "amocrm"]
    rule = shown["items"][-1]
    assert (rule["crm"], rule["quizID"], rule["path"]) == ("amocrm", QUIZ, f"/rules/{QUIZ}")
    assert rule["rule"] == quiz.api.get(rule["path"]).json()
    [only] = clinic.api.get("/rules?crm=bitrix24").json()["items"]
    assert only["rule"] == quiz.api.get(only["path"]).json()
    assert quiz.api.get("/rules?crm=solos").json()["items"] == []
    assert quiz.api.get("/rules?crm=other").status_code == 400


def test_answers_of_a_paused_rule_wait_and_say_so(quiz):
    quiz.post("before")
    paused = quiz.api.post(f"/rules/{QUIZ}/pause").json()
    assert (paused["paused"], paused["waiting"]) == (True, 1)
    assert [one["code"] for one in paused["problems"]] == ["rule_paused"]
    assert quiz.api.get(f"/rules/{QUIZ}").json()["Problems"][0]["code"] == "rule_paused"
    reply = quiz.post("meanwhile").json()
    assert "held: The rule is paused" in reply["message"]
    quiz.work()
    assert states() == [("held", "rule_paused")] * 2
    assert quiz.leads == []

    resumed = quiz.api.post(f"/rules/{QUIZ}/resume").json()
    assert (resumed["paused"], resumed["pausedAt"], resumed["problems"]) == (False, None, [])
    quiz.work()
    assert states() == [("delivered", "")] * 2
    assert len(quiz.leads) == 2


def test_a_delivery_names_the_version_that_it_went_by(quiz):
    quiz.post("first")
    quiz.work()
    former = quiz.rule.current
    quiz.change_rule(**quiz.place(step="Неразобранное"))
    quiz.post("second")
    quiz.work()
    assert (quiz.rule.current.number, quiz.rule.current.who) == (former.number + 1, "shop")
    assert list(Delivery.objects.order_by("pk").values_list("version", flat=True)) == [
        former.pk,
        quiz.rule.current_id,
    ]
    assert former.said["step"] != quiz.rule.current.said["step"] == quiz.rule.step


def test_a_paused_rule_lends_its_version_to_nothing_that_waits(quiz):
    quiz.post()
    quiz.api.post(f"/rules/{QUIZ}/pause")
    quiz.work()
    assert quiz.delivery.version is None


def test_a_retry_does_not_go_around_a_pause(quiz):
    quiz.post()
    quiz.api.post(f"/rules/{QUIZ}/pause")
    assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 202
    quiz.work()
    assert states() == [("held", "rule_paused")]
    assert (quiz.delivery.attempts_made, quiz.delivery.strikes, quiz.leads) == (0, 0, [])


def test_answers_of_a_deleted_rule_go_by_the_next_one(quiz):
    quiz.post("waiting")
    assert quiz.api.delete(f"/rules/{QUIZ}").json() == "Success"
    assert quiz.api.get(f"/rules/{QUIZ}").status_code == 404
    assert quiz.api.delete(f"/rules/{QUIZ}").status_code == 404
    assert quiz.api.get("/rules").json()["items"] == []
    assert states() == [("held", "rule_deleted")]
    [account] = quiz.api.get("/accounts").json()["items"]
    assert account["held"] == {"rule_deleted": 1}
    assert quiz.post("later").json()["deliveries"] == []
    quiz.work()
    assert quiz.leads == []

    assert quiz.save_rule().status_code == 200
    quiz.work()
    assert states() == [("delivered", "")]
    assert quiz.delivery.rule == quiz.rule
    made = quiz.api.post(f"/rules/{QUIZ}/backfill", {"from": "2020-01-01"}, **JSON).json()
    assert made["deliveries"] == 1


def test_a_later_body_for_a_deleted_rule_is_not_forgotten(quiz):
    contact = {"name": "Анна", "phone": "+79990000001"}
    quiz.post("a-1", complete=False, contact=contact)
    quiz.work()
    quiz.api.delete(f"/rules/{QUIZ}")
    quiz.post("a-1", contact={**contact, "email": "anna@example.com"})
    quiz.work()
    assert states() == [("held", "rule_deleted")]
    quiz.save_rule()
    quiz.work()
    assert states() == [("delivered", "")]
    assert (quiz.delivery.revision_sent, len(quiz.leads)) == (2, 1)


def test_what_is_being_sent_is_finished(quiz):
    """A worker has it in its hands while the rule is deleted; should the try fail, it waits for the rule."""
    quiz.post()
    Delivery.objects.update(state="sending", claimed_at="2026-01-01T00:00:00Z")
    quiz.api.delete(f"/rules/{QUIZ}")
    assert states() == [("sending", "")]
    Delivery.objects.update(state="waiting")
    quiz.work()
    assert states() == [("held", "rule_deleted")]


def test_a_cancelled_delivery_waits_for_nothing(quiz):
    quiz.api.post(f"/rules/{QUIZ}/pause")
    quiz.post()
    path = f"/deliveries/{quiz.delivery.pk}"
    shown = quiz.api.post(f"{path}/cancel")
    assert (shown.status_code, shown.json()["heldBecause"]) == (200, "cancelled")
    assert quiz.api.post(f"{path}/cancel").status_code == 409
    quiz.api.post(f"/rules/{QUIZ}/resume")
    quiz.work()
    assert (states(), quiz.leads, waits(quiz)) == ([("held", "cancelled")], [], 0)
    assert quiz.api.get("/accounts").json()["items"][0]["held"] == {}
    Answer.objects.update(created_at="2020-01-01T00:00:00Z")
    retention.purge()
    assert Answer.objects.get().payload == {}


def test_a_cancelled_delivery_can_be_sent_after_all(quiz):
    quiz.post()
    path = f"/deliveries/{quiz.delivery.pk}"
    assert quiz.api.post(f"{path}/cancel").status_code == 200
    assert quiz.api.post(f"{path}/retry").status_code == 202
    quiz.work()
    assert states() == [("delivered", "")]
    assert quiz.api.post(f"{path}/cancel").status_code == 409


@pytest.mark.parametrize("way", ["pause", "resume"])
def test_strangers_pause_nothing(quiz, caller, way):
    assert caller("stranger").post(f"/rules/{QUIZ}/{way}").status_code == 404
    assert caller("stranger").delete(f"/rules/{QUIZ}").status_code == 404
    assert Rule.objects.get().paused_at is None


def save_mended(quiz: Any) -> None:
    quiz.change_rule(**quiz.place(step="Новая заявка"))


def resume(quiz: Any) -> None:
    assert quiz.api.post(f"/rules/{QUIZ}/resume").status_code == 200


def make_again(quiz: Any) -> None:
    assert quiz.save_rule(**quiz.place()).status_code == 200


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lambda quiz: None, save_mended),
        (lambda quiz: quiz.api.post(f"/rules/{QUIZ}/pause"), resume),
        (lambda quiz: quiz.api.delete(f"/rules/{QUIZ}"), make_again),
    ],
    ids=["saved", "resumed", "made again"],
)
def test_what_a_worker_holds_for_a_rule_that_works_again_goes_on(quiz, monkeypatch, before, after):
    """It has read the rule a moment before, and holds the lead a moment after the rule's were let go."""
    claim, settle, deeds = outbox.claim, outbox.settle, [before, after]

    def claimed(*args: Any) -> Any:
        found = claim(*args)
        if found and before in deeds:
            deeds.remove(before)
            before(quiz)
        return found

    def settled(settlements: Any, *args: Any) -> None:
        if settlements and after in deeds:
            deeds.remove(after)
            after(quiz)
        settle(settlements, *args)

    quiz.post()
    if after is save_mended:  # the CRM says no
        funnel = quiz.crm.pipelines[quiz.place()["PipelineID"]]
        funnel.statuses[:] = [one for one in funnel.statuses if one.name != "Дозвон"]
    monkeypatch.setattr(outbox, "claim", claimed)
    monkeypatch.setattr(outbox, "settle", settled)
    worker.drain(quiz.account.pk)
    assert deeds == []
    assert quiz.delivery.state == "held"
    quiz.work()
    assert states() == [("delivered", "")]


def test_a_rule_whose_leads_can_not_be_let_go_keeps_no_other_from_it(quiz, monkeypatch):
    for number in (QUIZ, QUIZ + 1):
        quiz.api.post(f"/rules/{number}", quiz.place(), **JSON)
        quiz.post(quizID=number)
    Delivery.objects.update(state="held", held_because="fix_rule")
    Rule.objects.filter(quiz_id=QUIZ).update(release_at=db_clock.now() - timedelta(minutes=2))
    Rule.objects.filter(quiz_id=QUIZ + 1).update(release_at=db_clock.now() - timedelta(minutes=1))
    hold_of_rule = holds.hold_of_rule

    def breaks(rule: Rule) -> Any:
        if rule.quiz_id == QUIZ:
            raise ValueError("nobody has thought of this")
        return hold_of_rule(rule)

    with monkeypatch.context() as patched:
        patched.setattr(holds, "hold_of_rule", breaks)
        sweep.release_saved_rules()
    assert states() == [("held", "fix_rule"), ("waiting", "")]
    sweep.release_saved_rules()
    assert states() == [("waiting", ""), ("waiting", "")]
