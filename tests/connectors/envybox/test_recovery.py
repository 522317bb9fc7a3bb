"""After an answer was lost: nothing doubled, nothing lost. Merges, the queue, and the mark in the note."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.draft import Person, Placement, Receipt
from connectors.envybox.options import EnvyOptions
from connectors.errors import Refused, TryLater, Unclear
from tests.connectors.cast import again, make_draft

ANNA = Person("Анна", ("+79991112233",), ("anna@b.ru",))
QUEUE = Placement(choices={"QueueMode": True})


def lost(florist, journal, answer, action="reset_after"):
    florist.box.faults.add("/lead/(set|workset)", action)
    (outcome,) = florist.connector.deliver([answer], journal)
    assert isinstance(outcome, Unclear)
    return again(answer, journal, look_first=True)


def deliver(florist, journal, answer):
    return florist.connector.deliver([answer], journal)[0]


# -- a repeated contact ----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["child", "log", "parent"])
def test_a_repeated_contact_is_united_and_its_answers_stay_readable(florist, envy, journal, where):
    envy.switches["merge_comment"] = where
    first = deliver(florist, journal, make_draft(person=ANNA, note="Первый"))
    second = deliver(florist, journal, make_draft(person=ANNA, note="Второй"))
    assert second.journal["lead"] == first.journal["lead"]
    assert second.journal["merged"] != first.journal["lead"]
    parent = next(row for row in florist.leads if str(row["id"]) == first.journal["lead"])
    assert any("Второй" in note for note in parent["notes"])
    assert florist.methods()[-1] == "lead/log/create"


def test_a_united_lead_becomes_one_deal_with_both_answers(florist, journal):
    deliver(florist, journal, make_draft(person=ANNA, note="Первый"))
    deliver(florist, journal, make_draft(person=ANNA, note="Второй", placement=florist.place()))
    assert len(florist.deals()) == 1
    notes = [note for row in florist.leads for note in row["notes"]]
    assert any("Второй" in note for note in notes)


def test_the_comment_is_not_said_twice(florist, envy, journal):
    deliver(florist, journal, make_draft(person=ANNA))
    answer = make_draft(person=ANNA, note="Второй")
    envy.faults.add("/lead/log/create", "reset_after")
    assert isinstance(deliver(florist, journal, answer), Unclear)
    deliver(florist, journal, again(answer, journal, look_first=True))
    said = [log for logs in florist.crm.logs_of.values() for log in logs if log.type_id == 10]
    assert len(said) == 1


# -- the probes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("covers", [True, False])
@pytest.mark.parametrize("person", [ANNA, Person("Никто", emails=("x@b.ru",))])
def test_a_lead_is_known_by_its_mark(florist, envy, journal, covers, person):
    envy.switches["keyword_comment"] = covers
    florist.options = EnvyOptions(keyword_covers_comment=covers)
    receipt = deliver(florist, journal, lost(florist, journal, make_draft(person=person)))
    assert (receipt.adopted, len(florist.leads)) == (True, 1)


@pytest.mark.parametrize("where", ["child", "log", "parent"])
def test_a_merged_lead_is_known_wherever_its_text_went(florist, envy, journal, where):
    envy.switches["merge_comment"] = where
    first = deliver(florist, journal, make_draft(person=ANNA, note="Первый"))
    answer = lost(florist, journal, make_draft(person=ANNA, note="Второй"))
    receipt = deliver(florist, journal, answer)
    assert (receipt.adopted, receipt.journal["lead"]) == (True, first.journal["lead"])
    assert len(florist.leads) == 2


def test_a_lead_that_somebody_took_meanwhile_is_known_by_the_deals_history(florist, envy, journal):
    envy.switches["keyword_comment"] = False
    answer = lost(florist, journal, make_draft(person=ANNA))
    florist.connector.client().leads.start(florist.leads[0]["id"], 0, 0)
    florist.crm.leads[florist.leads[0]["id"]].service.pop("comment")
    receipt = deliver(florist, journal, answer)
    assert (receipt.adopted, receipt.journal["deal"]) == (True, str(florist.deals()[0].id))
    assert len(florist.leads) == 1


def test_an_older_lead_of_the_same_person_proves_nothing(florist, envy, journal):
    deliver(florist, journal, make_draft(person=ANNA, note="Первый"))
    answer = lost(florist, journal, make_draft(person=ANNA, note="Второй"), "reset")
    receipt = deliver(florist, journal, answer)
    assert receipt.adopted is False
    assert any("Второй" in note for row in florist.leads for note in row["notes"])


@pytest.mark.parametrize("probe", ["/lead/search", "/lead/list", "/deal/search"])
def test_a_probe_that_fails_proves_nothing(florist, envy, journal, probe, monkeypatch):
    monkeypatch.setattr("connectors.http.time.sleep", lambda seconds: None)
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    envy.faults.add(probe, status=502, times=None)
    assert isinstance(deliver(florist, journal, answer), TryLater)
    assert florist.leads == []


def test_where_nothing_can_be_asked_nothing_is_sent_again(florist, envy, journal):
    """Neither phone nor e-mail, and no search in notes."""
    florist.options = EnvyOptions(keyword_covers_comment=False)
    answer = lost(florist, journal, make_draft(person=Person("Никто")))
    outcome = deliver(florist, journal, answer)
    assert isinstance(outcome, Unclear)
    assert (outcome.code, outcome.look_again, len(florist.leads)) == ("look_incomplete", False, 1)


@pytest.mark.parametrize("action", ["reset", "reset_after"])
def test_a_look_that_is_cut_short_is_for_a_person(florist, journal, action, monkeypatch):
    """More leads under one phone than can be read, none of them found by the external id."""
    monkeypatch.setattr("connectors.envybox.recovery.PAGES", 1)
    florist.options = EnvyOptions(keyword_covers_comment=False)
    answer = lost(florist, journal, make_draft(person=ANNA), action)
    values = {"name": "Анна", "phone": "79991112233", "comment": "Другое"}
    for _ in range(60):
        florist.connector.client().leads.set({"method": "create", "values": values})
    before = len(florist.leads)
    outcome = deliver(florist, journal, answer)
    assert isinstance(outcome, Unclear) == (action == "reset")
    assert len(florist.leads) == before


def test_a_person_with_more_deals_than_can_be_read_is_for_a_person(florist, envy, journal, monkeypatch):
    monkeypatch.setattr("connectors.envybox.recovery.MOST_DEALS", 2)
    client = florist.connector.client()
    values = {"name": "Анна", "phone": "79991112233"}
    for _ in range(3):
        envy.clock.advance(1)
        lead = client.leads.set({"method": "create", "values": values})
        client.leads.start(lead.get("parent_id") or lead["id"], 0, 0)
        florist.crm.leads_of.clear()
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    assert isinstance(deliver(florist, journal, answer), Unclear)


def test_it_is_sent_again_once_and_through_the_queue(florist, envy, journal):
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    envy.switches["workset_delay"] = 3600.0
    first = deliver(florist, journal, answer)
    assert isinstance(first, TryLater)
    for _ in range(3):
        answer = again(answer, journal, look_first=True)
        outcome = deliver(florist, journal, answer)
        assert isinstance(outcome, Unclear)
        assert outcome.remedy
    assert len(envy.journal.find("POST", "/lead/workset")) == 1
    envy.clock.advance(3600)
    receipt = deliver(florist, journal, answer)
    assert (len(florist.leads), receipt.journal["lead"]) == (1, str(florist.leads[0]["id"]))


@pytest.mark.parametrize("action", ["reset", "reset_after"])
def test_the_second_sending_may_be_lost_too(florist, envy, journal, action):
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    envy.faults.add("/lead/workset", action)
    assert isinstance(deliver(florist, journal, answer), Unclear)
    outcome = deliver(florist, journal, again(answer, journal, look_first=True))
    assert isinstance(outcome, Unclear) == (action == "reset")
    assert len(florist.leads) == (0 if action == "reset" else 1)
    assert len(envy.journal.find("POST", "/lead/workset")) == 1


def test_a_second_sending_that_never_left_is_free(florist, envy, journal):
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    envy.faults.add("/lead/workset", status=429)
    assert isinstance(deliver(florist, journal, answer), TryLater)
    receipt = deliver(florist, journal, again(answer, journal, look_first=True))
    assert len(florist.leads) == 1
    assert receipt.journal["lead"]


# -- the queue -------------------------------------------------------------------------------------


def test_the_queue_tells_no_number_and_the_mark_does(florist, journal):
    receipt = deliver(florist, journal, make_draft(placement=QUEUE))
    assert florist.methods()[0] == "lead/workset"
    assert (receipt.journal["lead"], receipt.adopted) == (str(florist.leads[0]["id"]), False)


def test_a_slow_queue_is_asked_again_and_never_sent_to_again(florist, envy, journal):
    envy.switches["workset_delay"] = 5.0
    answer = make_draft(placement=QUEUE)
    outcome = deliver(florist, journal, answer)
    assert isinstance(outcome, TryLater)
    assert (outcome.code, outcome.after, outcome.account_wide) == ("queued", 5.0, False)
    envy.clock.advance(5)
    receipt = deliver(florist, journal, again(answer, journal))
    assert receipt.journal["lead"] == str(florist.leads[0]["id"])
    assert len(envy.journal.find("POST", "/lead/workset")) == 1


def test_a_queue_whose_answer_is_lost(florist, journal):
    receipt = deliver(florist, journal, lost(florist, journal, make_draft(placement=QUEUE)))
    assert (receipt.adopted, len(florist.leads)) == (True, 1)


def test_nothing_is_found_for_a_mark_within_a_mark(florist, journal):
    answer = make_draft()
    deliver(florist, journal, answer)
    assert florist.connector.find_all([answer.uid[:-1], answer.uid + "1"]) == {}
    without_search = replace(florist, options=EnvyOptions(keyword_covers_comment=False))
    assert set(without_search.connector.find_all([answer.uid])) == {answer.uid}


# -- a no that nobody has seen, with a code that is no client's fault -------------------------------

BROKEN = [
    '{"status_code": 500, "message": "Internal error"}',
    '{"status_code": 201, "message": "success"}',
    '{"message": "Лид создан"}',
]


def breaks(envy, action, times, body=BROKEN[0]):
    """In a 200, as Envybox answers nearly everything."""
    envy.faults.add(
        "/lead/(set|workset)", action, status=200, content_type="application/json", body=body, times=times
    )


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("placement", [Placement(), QUEUE])
def test_a_doubtful_no_to_a_lead_that_was_made_makes_no_second(florist, envy, journal, body, placement):
    breaks(envy, "answer_after", None, body)
    answer = make_draft(person=ANNA, placement=placement)
    error = deliver(florist, journal, answer)
    assert isinstance(error, Unclear)
    receipt = deliver(florist, journal, again(answer, journal, look_first=True))
    assert (receipt.adopted, len(florist.leads)) == (True, 1)


@pytest.mark.parametrize("times", [1, 2])
def test_a_lead_to_which_it_was_meant_goes_without_what_may_be_at_fault(florist, envy, journal, times):
    breaks(envy, "answer", times)
    answer = make_draft(person=ANNA, values=(florist.value("Стиль", "Лофт"),))
    for _ in range(times):
        error = deliver(florist, journal, answer)
        assert isinstance(error, Unclear)
        answer = again(answer, journal, look_first=True)
    assert "Internal error" in error.message
    assert (error.look_again, bool(error.remedy)) == (times == 1, times == 2)  # then a person decides
    receipt = deliver(florist, journal, answer)
    (lead,) = florist.leads
    assert (receipt.adopted, lead["fields"], [loss.value for loss in receipt.losses]) == (False, {}, ["Лофт"])


def test_a_lead_that_was_taken_into_work_in_spite_of_a_doubtful_no_has_its_deal(florist, envy, journal):
    envy.faults.add(
        "/lead/start", "answer_after", status=200, content_type="application/json", body=BROKEN[0]
    )
    receipt = deliver(florist, journal, make_draft(person=ANNA, placement=florist.place()))
    assert (receipt.journal["deal"], len(florist.deals())) == (str(florist.deals()[0].id), 1)
    assert receipt.problems == ()


def test_a_no_to_what_was_looked_for_leaves_the_way_open(florist, envy, journal):
    answer = lost(florist, journal, make_draft(person=ANNA), "reset")
    said = '{"status_code": 400, "message": "Нет"}'
    envy.faults.add("/lead/workset", status=200, content_type="application/json", body=said, times=2)
    assert isinstance(deliver(florist, journal, answer), Refused)
    assert isinstance(deliver(florist, journal, again(answer, journal)), Receipt)
    assert len(florist.leads) == 1
