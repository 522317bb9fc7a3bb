"""What breaks on the way, and how the answer arrives all the same, once."""

from __future__ import annotations

import pytest

from rules.delivery import outbox, worker
from rules.models import Attempt, Delivery

COMPLEX = "/leads/complex"


def outcomes() -> list[str]:
    return list(Attempt.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.mark.parametrize("lost", ["reset_after", "timeout_after", "answer_after"])
def test_a_lost_reply_doubles_nothing(quiz, later, lost):
    quiz.amo.faults.add(COMPLEX, lost, status=502)
    quiz.post("k-1")
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.look_first) == ("waiting", True)

    later(minutes=2)
    quiz.work()

    assert len(quiz.leads) == 1
    assert len(quiz.leads[0]["notes"]) == 1
    assert quiz.delivery.state == "delivered"
    assert outcomes() == ["look_first", "adopted"]


@pytest.mark.parametrize("lost", ["reset", "timeout"])
def test_a_request_that_never_arrived_is_sent_again_after_a_look(quiz, later, lost):
    quiz.amo.faults.add(COMPLEX, lost)
    quiz.post("k-1")
    quiz.work()
    later(minutes=2)
    quiz.work()

    assert len(quiz.leads) == 1
    assert quiz.delivery.state == "delivered"


def test_a_lost_note_is_written_once(quiz, later):
    quiz.amo.faults.add("/notes", "reset_after", method="POST")
    quiz.post()
    quiz.work()
    assert quiz.delivery.state == "waiting"

    later(minutes=2)
    quiz.work()

    assert [len(lead["notes"]) for lead in quiz.leads] == [1]


def test_a_person_whose_lead_ended_unclear_gets_no_second_contact(quiz, later):
    quiz.amo.switches["index_delay"] = 30
    quiz.amo.faults.add(COMPLEX, "reset_after")
    quiz.post(contact={"name": "Анна", "phone": "+79990001122"})
    quiz.work()
    later(seconds=10)
    quiz.post(contact={"name": "Анна", "phone": "+79990001122"})
    quiz.work()
    assert len(quiz.leads) == 1

    later(minutes=2)
    quiz.work()
    quiz.work()

    assert len(quiz.leads) == 2
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1


class Killed(BaseException):
    """What a worker would not survive."""


def test_a_killed_worker_doubles_and_loses_nothing(quiz, later, monkeypatch):
    """It dies after the CRM's commit and before our settlement; its lease runs out, nobody left the lane."""
    with monkeypatch.context() as death:

        def die(written, *more):
            if written:
                raise Killed

        death.setattr(outbox, "record_steps", die)
        death.setattr(outbox, "settle", die)
        death.setattr("rules.delivery.lane.LaneLease.leave", lambda *args: None)
        quiz.post()
        with pytest.raises(Killed):
            worker.drain(quiz.account.pk)
    assert quiz.delivery.state == "sending"
    assert len(quiz.leads) == 1

    later(minutes=3)
    quiz.work()
    later(minutes=3)
    quiz.work()

    assert len(quiz.leads) == 1
    assert quiz.delivery.state == "delivered"
    assert outcomes() == ["look_first", "adopted"]
    assert Attempt.objects.first().code == "worker_died"


def test_a_worker_frozen_past_its_lease_sends_nothing_any_more(quiz, later, monkeypatch):
    quiz.post()
    with monkeypatch.context() as frozen:
        frozen.setattr("rules.delivery.lane.LaneLease.alive", False)
        quiz.amo.journal.clear()
        worker.drain(quiz.account.pk)
        assert len(quiz.amo.journal) == 0

    later(minutes=3)
    quiz.work()
    assert len(quiz.leads) == 1


def test_one_bad_lead_in_a_batch_of_50_harms_only_itself(quiz):
    for number in range(50):
        quiz.post(f"k-{number}")
    bad = Delivery.objects.get(answer__answer_id="k-17")
    quiz.amo.faults.add(
        COMPLEX,
        times=None,
        contains=bad.uid,
        status=400,
        content_type="application/problem+json",
        body='{"title":"Bad Request","status":400,"detail":"Request validation failed"}',
    )
    quiz.work()

    assert len(quiz.leads) == 49
    bad.refresh_from_db()
    assert (bad.state, bad.held_because) == ("held", "refused")
    assert Delivery.objects.filter(state="delivered").count() == 49


def test_words_of_the_crm_that_no_database_takes_settle_the_lead_all_the_same(quiz):
    quiz.amo.faults.add(
        COMPLEX,
        times=None,
        status=400,
        content_type="application/problem+json",
        body=r'{"title":"Bad Request","status":400,"detail":"Cut in half: \ud83d, nothing: \u0000."}',
    )
    quiz.post()
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.held_because) == ("held", "refused")
    assert "Cut in half: ?, nothing: ." in quiz.delivery.error
    assert outcomes() == ["give_up"]


def test_an_answer_that_breaks_amocrm_delays_nobody(quiz, later):
    """amoCRM answers 500 whenever a request holds it; answers before, beside and after it arrive at once."""
    quiz.amo.faults.add(COMPLEX, status=500, times=None, contains="POISON")
    for number in range(20):
        quiz.post(f"k-{number}", contact={"name": "POISON" if number == 7 else f"Анна {number}"})
    quiz.work()
    assert Delivery.objects.filter(state="delivered").count() == len(quiz.leads) == 19

    later(minutes=2)
    quiz.post("k-new")
    quiz.work()
    assert Delivery.objects.get(answer__answer_id="k-new").state == "delivered"
    assert Delivery.objects.get(answer__answer_id="k-7").state == "waiting"


def test_the_field_for_external_ids_is_deleted_before_a_look(quiz, later):
    quiz.amo.faults.add(COMPLEX, "reset_after")
    quiz.post("k-1")
    quiz.work()
    gone = quiz.account.facts["mark_field"]
    quiz.amo.control(
        "delete_field", {"account": quiz.crm.subdomain, "entity": "leads", "field_id": int(gone)}
    )

    later(minutes=2)
    quiz.work()
    assert (len(quiz.leads), quiz.delivery.state) == (1, "delivered")
    made = quiz.account.facts["mark_field"]
    assert made != gone
    assert int(made) in {field.id for field in quiz.crm.fields["leads"]}

    quiz.post("k-2")
    quiz.work()
    assert quiz.leads[1]["fields"]["Quiz answer id"] == Delivery.objects.latest("pk").uid
