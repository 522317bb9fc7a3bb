"""An answer comes in parts: the same lead is brought up to date, whoever touched it meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from rules.delivery import worker
from rules.models import Answer

NAME, PHONE = {"name": "Анна"}, "+79161234501"


def said(question, text):
    return {"questionID": question, "question": f"Вопрос {question}", "answer": text}


def first(quiz, **body):
    return quiz.post("k-1", **{"contact": NAME, "answers": [said("1", "red")], "complete": False, **body})


def second(quiz, **body):
    contact = {**NAME, "phone": PHONE}
    return quiz.post("k-1", **{"contact": contact, "answers": [said("1", "blue"), said("2", "big")], **body})


# -- taking the bodies --------------------------------------------------------------------------------------


def test_a_completed_answer_reaches_the_same_lead(quiz):
    first(quiz)
    quiz.work()
    reply = second(quiz)
    quiz.work()

    [lead] = quiz.leads
    assert PHONE in str(lead["contact"])
    assert reply.status_code == 202
    assert reply.json()["message"].startswith("This body takes the former one's place")
    assert (reply.json()["complete"], reply.json()["revision"]) == (True, 2)
    assert len(lead["notes"]) == 2
    assert "Вопрос 2: big" in lead["notes"][1]
    assert (quiz.delivery.state, quiz.delivery.remote_id) == ("delivered", str(lead["id"]))
    shown = quiz.api.get(f"/deliveries/{quiz.delivery.pk}").json()
    assert (shown["revision"], shown["revisionSent"]) == (2, 2)


def test_a_complete_answer_is_refused_another_body_and_no_new_id_is_advised(quiz):
    first(quiz, complete=True)
    reply = second(quiz)
    assert reply.status_code == 409
    assert reply.json()["error"]["field"] == "answerID"
    assert "new id" not in reply.json()["error"]["message"]

    quiz.work()
    assert "phone" not in Answer.objects.get().payload["contact"]


def test_an_older_body_that_comes_again_changes_nothing(quiz):
    first(quiz)
    second(quiz)
    assert first(quiz).status_code == 200
    quiz.work()
    assert first(quiz).status_code == 200
    quiz.work()

    [lead] = quiz.leads
    assert PHONE in str(lead["contact"])
    assert len(lead["notes"]) == 1  # both came before anything was sent
    assert Answer.objects.get().revision == 2


def test_the_same_body_may_say_that_it_was_all(quiz):
    first(quiz)
    assert first(quiz, complete=True).status_code == 200
    assert Answer.objects.get().complete
    assert second(quiz).status_code == 409


def test_a_third_body_after_the_second(quiz):
    for body in (first, lambda shop: second(shop, complete=False)):
        body(quiz)
        quiz.work()
    second(quiz, answers=[said("1", "green")])
    quiz.work()

    [lead] = quiz.leads
    assert [note.count("Вопрос 1") for note in lead["notes"]] == [1, 1, 1]
    assert quiz.delivery.steps.keys() >= {"note", "note-2", "note-3"}


# -- what people changed meanwhile --------------------------------------------------------------------------


@pytest.fixture
def mapped(quiz):
    """Question 1 goes into a field of the lead."""
    ids = {"1": quiz.field_id("Комментарий к заявке")}
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": ids}]})
    return quiz


def card(quiz):
    return next(iter(quiz.crm.leads.values()))


def test_a_field_that_stands_as_we_wrote_it_is_overwritten(mapped):
    first(mapped, price=100)
    mapped.work()
    second(mapped, price=250)
    mapped.work()

    [lead] = mapped.leads
    assert lead["fields"]["Комментарий к заявке"] == "blue"
    assert (lead["price"], lead["step"]) == (250, "Дозвон")
    assert mapped.delivery.losses == []


@pytest.mark.parametrize("theirs", ["the customer wants gold", ""])
def test_what_a_manager_changed_is_left_alone_and_told(mapped, theirs):
    first(mapped, price=100)
    mapped.work()
    number = mapped.field_id("Комментарий к заявке")
    card(mapped).values[number] = [{"value": theirs}]
    card(mapped).props["price"] = 999
    if not theirs:
        del card(mapped).values[number]
    second(mapped, price=250)
    mapped.work()

    [lead] = mapped.leads
    assert lead["fields"].get("Комментарий к заявке", "") == theirs
    assert lead["price"] == 999
    assert "blue (с тех пор изменено в CRM и оставлено как есть)" in lead["notes"][1]
    assert {loss["value"] for loss in mapped.delivery.losses} == {"blue", "250"}


def test_a_contact_that_somebody_else_has_already_is_linked(quiz):
    quiz.post("k-0", contact={"name": "Anna", "phone": PHONE})
    first(quiz, contact={})
    quiz.work()
    second(quiz)
    quiz.work()

    people = {lead["contact"]["id"] for lead in quiz.leads}
    assert len(people) == len(quiz.crm.contacts) == 1


def test_a_lead_that_was_deleted_is_not_made_again(quiz):
    first(quiz)
    quiz.work()
    card(quiz).props["is_deleted"] = True
    second(quiz)
    quiz.work()

    assert len(quiz.crm.leads) == 1
    assert (quiz.delivery.state, quiz.delivery.error_code) == ("held", "lead_gone")


def test_a_lead_in_incoming_stays_there(mapped):
    mapped.change_rule(**mapped.place(step="Неразобранное"))
    first(mapped, price=100)
    mapped.work()
    [before] = mapped.leads
    second(mapped, price=250)
    mapped.work()

    [lead] = mapped.leads
    assert lead["incoming"]
    assert (lead["step"], lead["fields"]) == (before["step"], before["fields"])
    assert len(mapped.crm.contacts) == 1
    assert "blue" in lead["notes"][-1]
    assert mapped.delivery.state == "delivered"


# -- at the same moment -------------------------------------------------------------------------------------


def test_bodies_that_come_at_once_are_all_counted(quiz):
    first(quiz)
    quiz.work()

    def post(number):
        try:
            return first(quiz, answers=[said("1", f"colour {number}")]).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(post, range(8)))
    quiz.work()

    assert codes == [202] * 8
    answer = Answer.objects.get()
    assert (answer.revision, answer.former_bodies.count()) == (9, 8)
    [lead] = quiz.leads
    assert answer.payload["answers"][0]["answer"] in lead["notes"][-1]
    assert (quiz.delivery.revision_sent, quiz.delivery.state) == (9, "delivered")


def test_a_body_that_comes_while_the_first_is_sent(quiz, monkeypatch):
    sent = worker.Drain._send

    def meanwhile(drain, batch):
        monkeypatch.setattr(worker.Drain, "_send", sent)
        assert second(quiz).status_code == 202
        return sent(drain, batch)

    monkeypatch.setattr(worker.Drain, "_send", meanwhile)
    first(quiz)
    quiz.work()

    [lead] = quiz.leads
    assert PHONE in str(lead["contact"])
    assert (len(lead["notes"]), quiz.delivery.state) == (2, "delivered")
    assert quiz.delivery.outcome.record_id == str(lead["id"])


def test_a_body_that_comes_after_an_unclear_creation(mapped, later):
    mapped.amo.faults.add("/leads/complex", "reset_after")
    first(mapped)
    mapped.work()
    second(mapped)
    later(minutes=2)
    mapped.work()

    [lead] = mapped.leads
    assert lead["fields"]["Комментарий к заявке"] == "blue"
    assert PHONE in str(lead["contact"])
    assert len(lead["notes"]) == 2


@pytest.mark.parametrize("path", ["/leads$", "/contacts$", "/notes"])
def test_a_lost_reply_to_an_update_doubles_nothing(mapped, later, path):
    first(mapped)
    mapped.work()
    mapped.amo.faults.add(path, "reset_after", method="PATCH|POST")
    second(mapped)
    mapped.work()
    assert mapped.delivery.state == "waiting"
    later(minutes=2)
    mapped.work()

    [lead] = mapped.leads
    assert (len(lead["notes"]), len(mapped.crm.contacts)) == (2, 1)
    assert str(lead["contact"]).count(PHONE) == 1
    assert mapped.delivery.state == "delivered"


# -- the other CRMs -----------------------------------------------------------------------------------------


def test_a_deal_of_bitrix24_is_brought_up_to_date(clinic, later_there):
    ids = {"1": clinic.field_id("Комментарий к заявке")}
    assert clinic.change_rule(FieldsRule={"deal": {"QuestionID": ids}}).status_code == 200
    first(clinic, price=100)
    clinic.work()
    clinic.box.faults.add("/batch|timeline", "reset_after", contains="crm.timeline.comment.add")
    clinic.box.faults.add("crm.timeline.comment.add", "reset_after")
    second(clinic, price=250)
    clinic.work()
    assert clinic.delivery.state == "waiting"
    later_there(minutes=2)
    clinic.work()

    [deal] = clinic.leads
    assert deal["fields"]["Комментарий к заявке"] == "blue"
    assert float(deal["price"]) == 250
    assert PHONE in str(deal["contact"])
    assert clinic.delivery.state == "delivered"
    comments = [row for rows in clinic.portal.timeline.values() for row in rows]
    assert sum("Вопрос 2: big" in row["COMMENT"] for row in comments) == 1


def test_what_a_manager_changed_in_bitrix24_is_left_alone(clinic):
    city = clinic.portal.field("Город", "CRM_DEAL")
    clinic.change_rule(FieldsRule={"deal": {"QuestionID": {"1": str(city.id)}}})
    first(clinic, contact={})
    clinic.work()
    deal = next(iter(clinic.portal.tables["deal"].values()))
    deal.props[city.name] = "gold"
    second(clinic)
    clinic.work()

    [shown] = clinic.leads
    assert shown["fields"]["Город"] == "gold"
    assert PHONE in str(shown["contact"])
    assert [loss["value"] for loss in clinic.delivery.losses] == ["blue"]


@pytest.fixture
def addressed(florist):
    """Question 1 goes into a text field of the deal."""
    ids = {"1": florist.field_id("Комментарий замерщика")}
    assert florist.change_rule(FieldsRule={"deal": {"QuestionID": ids}}).status_code == 200
    return florist


def test_a_deal_of_envybox_is_brought_up_to_date(addressed, later_at_envybox):
    first(addressed)
    addressed.work()
    addressed.box.faults.add("/deal/createComment", "reset_after")
    second(addressed)
    addressed.work()
    assert addressed.delivery.state == "waiting"
    later_at_envybox(minutes=2)
    addressed.work()

    [deal] = addressed.leads
    assert "blue" in deal["fields"].values()
    assert PHONE.lstrip("+") in str(addressed.envy.clients)
    assert sum("Вопрос 2: big" in note for note in deal["notes"]) == 1
    assert addressed.delivery.state == "delivered"


def test_what_a_manager_changed_in_envybox_is_left_alone(addressed):
    first(addressed)
    addressed.work()
    deal = next(iter(addressed.envy.deals.values()))
    deal.custom = dict.fromkeys(deal.custom, "gold")
    second(addressed)
    addressed.work()

    assert list(addressed.leads[0]["fields"].values()) == ["gold"]
    assert [loss["value"] for loss in addressed.delivery.losses] == ["blue"]


def test_a_lead_of_envybox_that_nobody_took_gets_the_rest_as_a_comment(florist):
    florist.change_rule(LeadFlag=True)
    first(florist)
    florist.work()
    second(florist)
    florist.work()

    [lead] = florist.leads
    assert (len(florist.envy.leads), lead["deal_id"]) == (1, None)
    assert sum(PHONE in note for note in lead["notes"]) == 1
    assert [loss["value"] for loss in florist.delivery.losses] == [PHONE]


def test_a_lead_of_envybox_that_was_taken_since_is_its_deal_by_now(florist):
    florist.change_rule(LeadFlag=True)
    first(florist)
    florist.work()
    lead = next(iter(florist.envy.leads))
    florist.box.control("take", {"account": "florist", "id": lead})
    second(florist)
    florist.work()

    assert len(florist.envy.deals) == 1
    assert PHONE.lstrip("+") in str(florist.envy.clients)
    assert florist.delivery.losses == []


def test_a_crm_that_changes_no_leads_says_what_it_lacks(windows):
    first(windows)
    windows.work()
    second(windows)
    windows.work()

    assert len(windows.leads) == 1
    assert windows.delivery.state == "delivered"
    late = {loss["value"]: loss["reason"] for loss in windows.delivery.losses}
    assert late["big"] == late[PHONE] == "this CRM can't change a lead that is there"
