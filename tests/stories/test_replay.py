"""A delivery is replayed by the rule of that day or of today: a diff, then the same lead, never another."""

from __future__ import annotations

import pytest

from rules.delivery import outbox, replays, worker
from rules.models import Delivery, Replay

NAME, PHONE = {"name": "Анна"}, "+79161234501"
WINDOW = "Комментарий к заявке"
BLUE = {"value": "answer.1", "equals": "blue"}


def said(question, text):
    return {"questionID": question, "question": f"Вопрос {question}", "answer": text}


def answered(quiz, **body):
    return quiz.post("k-1", **{"contact": NAME, "answers": [said("1", "red")], "price": 100, **body})


def replay(quiz, delivery=None, **body):
    number = (delivery or quiz.delivery).pk
    return quiz.api.post(f"/deliveries/{number}/replay", body, content_type="application/json")


def foreseen(quiz, **body):
    reply = replay(quiz, dryRun=True, **body)
    assert reply.status_code == 200
    return reply.json()


def told(changes):
    """(what, before, after, kept) of everything but the note."""
    return {(c["what"], c["before"], c["after"], c["kept"]) for c in changes if c["what"] != "note"}


@pytest.fixture
def mapped(quiz):
    """Delivered before question 1 had a field; since then it has one, and leads go to another step."""
    answered(quiz)
    quiz.work()
    ids = {"1": quiz.field_id(WINDOW)}
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": ids}]}, **quiz.place(step="Замер назначен"))
    return quiz


def card(quiz):
    return next(iter(quiz.crm.leads.values()))


# -- the diff -----------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_change_and_changes_nothing(mapped):
    found = foreseen(mapped)
    assert (found["action"], found["version"]) == ("update", 2)
    assert told(found["changes"]) == {
        ("Вопрос 1", "", "red", False),
        ("step", "Дозвон", "Замер назначен", False),
    }
    [lead] = mapped.leads
    assert (lead["step"], len(lead["notes"])) == ("Дозвон", 1)
    assert (mapped.delivery.state, Replay.objects.count()) == ("delivered", 0)


def test_by_the_rule_of_that_day_there_is_nothing_to_change(mapped):
    found = foreseen(mapped, rule="then")
    assert (found["action"], found["version"], found["changes"]) == ("nothing", 1, [])


def test_an_answer_that_came_in_two_parts_has_nothing_to_change_either(quiz):
    answered(quiz, complete=False)
    quiz.work()
    answered(quiz, answers=[said("1", "red"), said("2", "big")])
    quiz.work()
    replay(quiz, rule="then")
    quiz.work()

    [lead] = quiz.leads
    assert (Replay.objects.get().state, len(lead["notes"])) == ("unchanged", 2)


def test_a_dry_run_shows_what_people_changed_as_left_alone(mapped):
    card(mapped).values[mapped.field_id(WINDOW)] = [{"value": "gold"}]
    card(mapped).props["price"] = 999
    found = foreseen(mapped)
    assert ("Вопрос 1", "gold", "red", True) in told(found["changes"])
    assert ("price", "999", "100", True) in told(found["changes"])
    assert {c["why"] for c in found["changes"] if c["kept"]} == {
        "it was changed in the CRM since and is left as it is"
    }


def test_of_a_lead_that_was_never_made_all_would_be_new(quiz):
    quiz.change_rule(Extra={"SendIf": BLUE})
    answered(quiz)
    quiz.work()
    assert quiz.delivery.held_because == "left_out"
    assert foreseen(quiz)["action"] == "left_out"
    quiz.change_rule(Extra={})
    found = foreseen(quiz)
    assert found["action"] == "create"
    assert ("step", "", "Дозвон", False) in told(found["changes"])


# -- in place -----------------------------------------------------------------------------------------------


