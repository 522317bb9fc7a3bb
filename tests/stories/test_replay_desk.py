"""Replays from the admin: one with its diff, many in a bulk run; a value set right on an answer's page."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from rules import bulk
from rules.admin.bulk import Action
from rules.delivery import outbox, replays, worker
from rules.models import Answer, BulkRun, Delivery, Replay
from tests.admin.conftest import staff

WINDOW = "Комментарий к заявке"
MANY = 200


@pytest.fixture
def operator(quiz):
    client = staff("operator")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ru"
    return client


def answered(quiz, number=1):
    answers = [{"questionID": "1", "question": "Какие окна?", "answer": f"red {number}"}]
    contact = {"name": f"Анна {number}", "phone": f"+7916{number:07d}"}
    assert quiz.post(f"k-{number}", contact=contact, answers=answers).status_code == 202


def changed(quiz):
    ids = {"1": quiz.field_id(WINDOW)}
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": ids}]}, **quiz.place(step="Замер назначен"))


def page(name, pk):
    return reverse(f"admin:rules_{name}", args=[pk])


def picked(name, keys, **more):
    return {"action": name, "_selected_action": keys, "select_across": "0", **more}


LIST = "admin:rules_delivery_changelist"


def test_the_page_shows_the_diff_and_carries_it_out(quiz, operator):
    answered(quiz)
    quiz.work()
    changed(quiz)
    url = page("delivery_replay", quiz.delivery.pk)
    shown = operator.get(url).content.decode()
    for text in ("Какие окна?", "red 1", "Дозвон", "Замер назначен", "заявка изменится", "версия 2"):
        assert text in shown
    assert "менять нечего" in operator.get(url, {"rule": "then"}).content.decode()
    assert Replay.objects.count() == 0

    operator.post(url, {"confirmed": "yes", "rule": "now"})
    quiz.work()
    assert quiz.leads[0]["step"] == "Замер назначен"
    [done] = Replay.objects.all()
    assert (done.by, done.who, done.state) == ("staff", "operator", "changed")
    story = operator.get(page("delivery_change", quiz.delivery.pk)).content.decode()
    for text in ("Переотправка", "заявка изменена", "operator", "Замер назначен"):
        assert text in story
    assert LogEntry.objects.filter(object_id=str(quiz.delivery.pk)).count() == 1


def test_a_deleted_lead_is_made_anew_only_where_the_box_is_ticked(quiz, operator):
    answered(quiz)
    quiz.work()
    next(iter(quiz.crm.leads.values())).props["is_deleted"] = True
    url = page("delivery_replay", quiz.delivery.pk)
    assert "Создать новую заявку вместо удалённой" in operator.get(url).content.decode()
    operator.post(url, {"confirmed": "yes", "rule": "now", "anew": "yes"})
    quiz.work()
    assert (len(quiz.crm.leads), Replay.objects.get().state) == (2, "made")


def test_a_viewer_may_do_none_of_it(quiz):
    answered(quiz)
    quiz.work()
    viewer = staff("viewer")
    for url in (page("delivery_replay", quiz.delivery.pk), page("answer_mend", quiz.delivery.answer_id)):
        assert viewer.post(url, {"confirmed": "yes", "what": "contact.name", "value": "x"}).status_code == 403
    viewer.post(reverse(LIST), picked("replay_chosen_now", [quiz.delivery.pk], confirmed="yes"))
    assert (Replay.objects.count(), Answer.objects.get().revision) == (0, 1)


def test_a_value_is_set_right_and_its_delivery_replayed(quiz, operator):
    answered(quiz)
    quiz.work()
    changed(quiz)
    url = page("answer_mend", quiz.delivery.answer_id)
    shown = operator.get(url).content.decode()
    assert "Какие окна?: red 1" in shown
    form = {"confirmed": "yes", "what": "answer.1", "value": "blue", "replay": "now"}
    operator.post(url, form)
    quiz.work()

    assert quiz.leads[0]["fields"][WINDOW] == "blue"
    story = operator.get(page("delivery_change", quiz.delivery.pk)).content.decode()
    assert "Вопрос 1: red 1 → blue" in story
    told = ("Попытка 1", "Значение ответа исправлено", "Переотправка", "Попытка 2")
    assert sorted(told, key=story.index) == list(told)  # as it came


@pytest.mark.parametrize(
    ("value", "words"),
    [("red 1", "Там и так это значение"), ("x" * 10_001, "Значение слишком длинное")],
)
def test_a_refused_value_stays_in_the_form_with_the_reason_beside_it(quiz, operator, value, words):
    answered(quiz)
    url = page("answer_mend", quiz.delivery.answer_id)
    sent = {"confirmed": "yes", "what": "answer.1", "value": value, "replay": "then"}
    form = operator.post(url, sent).context["question"].form
    assert form.errors == {"value": [words]}
    assert {name: form[name].value() for name in form.fields} == {
        name: sent[name] for name in ("what", "value", "replay")
    }
    assert Answer.objects.get().revision == 1


def test_a_number_that_nobody_changed_is_no_new_value(quiz, operator):
    answers = [{"questionID": "1", "question": "Сколько окон?", "answer": 5}]
    assert quiz.post("k-1", answers=answers).status_code == 202
    sent = {"confirmed": "yes", "what": "answer.1", "value": "5"}
    again = operator.post(page("answer_mend", quiz.delivery.answer_id), sent)
    assert "Там и так это значение" in again.content.decode()


def test_what_is_chosen_is_sampled_first_and_then_replayed(quiz, operator):
    for number in range(3):
        answered(quiz, number)
    quiz.work()
    changed(quiz)
    keys = list(Delivery.objects.values_list("pk", flat=True))
    asked = operator.post(reverse(LIST), picked("replay_chosen_now", keys)).content.decode()
    assert "Переотправить 3 заявки?" in asked
    assert "Из первых 3 заявок: заявка изменится: 3." in asked
    assert "Замер назначен" in asked
    assert Replay.objects.count() == 0

    operator.post(reverse(LIST), picked("replay_chosen_now", keys, confirmed="yes"))
    quiz.work()
    run = BulkRun.objects.get()
    assert (run.action, run.by_rule, run.moved, run.left_alone) == ("replay", "now", 3, 0)
    assert {lead["step"] for lead in quiz.leads} == {"Замер назначен"}
    told = operator.get(page("bulkrun_change", run.pk)).content.decode()
    assert "Заявка изменена: 3" in told
    assert "По текущему правилу" in told


def test_a_run_waits_until_its_replays_are_nearly_through(quiz, operator, monkeypatch):
    for number in range(6):
        answered(quiz, number)
    quiz.work()
    changed(quiz)
    monkeypatch.setattr(bulk, "UNDER_WAY", 2)
    deed = bulk.DEEDS[Action.REPLAY]
    monkeypatch.setitem(bulk.DEEDS, Action.REPLAY, bulk.Deed(**{**vars_of(deed), "at_once": 2}))
    asked = []
    monkeypatch.setattr("accounts.task_queue.ask", lambda task, *ids, **more: asked.append((task, more)))
    monkeypatch.setattr(bulk.worker.ends, "wait", lambda seconds: False)
    form = {"action": "replay_chosen_now", "select_across": "1", "_selected_action": [1], "confirmed": "yes"}
    operator.post(reverse(LIST), form)
    run = BulkRun.objects.get()
    bulk.go_on(run.pk)
    assert Replay.objects.count() == 2
    bulk.go_on(run.pk)  # beat's, which leaves no further message behind
    assert asked.count(("rules.tasks.run_bulk", {"seconds": bulk.FEW_SECONDS})) == 1
    for _ in range(4):
        quiz.work()
        bulk.go_on(run.pk)
    quiz.work()

    run.refresh_from_db()
    assert (run.state, run.moved) == ("done", 6)
    assert set(Replay.objects.values_list("state", flat=True)) == {"changed"}


def vars_of(deed):
    return {name: getattr(deed, name) for name in deed.__dataclass_fields__}


class Killed(BaseException):
    """The process is gone."""


def test_many_replays_with_kills_in_the_middle_make_no_double(quiz, operator, monkeypatch, later):
    for number in range(MANY):
        answered(quiz, number)
    quiz.work()
    changed(quiz)
    person = User.objects.get(username="operator")
    run = bulk.begin("replay", "", [], person, MANY, at_least=False, by_rule="now")
    prepare, settle, record = replays.prepare, outbox.settle, outbox.record_steps
    for step in ("prepare", "record", "settle", ""):
        bulk.portion(run.pk)
        with monkeypatch.context() as death:

            def die(written, *more, step=step):
                if step == "settle" or not written:
                    settle(written, *more)
                if written:
                    raise Killed

            def die_prepared(*args):
                prepare(*args)
                raise Killed

            def die_recorded(written, *more):
                record(written, *more)
                raise Killed

            if step == "prepare":
                death.setattr(replays, "prepare", die_prepared)
            if step == "record":
                death.setattr(outbox, "record_steps", die_recorded)
            if step:
                death.setattr(outbox, "settle", die)
                death.setattr("rules.delivery.lane.LaneLease.leave", lambda *args: None)
                with pytest.raises(Killed):
                    worker.drain(quiz.account.pk)
        later(minutes=5)
        quiz.work()
        later(minutes=5)
        quiz.work()
    while bulk.portion(run.pk):
        quiz.work()
    quiz.work()

    leads = quiz.leads
    assert len(leads) == len({lead["id"] for lead in leads}) == MANY
    assert {lead["step"] for lead in leads} == {"Замер назначен"}
    assert {len(lead["notes"]) for lead in leads} == {2}
    assert all(lead["fields"][WINDOW].startswith("red ") for lead in leads)
    assert set(Replay.objects.values_list("state", flat=True)) == {"changed"}
    assert Replay.objects.count() == MANY
    assert len(quiz.crm.contacts) == MANY
