"""One value of a stored answer is set right by hand; its deliveries go once more, as somebody chooses."""

from __future__ import annotations

import pytest

from rules.models import Answer, Mend, Replay
from rules.people import export, who
from rules.retention import empty
from tests.stories.conftest import QUIZ

WRONG, RIGHT = "+79161234500", "+79161234501"


def said(question, text):
    return {"questionID": question, "question": f"Вопрос {question}", "answer": text}


def answered(quiz, phone=WRONG, **body):
    contact = {"name": "Анна", "phone": phone}
    return quiz.post("k-1", **{"contact": contact, "answers": [said("1", "red")], **body})


def mend(quiz, what="contact.phone", value=RIGHT, **more):
    body = {"what": what, "value": value, **more}
    return quiz.api.post(f"/answers/{Answer.objects.get().pk}/mend", body, content_type="application/json")


def test_a_phone_set_right_reaches_the_same_lead(quiz):
    answered(quiz)
    quiz.work()
    assert mend(quiz, replay="now").status_code == 200
    quiz.work()

    [lead] = quiz.leads
    assert RIGHT in str(lead["contact"])
    assert len(quiz.crm.contacts) == 1
    assert RIGHT in lead["notes"][-1]
    assert Replay.objects.get().state == "changed"
    [row] = Mend.objects.all()
    assert (row.what, row.before, row.after, row.who, row.revision) == (
        "contact.phone",
        WRONG,
        RIGHT,
        "shop",
        2,
    )


def test_what_could_not_be_replayed_is_told_with_its_reason(quiz):
    answered(quiz)
    quiz.work()
    assert mend(quiz).json()["notReplayed"] == []
    quiz.api.post(f"/rules/{QUIZ}/pause")

    answer = mend(quiz, value="+79161234502", replay="now")
    assert answer.status_code == 200
    [no] = answer.json()["notReplayed"]
    assert (no["deliveryID"], no["code"]) == (quiz.delivery.pk, "rule_idle")
    assert no["message"].startswith("Its rule is paused or deleted")
    quiz.api.post(f"/rules/{QUIZ}/resume")
    assert mend(quiz, value="+79161234503", replay="now").json()["notReplayed"] == []


def test_leads_that_are_there_change_by_choice_alone(quiz):
    answered(quiz)
    quiz.work()
    mend(quiz, "answer.1", "blue")
    quiz.work()
    assert len(quiz.leads[0]["notes"]) == 1


def test_what_has_not_arrived_goes_with_the_right_value(quiz):
    answered(quiz)
    mend(quiz)
    quiz.work()
    assert RIGHT in str(quiz.leads[0]["contact"])
    assert WRONG not in str(quiz.leads[0]["contact"])
    assert quiz.delivery.contact_keys == [f"phone:{RIGHT}"]


def test_a_repeat_of_the_body_that_came_does_not_undo_it(quiz):
    answered(quiz)
    mend(quiz)
    assert answered(quiz).status_code == 200
    assert answered(quiz, phone=RIGHT).status_code == 200
    assert answered(quiz, phone="+79160000000").status_code == 409
    assert Answer.objects.get().payload["contact"]["phone"] == RIGHT


def test_a_later_body_keeps_what_was_set_right(quiz):
    answered(quiz, complete=False)
    mend(quiz)
    reply = answered(quiz, answers=[said("1", "red"), said("2", "big")])
    assert reply.status_code == 202
    quiz.work()
    [lead] = quiz.leads
    assert RIGHT in str(lead["contact"])
    assert "Вопрос 2: big" in lead["notes"][-1]


@pytest.mark.parametrize("phone", [WRONG, RIGHT])
def test_the_body_that_came_may_say_afterwards_that_it_was_all(quiz, phone):
    answered(quiz, complete=False)
    mend(quiz)
    reply = answered(quiz, phone=phone, complete=True)
    assert (reply.status_code, reply.json()["complete"]) == (200, True)
    assert answered(quiz, phone="+79160000009").status_code == 409
    assert Answer.objects.get().payload["contact"]["phone"] == RIGHT


def test_a_body_that_another_one_replaced_ends_nothing(quiz):
    answered(quiz, complete=False)
    mend(quiz)
    answered(quiz, phone="+79160000009", complete=False)
    assert answered(quiz, complete=True).json()["complete"] is False


def test_a_later_body_that_says_something_new_counts(quiz):
    answered(quiz, complete=False)
    mend(quiz)
    answered(quiz, phone="+79160000009")
    assert Answer.objects.get().payload["contact"]["phone"] == "+79160000009"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"what": "answer.9", "value": "x"}, 400, "what"),
        ({"what": "page", "value": "x"}, 400, "what"),
        ({"what": "contact.", "value": "x"}, 400, "what"),
        ({"what": "contact.phone", "value": {"a": 1}}, 400, "value"),
        ({"what": "contact.phone", "value": None}, 400, "value"),
        ({"what": "contact.phone", "value": "x" * 10_001}, 400, "value"),
        ({"what": "contact.phone", "value": WRONG}, 409, "value"),
        ({"what": "contact.phone"}, 400, "value"),
        ({"what": "contact.phone", "value": RIGHT, "replay": "later"}, 400, "replay"),
    ],
)
def test_what_cannot_be_set_is_named(quiz, body, status, field):
    answered(quiz)
    reply = quiz.api.post(f"/answers/{Answer.objects.get().pk}/mend", body, content_type="application/json")
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)
    assert Answer.objects.get().revision == 1


def test_an_answer_of_somebody_else_is_not_there(quiz, caller):
    answered(quiz)
    quiz.api = caller("others")
    assert mend(quiz).status_code == 404


def test_the_person_is_given_what_was_set_right_and_it_is_erased_with_the_rest(quiz):
    answered(quiz)
    quiz.work()
    mend(quiz, replay="now")
    quiz.work()
    [told] = export(who(phone=RIGHT))["answers"]
    assert told["corrections"][0]["before"] == WRONG
    empty([Answer.objects.get().pk])
    [row] = Mend.objects.all()
    assert (row.before, row.after) == (None, None)
    assert Replay.objects.get().changes == []
    assert mend(quiz).json()["error"]["code"] == "erased"