def test_a_replay_changes_the_same_lead_and_the_note_tells_what(mapped):
    reply = replay(mapped)
    assert reply.status_code == 202
    assert reply.json()["state"] == "waiting"
    mapped.work()

    [lead] = mapped.leads
    assert lead["fields"][WINDOW] == "red"
    assert lead["step"] == "Замер назначен"
    assert len(lead["notes"]) == 2
    assert "версии 2" in lead["notes"][1]
    assert "Этап: Дозвон → Замер назначен" in lead["notes"][1]
    shown = mapped.api.get(f"/deliveries/{mapped.delivery.pk}").json()
    [done] = shown["replays"]
    assert (shown["state"], done["state"], done["version"], done["askedBy"]) == (
        "delivered",
        "changed",
        2,
        "shop",
    )
    assert ("step", "Дозвон", "Замер назначен", False) in told(done["changes"])
    assert mapped.delivery.version.number == 2


def test_a_replay_that_changes_the_contact_alone_is_foreseen_and_made(quiz):
    """The contact was there before; since then the rule says that it is filled."""
    contact = {"name": "Анна", "phone": PHONE}
    quiz.post("k-0", contact=contact)
    quiz.work()
    values = [{"Record": "contact", "Field": quiz.field_id("Должность", "contacts"), "Value": "Швея"}]
    quiz.change_rule(Extra={"Values": values})
    answered(quiz, contact=contact)
    quiz.work()
    quiz.change_rule(Extra={"Values": values, "Existing": {"Contact": {"Mode": "fill"}}})
    delivery = Delivery.objects.get(answer__answer_id="k-1")
    assert [loss["value"] for loss in delivery.losses] == ["Швея"]

    found = foreseen(quiz, delivery=delivery)
    assert (found["action"], told(found["changes"])) == ("update", {("Должность", "", "Швея", False)})
    assert "Швея" not in str(quiz.leads[1]["contact"])
    replay(quiz, delivery)
    quiz.work()
    assert Replay.objects.get().state == "changed"
    assert quiz.leads[1]["contact"]["Должность"] == "Швея"
    assert foreseen(quiz, delivery=delivery)["action"] == "nothing"


def test_a_replay_that_is_repeated_changes_nothing(mapped):
    replay(mapped)
    mapped.work()
    before = mapped.leads
    replay(mapped)
    mapped.work()

    assert mapped.leads == before
    assert [one.state for one in Replay.objects.order_by("pk")] == ["changed", "unchanged"]


def test_what_a_replay_wrote_is_ours_for_the_next_one(mapped):
    """A field that the later version does not fill keeps its value."""
    replay(mapped)
    mapped.work()
    mapped.change_rule(Fieldsrule={}, **mapped.place(step="Смета отправлена"))
    replay(mapped)
    mapped.work()

    [lead] = mapped.leads
    assert (lead["step"], lead["fields"][WINDOW]) == ("Смета отправлена", "red")


def test_what_people_changed_is_left_alone(mapped):
    card(mapped).props["status_id"] = mapped.place(step="Смета отправлена")["StepID"]
    replay(mapped)
    mapped.work()

    [lead] = mapped.leads
    assert (lead["step"], lead["fields"][WINDOW]) == ("Смета отправлена", "red")
    [done] = Replay.objects.all()
    assert ("step", "Смета отправлена", "Замер назначен", True) in told(done.changes)


def test_asking_twice_is_one_replay(mapped):
    for _ in range(2):
        assert replay(mapped).status_code == 202
    assert replay(mapped, rule="then").json()["error"]["code"] == "replaying"
    mapped.work()
    assert Replay.objects.count() == 1


def test_a_cancelled_replay_leaves_the_lead_delivered(mapped):
    replay(mapped)
    assert mapped.api.post(f"/deliveries/{mapped.delivery.pk}/cancel").status_code == 200
    mapped.work()

    assert (mapped.delivery.state, mapped.delivery.replay_id) == ("delivered", None)
    assert len(mapped.leads[0]["notes"]) == 1


def test_whoever_found_the_lead_ends_the_replay_that_waits_and_nothing_is_sent(mapped):
    mapped.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": mapped.field_id("Бюджет")}}]})
    mapped.post("k-2", contact=NAME, answers=[said("1", "red")])
    mapped.work()
    row = Delivery.objects.get(answer__answer_id="k-2")
    lost, notes = row.losses, [lead["notes"] for lead in mapped.leads]
    assert lost
    replay(mapped, row)
    mapped.api.post(f"/rules/{row.quiz_id}/pause")
    mapped.work()
    told = mapped.api.post(f"/deliveries/{row.pk}/arrived", {}, content_type="application/json").json()
    assert (told["state"], told["leadID"], told["replays"][0]["state"]) == (
        "delivered",
        row.remote_id,
        "failed",
    )
    mapped.api.post(f"/rules/{row.quiz_id}/resume")
    mapped.work()

    row.refresh_from_db()
    assert (row.state, row.replay_id, row.losses) == ("delivered", None, lost)
    assert [lead["notes"] for lead in mapped.leads] == notes


# -- deleted, failed, held, unclear, left out ---------------------------------------------------------------


def test_a_lead_that_was_deleted_is_made_anew_only_where_that_is_said(mapped):
    card(mapped).props["is_deleted"] = True
    assert foreseen(mapped)["action"] == "gone"
    replay(mapped)
    mapped.work()
    assert (len(mapped.crm.leads), mapped.delivery.state) == (1, "delivered")
    assert Replay.objects.get().state == "failed"

    old = mapped.delivery
    replay(mapped, anew=True)
    mapped.work()
    assert len(mapped.crm.leads) == 2
    new = mapped.delivery
    assert (new.state, new.outcome.record_id) == ("delivered", new.remote_id)
    assert new.remote_id != old.remote_id
    assert new.uid != old.uid
    made = Replay.objects.first()
    assert (made.state, made.former_lead, made.former_uid) == ("made", old.remote_id, old.uid)


def test_anew_makes_no_second_lead_where_the_first_is_there(mapped):
    replay(mapped, anew=True)
    mapped.work()
    assert len(mapped.crm.leads) == 1
    assert Replay.objects.get().state == "changed"


def test_a_held_delivery_goes_by_the_chosen_version(quiz):
    answered(quiz)
    outbox.cancel(Delivery.objects.all())
    quiz.change_rule(**quiz.place(step="Замер назначен"))
    replay(quiz, rule="then")
    quiz.work()

    assert quiz.leads[0]["step"] == "Дозвон"
    assert (quiz.delivery.version.number, Replay.objects.get().state) == (1, "made")


def test_an_unclear_delivery_is_looked_for_first_and_then_brought_up_to_date(mapped, later):
    mapped.amo.faults.add("/leads/complex", "reset_after")
    mapped.post("k-2", contact={"name": "Олег"}, answers=[said("1", "blue")])
    mapped.work()
    row = Delivery.objects.get(answer__answer_id="k-2")
    assert row.look_first
    mapped.change_rule(**mapped.place(step="Смета отправлена"))
    replay(mapped, row)
    later(minutes=2)
    mapped.work()

    assert len(mapped.leads) == 2
    row.refresh_from_db()
    assert (row.state, row.replay_id) == ("delivered", None)
    [lead] = [one for one in mapped.leads if str(one["id"]) == row.remote_id]
    assert lead["step"] == "Смета отправлена"


def test_what_the_condition_left_out_is_sent_if_the_version_lets_it(quiz):
    quiz.change_rule(Extra={"SendIf": BLUE})
    answered(quiz)
    quiz.work()
    replay(quiz)
    quiz.work()
    assert (quiz.leads, quiz.delivery.held_because) == ([], "left_out")
    assert Replay.objects.get().state == "left_out"
    quiz.change_rule(Extra={})
    replay(quiz)
    quiz.work()
    assert len(quiz.leads) == 1


def test_what_cannot_be_replayed_says_why(mapped, quiz):
    answer = mapped.delivery.answer
    type(answer).objects.update(purged_at=answer.created_at)
    reply = replay(mapped)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "erased")
    assert foreseen(mapped)["action"] == "impossible"


@pytest.mark.parametrize("body", [{"rule": "later"}, {"dryRun": "perhaps"}, {"anew": []}, []])
def test_a_body_that_says_something_else_is_refused(mapped, body):
    reply = mapped.api.post(f"/deliveries/{mapped.delivery.pk}/replay", body, content_type="application/json")
    assert reply.status_code == 400


# -- whatever breaks ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("path", ["/leads$", "/notes"])
def test_a_lost_reply_doubles_nothing(mapped, later, path):
    mapped.amo.faults.add(path, "reset_after", method="PATCH|POST")
    replay(mapped)
    mapped.work()
    assert mapped.delivery.state == "waiting"
    later(minutes=2)
    mapped.work()

    [lead] = mapped.leads
    assert (len(lead["notes"]), lead["fields"][WINDOW]) == (2, "red")
    assert "Этап: Дозвон → Замер назначен" in lead["notes"][1]
    assert Replay.objects.get().state == "changed"


@pytest.mark.parametrize("doomed", ["keep", "record_steps", "settle"])
def test_a_worker_that_is_killed_has_another_go_on(mapped, monkeypatch, later, doomed):
    """Killed once the changes are written down; once the note is there; before it is settled."""
    with monkeypatch.context() as death:

        def die(written, *more):
            if written:
                raise Killed

        prepare = replays.prepare

        def die_prepared(*args):
            prepare(*args)
            raise Killed

        if doomed == "keep":
            death.setattr(replays, "prepare", die_prepared)
        elif doomed == "record_steps":
            death.setattr(outbox, "record_steps", die)
        death.setattr(outbox, "settle", die)
        death.setattr("rules.delivery.lane.LaneLease.leave", lambda *args: None)
        replay(mapped)
        with pytest.raises(Killed):
            worker.drain(mapped.account.pk)
    assert mapped.delivery.state == "sending"
    for _ in range(2):
        later(minutes=3)
        mapped.work()

    [lead] = mapped.leads
    assert (len(lead["notes"]), lead["fields"][WINDOW], lead["step"]) == (2, "red", "Замер назначен")
    assert "Этап: Дозвон → Замер назначен" in lead["notes"][1]
    [done] = Replay.objects.all()
    assert done.state == "changed"
    assert ("step", "Дозвон", "Замер назначен", False) in told(done.changes)


@pytest.mark.parametrize("broken", ["replaying", "draft_of", "named"])
def test_a_replay_that_breaks_our_own_code_holds_up_nobody(mapped, monkeypatch, later, broken):
    replay(mapped)
    new = mapped.post("k-2").json()["id"]
    with monkeypatch.context() as bug:
        bug.setattr(replays, broken, lambda *args: {}["no such key"])
        mapped.work()
    there = Delivery.objects.get(answer__answer_id="k-1")
    assert Delivery.objects.get(answer=new).state == "delivered"
    assert (there.state, there.error_code, there.look_first) == ("waiting", "our_bug", False)
    assert there.version.number == 1
    later(minutes=3)
    mapped.work()
    assert Replay.objects.get().state == "changed"
    assert len(mapped.leads) == 2


def test_a_replay_that_waits_for_its_account_leaves_the_version_of_the_lead(mapped):
    mapped.amo.faults.add("/leads", status=403, times=None)
    replay(mapped)
    mapped.work()
    assert (mapped.delivery.state, mapped.delivery.held_because) == ("held", "paused")
    assert mapped.delivery.version.number == 1


def test_new_answers_go_before_replays(mapped, monkeypatch):
    sent = []
    deliver = worker.Drain._delivered

    def seen(drain, batch, journal):
        sent.extend(draft.uid for draft in batch.drafts)
        return deliver(drain, batch, journal)

    monkeypatch.setattr(worker.Drain, "_delivered", seen)
    monkeypatch.setattr(worker.Drain, "_width", lambda drain: 1)
    replay(mapped)
    fresh = [mapped.post(f"new-{n}").json()["answerID"] for n in range(3)]
    mapped.work()

    uids = {row.uid: row.answer.answer_id for row in Delivery.objects.select_related("answer")}
    assert [uids[uid] for uid in sent] == [*fresh, "k-1"]
